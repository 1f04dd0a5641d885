"""Recurrent and modulated networks: time per synapse and state beside the multilayer perceptron's, and beside torch.

The torch side is what a script would do: one batched tensor per array, `torch.bmm` for the sums, one thread. Both sides
compute the same networks from the same numbers; `tests/benchmarks` compares their actions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbevo.benchmarks.timing import CPU, Effort, alternate, one_core
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import genome_layout, resolve_sharing
from hebbevo.networks.network_spec import NetworkSpec, Population, Projection, multilayer_perceptron
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.network import NumbaNetwork
from hebbevo.rules import Distribution, parse

if TYPE_CHECKING:
    import torch

OBSERVATIONS, HIDDEN, ACTIONS = 28, 64, 8
_UNIFORM = Distribution.parse("uniform(-0.1, 0.1)")
_TORCH_BATCH = 64
_STEPS = 200


def perceptron() -> NetworkSpec:
    """Return the network that the others are compared with, under the ABCD rule."""
    rule = parse("ABCD_lr")
    sizes = (OBSERVATIONS, HIDDEN, ACTIONS)
    return multilayer_perceptron(rule, sizes, resolve_sharing(rule, "synapse"), initial_weights=_UNIFORM)


def recurrent(*, modulated: bool) -> NetworkSpec:
    """Return a network whose hidden layer sees itself, one step before; perhaps with a neuron that gates its rule."""
    rule = parse("w + m*eta*(A*pre*post + B*pre + C*post + D)" if modulated else "ABCD_lr")
    static = parse("none")
    signals = {"m": "gate"} if modulated else {}

    def plastic(name: str, source: str, target: str, *, delayed: bool = False) -> Projection:
        sharing = resolve_sharing(rule, "synapse")
        return Projection(name, source, target, rule, sharing, "none", _UNIFORM, delayed, signals)

    populations = [Population("observation", OBSERVATIONS, "identity"), Population("hidden", HIDDEN)]
    projections = [
        plastic("input", "observation", "hidden"),
        plastic("recurrence", "hidden", "hidden", delayed=True),
        plastic("readout", "hidden", "output"),
    ]
    if modulated:
        populations.append(Population("gate", 1))
        projections.append(Projection("gating", "hidden", "gate", static, {}))
    populations.append(Population("output", ACTIONS))
    return NetworkSpec(tuple(populations), tuple(projections), "output")


class Replay:
    """A batch of networks of one description on the compiled kernel, and random observations."""

    def __init__(self, spec: NetworkSpec, batch_size: int, steps: int) -> None:
        self.spec, self.layout = spec, genome_layout(spec)
        generator = np.random.default_rng(0)
        self.genomes = 0.02 * generator.standard_normal((batch_size, self.layout.size), np.float32)
        self.observations = generator.uniform(-1, 1, (steps, batch_size, OBSERVATIONS)).astype(np.float32)
        self.network = NumbaNetwork(NumbaKernel(KernelSpec(spec)), self.layout, batch_size)
        self._active = np.arange(batch_size)

    def reset(self) -> None:
        """Give the networks their genomes and initial weights."""
        self.network.reset(self.genomes, self._active.tolist(), self._active.tolist())

    def run(self) -> np.ndarray[Any, np.dtype[np.float32]]:
        """Run a lifetime; return the last actions ``(batch_size, actions)``."""
        self.reset()
        for rows in self.observations:
            actions = self.network.forward(rows, self._active)
            self.network.learn(self._active)
        return actions

    @property
    def agent_steps(self) -> int:
        """Steps of all lifetimes."""
        return len(self.observations) * len(self._active)


class TorchReplay:
    """The same modulated recurrent network as batched tensors, written plainly."""

    def __init__(self, replay: Replay) -> None:
        import torch

        replay.reset()
        arrays = replay.layout.split(replay.genomes)
        self._tensors = {name: torch.from_numpy(array.copy()) for name, array in arrays.items()}
        self._weights = {
            projection.name: torch.from_numpy(replay.network.weights(number).copy())
            for number, projection in enumerate(replay.spec.projections, start=1)
        }
        self._observations = torch.from_numpy(replay.observations)

    def run(self) -> torch.Tensor:
        """Run a lifetime; return the last actions ``(batch_size, actions)``."""
        import torch

        weights = {name: matrix.clone() for name, matrix in self._weights.items()}
        hidden = torch.zeros(len(self._observations[0]), HIDDEN)

        def drive(name: str, signal: torch.Tensor) -> torch.Tensor:
            return torch.bmm(weights[name], signal[:, :, None])[:, :, 0]

        def learn(name: str, pre: torch.Tensor, post: torch.Tensor, gate: torch.Tensor) -> None:
            a, b, c, d, eta = (self._tensors[f"{name}.{key}"] for key in ("A", "B", "C", "D", "eta"))
            x, y = pre[:, None, :], post[:, :, None]
            weights[name] += gate[:, :, None] * eta * (a * x * y + b * x + c * y + d)

        for observed in self._observations:
            before = hidden
            hidden = torch.tanh(drive("input", observed) + drive("recurrence", before))
            gate, actions = torch.tanh(drive("gating", hidden)), torch.tanh(drive("readout", hidden))
            learn("input", observed, hidden, gate)
            learn("recurrence", before, hidden, gate)
            learn("readout", hidden, actions, gate)
        return actions


def measure(effort: Effort) -> dict[str, Any]:
    """Return microseconds per agent-step and nanoseconds per synapse and state of each network, and of torch."""
    steps = effort.steps or _STEPS
    specs = {
        "perceptron": perceptron(),
        "recurrent": recurrent(modulated=False),
        "modulated": recurrent(modulated=True),
    }
    with one_core():
        batch_size = max(effort.batch_sizes)
        replays = {name: Replay(spec, batch_size, steps) for name, spec in specs.items()}
        beside = Replay(specs["modulated"], _TORCH_BATCH, steps)
        plain = TorchReplay(beside)
        runs = [*(replay.run for replay in replays.values()), beside.run, plain.run]
        seconds = np.median(alternate(runs, effort.repeats)[:, :, CPU], axis=0)
    result = {
        name: _entry(replay, float(seconds[number])) for number, (name, replay) in enumerate(replays.items())
    }
    result["modulated_beside_torch"] = {
        "batch_size": _TORCH_BATCH,
        "us_per_step": round(float(seconds[-2]) * 1e6 / beside.agent_steps, 4),
        "torch_us_per_step": round(float(seconds[-1]) * 1e6 / beside.agent_steps, 4),
    }
    return result


def _entry(replay: Replay, seconds: float) -> dict[str, Any]:
    us_per_step = seconds * 1e6 / replay.agent_steps
    return {
        "us_per_step": round(us_per_step, 4),
        "synapses": replay.spec.synapses,
        "ns_per_synapse": round(us_per_step * 1e3 / replay.spec.synapses, 4),
    }


def ratios(result: Mapping[str, Any]) -> dict[str, float]:
    """Return the cost of a synapse beside the perceptron's, and how many times faster than torch a network is."""
    perceptron_ns = result["perceptron"]["ns_per_synapse"]
    cost = {
        f"{name}_cost_of_a_synapse": round(result[name]["ns_per_synapse"] / perceptron_ns, 4)
        for name in ("recurrent", "modulated")
    }
    beside = result["modulated_beside_torch"]
    return {**cost, "modulated_over_torch": round(beside["torch_us_per_step"] / beside["us_per_step"], 4)}
