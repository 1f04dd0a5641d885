"""A batch of multilayer perceptrons for tests of the CPU kernel: rows, coefficients and activations."""

import numpy as np

from hebbevo.networks.kernel_spec import KernelSpec, ProjectionPlan
from hebbevo.networks.layout import genome_layout, projection_coefficients, resolve_sharing
from hebbevo.networks.network_spec import multilayer_perceptron
from hebbevo.networks.numba.aligned import aligned_zeros
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.kernel_text import source
from hebbevo.rules import PUBLISHED, RULES, Distribution, Rule

SMALL = (6, 17, 5)
"""Layer 1 has postsynaptic lanes, one more than a vector; layer 2 presynaptic ones."""
PAPER = (28, 128, 64, 8)
UNIFORM = Distribution.parse("uniform(-0.1, 0.1)")


PERCEPTRON_RULES = ("none", *PUBLISHED, "hebb", "oja", "instar")
"""Rules of the catalogue of one state, which read the activations of two layers alone."""


def spec_of(rule: Rule | str, sharing="synapse", normaliser="none", sizes=SMALL, **options) -> KernelSpec:
    rule = RULES[rule] if isinstance(rule, str) else rule
    options = {"normaliser": normaliser, "initial_weights": UNIFORM, **options}
    return KernelSpec(multilayer_perceptron(rule, sizes, resolve_sharing(rule, sharing), **options))


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
        self.rule = spec.plans[0].projection.rule
        self.normaliser = spec.plans[0].projection.normaliser
        self.sizes = tuple(population.size for population in spec.network.populations)
        self.layers = range(len(spec.plans))
        self.layout = genome_layout(spec.network)
        rng = np.random.default_rng(seed)
        self.genomes = (scale * rng.standard_normal((lifetimes, self.layout.size))).astype(np.float32)
        self.states = aligned_zeros(lifetimes, spec.state_width)
        self.constants = aligned_zeros(lifetimes, spec.constant_width)
        self.older, self.old, self.new = (aligned_zeros(lifetimes, spec.activation_width) for _ in range(3))
        self.noise = aligned_zeros(lifetimes, spec.noise_width)
        self.lanes = aligned_zeros(lifetimes, self.kernel.lane_width)
        self.observations = rng.standard_normal((lifetimes, self.sizes[0])).astype(np.float32)
        self.actions = np.full((lifetimes, self.sizes[-1]), np.nan, np.float32)
        self.rows, self.genome_of = np.arange(lifetimes), np.arange(lifetimes)
        for row in range(lifetimes):
            for plan in spec.plans:
                coefficients = self.coefficients(plan.number, row)
                self.kernel.write_constants(plan, coefficients, self.constants[row])
                first = rng.uniform(-0.5, 0.5, plan.states["w"].shape).astype(np.float32)
                self.weights(plan.number)[row] = first
        self.set_activations([rng.uniform(-1, 1, (lifetimes, n)).astype(np.float32) for n in self.sizes])

    @property
    def segments(self) -> list:
        """Where the activations of each population lie."""
        return list(self.spec.activations.values())

    def plan(self, layer: int) -> ProjectionPlan:
        return self.spec.plans[layer]

    def coefficients(self, layer: int, row: int = 0) -> dict[str, np.ndarray]:
        arrays = self.layout.split(self.genomes[row])
        return projection_coefficients(self.spec.network, self.plan(layer).projection, arrays)

    def state(self, layer: int, name: str) -> np.ndarray:
        return self.kernel.view(self.plan(layer).states[name], self.states)

    def weights(self, layer: int) -> np.ndarray:
        return self.state(layer, "w")

    def set_activations(self, activations) -> None:
        for segment, values in zip(self.segments, activations, strict=True):
            self.old[:, segment.start : segment.stop] = values

    def activations(self, layer: int) -> np.ndarray:
        segment = self.segments[layer]
        return self.new[:, segment.start : segment.stop]

    def advance(self) -> None:
        """Begin the next step: what is new becomes old."""
        self.older, self.old, self.new = self.old, self.new, self.older

    def run(self, entry, rows=None) -> None:
        active = self.rows if rows is None else np.asarray(rows, np.int64)
        generations = self.older, self.old, self.new
        entry(
            active,
            self.genome_of,
            self.states,
            self.constants,
            *generations,
            self.observations,
            self.noise,
            self.actions,
            self.lanes,
            self.spec.due(0),
            0,
        )
