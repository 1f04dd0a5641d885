"""A batch of lifetimes for tests of the CPU kernel: rows, coefficients and activations."""

import numpy as np

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import genome_layout, layer_coefficients, resolve_sharing
from hebbevo.networks.numba.aligned import aligned_zeros
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.kernel_text import source
from hebbevo.rules import RULES, Rule

SMALL = (6, 17, 5)
"""Layer 1 has postsynaptic lanes, one more than a vector; layer 2 presynaptic ones."""
PAPER = (28, 128, 64, 8)


def spec_of(rule: Rule | str, sharing="synapse", normaliser="none", sizes=SMALL, **options) -> KernelSpec:
    rule = RULES[rule] if isinstance(rule, str) else rule
    return KernelSpec(rule, sizes, resolve_sharing(rule, sharing), normaliser, **options)


def plain_module(spec: KernelSpec) -> dict:
    """Return the kernel's text run as plain Python: every branch of the compiler, without compiling."""
    text = source(spec).replace(
        "from numba import njit", "def njit(*_, **__):\n    return lambda function: function"
    )
    module: dict = {}
    exec(compile(text, "kernel", "exec"), module)
    module["_fma"] = lambda x, y, z: np.float32(np.float64(x) * np.float64(y) + np.float64(z))
    return module


class KernelBatch:
    """Rows of a spec for `lifetimes` lifetimes, each with a genome of its own; drawn from a seed."""

    def __init__(self, spec: KernelSpec, lifetimes: int = 1, seed: int = 0, scale: float = 0.2) -> None:
        self.spec, self.kernel, self.n = spec, NumbaKernel(spec), lifetimes
        self.layout = genome_layout(spec.rule, spec.sizes, spec.sharing, evolved_weights=False)
        rng = np.random.default_rng(seed)
        self.genomes = (scale * rng.standard_normal((lifetimes, self.layout.size))).astype(np.float32)
        self.states = aligned_zeros(lifetimes, len(spec.rule.states), self.kernel.state_width)
        self.constants = aligned_zeros(lifetimes, self.kernel.constant_width)
        self.old = aligned_zeros(lifetimes, self.kernel.neuron_width)
        self.new = aligned_zeros(lifetimes, self.kernel.neuron_width)
        self.lanes = aligned_zeros(lifetimes, self.kernel.lane_width)
        self.observations = rng.standard_normal((lifetimes, spec.sizes[0])).astype(np.float32)
        self.actions = np.full((lifetimes, spec.sizes[-1]), np.nan, np.float32)
        self.rows, self.genome_of = np.arange(lifetimes), np.arange(lifetimes)
        for row in range(lifetimes):
            for layer in range(len(spec.layers)):
                self.kernel.write_constants(layer, self.coefficients(layer, row), self.constants[row])
                first = rng.uniform(-0.5, 0.5, spec.synapses[layer].shape).astype(np.float32)
                self.weights(layer)[row] = first
        self.set_activations([rng.uniform(-1, 1, (lifetimes, n)).astype(np.float32) for n in spec.sizes])

    def coefficients(self, layer: int, row: int = 0) -> dict[str, np.ndarray]:
        arrays = self.layout.split(self.genomes[row])
        return layer_coefficients(self.spec.rule, self.spec.sharing, arrays, layer + 1)

    def state(self, layer: int, index: int) -> np.ndarray:
        return self.kernel.view(self.spec.synapses[layer], self.states[:, index])

    def weights(self, layer: int) -> np.ndarray:
        return self.state(layer, 0)

    def set_activations(self, activations) -> None:
        for segment, values in zip(self.spec.neurons, activations, strict=True):
            self.old[:, segment.start : segment.stop] = values

    def activations(self, layer: int) -> np.ndarray:
        segment = self.spec.neurons[layer]
        return self.new[:, segment.start : segment.stop]

    def run(self, entry, rows=None) -> None:
        active = self.rows if rows is None else np.asarray(rows, np.int64)
        entry(
            active,
            self.genome_of,
            self.states,
            self.constants,
            self.old,
            self.new,
            self.observations,
            self.actions,
            self.lanes,
        )
