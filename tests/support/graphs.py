"""Networks of every kind for tests of the kernels, and lifetimes of them beside the float64 reference."""

from __future__ import annotations

import os
from collections.abc import Callable

import numpy as np
from reference_graph import ReferenceGraph

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import genome_layout, resolve_sharing
from hebbevo.networks.network import Network
from hebbevo.networks.network_spec import NetworkSpec, Noise, Population, Projection
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.network import NumbaNetwork
from hebbevo.networks.torch.kernel import TorchKernel
from hebbevo.networks.torch.network import TorchNetwork
from hebbevo.rules import RULES, Distribution, Rule

UNIFORM = Distribution.parse("uniform(-0.1, 0.1)")
NOISE = Noise(Distribution.parse("normal(0, 0.1)"), 0.3)
STATIC = RULES["none"]
ABCD = RULES["ABCD_lr"]
OBSERVATION, ACTION = 5, 3

MODULATED = Rule("modulated", w="w + eta*m*(A*pre*post + D)")
RETROACTIVE = Rule(
    "retroactive",
    hebb="clip(hebb + m*elig, -1, 1)",
    elig="(1-eta)*elig + eta*pre*post",
    weight="w + alpha*hebb",
)
BCM = Rule(
    "bcm",
    w="w + eta*pre*post*(post - theta)",
    theta={"equation": "(1-d)*theta + d*post**2", "axis": "post", "initial": "uniform(0, 0.1)"},
)
THREE_FACTOR = Rule("three factor", w="w + eta*reward*(pre*post - pre_last*post_last)")
NODE_PERTURBATION = Rule("node perturbation", e="0.8*e + noise*pre", w="w + eta*e*reward")
DELTA = Rule("delta", w="w + eta*(v - drive)*pre", bound=("v",))
EVOLVED = Rule(
    "evolved states",
    w="clip(w + eta*gain*pre*post, -1, 1)",
    gain={"equation": "0.9*gain + 0.1*pre", "axis": "pre", "initial": "evolved from normal(0, 1)"},
    trace={"equation": "tanh(trace + pre*post)", "initial": "normal(0, 0.1)"},
    weight="w + 0.1*trace",
)


def projection(
    name: str, source: str, target: str, rule: Rule, sharing="synapse", initial_weights=UNIFORM, **options
) -> Projection:
    shared = resolve_sharing(rule, sharing)
    return Projection(name, source, target, rule, shared, initial_weights=initial_weights, **options)


def network_of(*projections: Projection, hidden: int = 20, output: str = "tanh") -> NetworkSpec:
    """Return a network of the populations that the projections name."""
    populations = (
        Population("observation", OBSERVATION, "identity"),
        Population("action", ACTION, "identity"),
        Population("reward", 1, "identity"),
        Population("one", 1, "identity"),
        Population("hidden", hidden, noise=NOISE),
        Population("gate", 1),
        Population("gates", hidden, "sigmoid"),
        Population("out", ACTION, output),
    )
    ends = {end for one in projections for end in (one.source, one.target, *one.signals.values())}
    used = tuple(population for population in populations if population.name in ends)
    return NetworkSpec(used, projections, "out")


def _input(rule: Rule = STATIC, **options) -> Projection:
    return projection("in", "observation", "hidden", rule, **options)


def _output(rule: Rule = STATIC, **options) -> Projection:
    return projection("out", "hidden", "out", rule, **options)


_GATE = projection("to_gate", "hidden", "gate", STATIC, initial_weights=None)
_GATES = projection("to_gates", "hidden", "gates", STATIC, initial_weights=None)

PARTS: dict[str, tuple[Projection, ...]] = {
    "recurrent": (
        _input(ABCD, normaliser="max"),
        projection("back", "hidden", "hidden", ABCD, delayed=True, sharing={"eta": "network"}),
        _output(ABCD, sharing={"eta": "network", "default": "post"}),
    ),
    "modulated per lifetime": (_input(MODULATED, signals={"m": "gate"}), _GATE, _output()),
    "retroactive, modulated per neuron": (
        _input(),
        projection(
            "back",
            "hidden",
            "hidden",
            RETROACTIVE,
            {"eta": "post"},
            delayed=True,
            signals={"m": "gates"},
        ),
        _GATES,
        _output(RETROACTIVE, signals={"m": "gate"}),
        _GATE,
    ),
    "sliding thresholds": (
        _input(BCM, sharing={"d": "layer", "eta": "network"}),
        _output(BCM, sharing={"d": "post", "eta": "pre"}),
    ),
    "evolved and drawn states": (_input(EVOLVED), _output(EVOLVED, sharing="pre", normaliser="clip")),
    "three factors": (
        _input(THREE_FACTOR, sharing="layer"),
        projection("bias", "one", "hidden", THREE_FACTOR),
        projection("rewarded", "reward", "hidden", THREE_FACTOR, "post"),
        _output(THREE_FACTOR),
    ),
    "node perturbation": (_input(NODE_PERTURBATION), _output()),
    "delta rule": (
        _input(),
        projection("copy", "observation", "out", DELTA, signals={"v": "action"}),
        _output(DELTA, signals={"v": "gate"}),
        _GATE,
    ),
    "every third step": (
        _input(ABCD, every=3, offset=1),
        projection("again", "action", "hidden", BCM, {"d": "post"}, every=2),
        _output(ABCD, every=3),
    ),
    "windows": (
        _input(ABCD, window=4, normaliser="clip"),
        projection("back", "hidden", "hidden", ABCD, delayed=True, window=3, every=2),
        _output(BCM, sharing={"d": "post"}, window=4),
    ),
}
PARTS["all together"] = (
    projection("a", "observation", "hidden", MODULATED, signals={"m": "gate"}),
    projection("b", "hidden", "hidden", RETROACTIVE, {"eta": "post"}, delayed=True, signals={"m": "gates"}),
    projection("c", "one", "hidden", THREE_FACTOR, "layer"),
    projection("d", "action", "hidden", BCM, {"d": "layer", "eta": "network"}, every=3, offset=1),
    projection("e", "reward", "hidden", NODE_PERTURBATION, "post", normaliser="clip"),
    _GATE,
    _GATES,
    projection("h", "hidden", "out", RULES["oja"], window=4, normaliser="var"),
    projection("i", "observation", "out", DELTA, signals={"v": "action"}),
    projection("j", "gate", "out", ABCD, delayed=True, window=3, every=2),
)


def numba_network(spec: NetworkSpec, batch_size: int, slopes=None) -> Network:
    return NumbaNetwork(NumbaKernel(KernelSpec(spec)), genome_layout(spec), batch_size, slopes=slopes)


def torch_network(spec: NetworkSpec, batch_size: int, slopes=None) -> Network:
    kernel_spec = KernelSpec(spec)
    kernel = TorchKernel(kernel_spec)
    return TorchNetwork(kernel_spec, genome_layout(spec), batch_size, kernel=kernel, slopes=slopes)


def triton_network(spec: NetworkSpec, batch_size: int, slopes=None) -> Network:
    """Return a network of the GPU's kernel, which Triton's interpreter runs where there is no GPU."""
    from hebbevo.networks.triton.kernel import TritonKernel

    kernel_spec = KernelSpec(spec)
    device = "cpu" if os.environ.get("TRITON_INTERPRET") == "1" else "cuda"
    kernel = TritonKernel(kernel_spec)
    return TorchNetwork(kernel_spec, genome_layout(spec), batch_size, device, kernel=kernel, slopes=slopes)


Make = Callable[..., Network]


def genomes_of(spec: NetworkSpec, count: int, scale: float = 0.05) -> np.ndarray:
    rng = np.random.default_rng(0)
    return (scale * rng.standard_normal((count, genome_layout(spec).size))).astype(np.float32)


def error_of_lifetimes(spec: NetworkSpec, make: Make, steps: int, scale: float = 0.05) -> float:
    """Return the largest difference of actions and states to the reference, relative to the largest value.

    Three lifetimes of two genomes in a batch of four; a look at the weights in the middle flushes an update. With
    wider coefficients recurrent weights grow until rounding decides where a lifetime goes.
    """
    raw = spec.by_name[spec.output].activation == "identity"
    slopes = np.float32([1, 0.5, 2]) if raw else None
    genomes, genome_of, seeds = genomes_of(spec, 2, scale), [0, 0, 1], [11, 12, 13]
    network, layout = make(spec, 4, slopes=slopes), genome_layout(spec)
    network.reset(genomes, genome_of, seeds)
    references = [
        ReferenceGraph(spec, layout.split(genomes[genome]), seed, slopes)
        for genome, seed in zip(genome_of, seeds, strict=True)
    ]
    rng, active, worst = np.random.default_rng(1), np.arange(3), 0.0
    for step in range(steps):
        observations = np.full((4, OBSERVATION), np.nan, np.float32)
        observations[:3] = rng.uniform(-1, 1, (3, OBSERVATION))
        rewards = np.float32(rng.uniform(-1, 1, 4)).astype(float)
        actions = network.forward(observations, active)[:3].astype(float)
        expected = [one.forward(seen) for one, seen in zip(references, observations, strict=False)]
        worst = max(worst, np.abs(actions - expected).max())
        network.learn(active, rewards)
        for reference, reward in zip(references, rewards, strict=False):
            reference.learn(float(reward))
        if step == steps // 2:
            network.flush()
    return max(worst, _error_of_states(spec, network, references))


def _error_of_states(spec: NetworkSpec, network: Network, references: list[ReferenceGraph]) -> float:
    worst = 0.0
    for layer, part in enumerate(spec.projections, start=1):
        for state in network.states(layer):
            found = network.state(state, layer)[:3].astype(float)
            expected = np.stack([reference.states[part.name][state] for reference in references])
            assert np.isfinite(expected).all(), "a network that diverges shows nothing"
            difference = np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-3)
            worst = max(worst, difference if difference == difference else np.inf)
    return worst
