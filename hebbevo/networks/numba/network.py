"""A batch of plastic networks on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.compilation import compiled
from hebbevo.networks.initial_states import initial_states
from hebbevo.networks.layout import Layout, projection_coefficients
from hebbevo.networks.network import Network
from hebbevo.networks.noise import NoiseSource
from hebbevo.networks.numba.aligned import aligned_zeros
from hebbevo.networks.numba.arguments import Arguments, check_genomes
from hebbevo.networks.numba.encoder import NumbaEncoder
from hebbevo.networks.numba.functions import bound_outputs
from hebbevo.networks.numba.kernel import NumbaKernel

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]

NUMBERS_AT_ONCE = 1 << 16
"""How many constants of genomes are computed in one go: what stays in the cache."""


class NumbaNetwork(Network):
    """The networks of the compiled CPU kernels. Arrays that it returns are views: they show later steps too.

    Args:
        kernel: the compiled rules.
        layout: of the genomes.
        batch_size: most lifetimes side by side.
        encoder: makes features of images; None where observations go straight to the first layer.
        slopes: ``(n_out,)``, where the output is raw: actions are tanh(slope * output).
    """

    def __init__(
        self,
        kernel: NumbaKernel,
        layout: Layout,
        batch_size: int,
        encoder: NumbaEncoder | None = None,
        slopes: FloatArray | None = None,
    ) -> None:
        spec = kernel.spec
        self.batch_size = batch_size
        self.layout = layout
        self.plastic = True
        self._kernel, self._spec = kernel, spec
        self._encoder, self._slopes, self._bound = encoder, slopes, bound_outputs()
        self._states = aligned_zeros(batch_size, spec.state_width)
        self._constants = aligned_zeros(batch_size, spec.constant_width)
        self._older, self._old, self._new = (
            aligned_zeros(batch_size, spec.activation_width) for _ in range(3)
        )
        self._lanes = aligned_zeros(batch_size, kernel.lane_width)
        self._noise = NoiseSource(spec, batch_size)
        self._at_once = max(1, NUMBERS_AT_ONCE // max(1, spec.constant_width))
        self._genome_of = np.zeros(batch_size, np.int64)
        self._actions = np.zeros((batch_size, spec.network.by_name[spec.network.output].size), np.float32)
        observed = encoder.spec.pixels if encoder else spec.network.by_name["observation"].size
        self._arguments = Arguments(batch_size, observed)
        self._pending: IndexArray | None = None
        self._due = self._step = 0

    @property
    @override
    def layers(self) -> int:
        return len(self._spec.plans)

    @override
    def states(self, layer: int) -> tuple[str, ...]:
        return self._spec.plans[layer - 1].projection.rule.states

    @override
    def reset(
        self, genomes: FloatArray, genome_of: Sequence[int], seeds: Sequence[int], *, plastic: bool = True
    ) -> None:
        assert len(genome_of) == len(seeds)
        check_genomes(genomes, genome_of, self.layout.size, self.batch_size)
        rows = len(seeds)
        self.plastic = plastic and self._spec.learns
        self._pending, self._step = None, -1
        self._genome_of[:rows] = genome_of
        if self._encoder is not None:
            self._encoder.reset(genomes, genome_of)
        for array in (self._states, self._older, self._old, self._new, self._actions):
            array[:rows] = 0.0
        self._write_constants(genomes)
        self._noise.reset(seeds)
        drawn = initial_states(self._spec.network, self.layout, genomes, genome_of, seeds)
        for plan in self._spec.plans:
            for state, values in drawn[plan.projection.name].items():
                self._kernel.write(plan.states[state], values, self._states[:rows])

    def _write_constants(self, genomes: FloatArray) -> None:
        for start in range(0, len(genomes), self._at_once):
            part = slice(start, min(start + self._at_once, len(genomes)))
            arrays = self.layout.split(genomes[part])
            for plan in self._spec.plans:
                coefficients = projection_coefficients(self._spec.network, plan.projection, arrays)
                self._kernel.write_constants(plan, coefficients, self._constants[part])

    @override
    def forward(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        self._arguments.check_active(active)
        self._arguments.check_observations(observations)
        if self._encoder is not None:
            observations = self._encoder.encode(observations, active)
        self._step += 1
        self._noise.draw(self._step, active)
        if self._pending is None:
            self._run(self._kernel.forward, active, observations)
        else:
            assert len(self._pending) == len(active)
            self._run(self._kernel.learn_forward, active, observations)
            self._pending = None
        self._older, self._old, self._new = self._old, self._new, self._older
        if self._slopes is not None:
            self._bound(self._actions, active, self._slopes)
        return self._actions

    @override
    def emit(self, active: IndexArray) -> None:
        _copy(self._actions, active, self._old, self._spec.activations[self._spec.network.output].start)

    @override
    def learn(self, active: IndexArray, rewards: npt.NDArray[np.float64] | None = None) -> None:
        self._arguments.check_active(active)
        if self._spec.uses_reward and rewards is not None:
            _copy(rewards[:, None], active, self._old, self._spec.reward.start)
        if self.plastic:
            self._due = self._spec.due(self._step)
            self._pending = active if self._due else None

    @override
    def flush(self) -> None:
        if self._pending is not None:
            # the kernel without a forward pass reads no observations
            self._run(self._kernel.learn, self._pending, self._old)
            self._pending = None

    @override
    def state(self, name: str, layer: int) -> FloatArray:
        self.flush()
        return self._kernel.view(self._spec.plans[layer - 1].states[name], self._states)

    @override
    def activations(self, layer: int) -> FloatArray:
        segment = self._spec.activations[self._spec.network.populations[layer].name]
        return self._old[:, segment.start : segment.stop]

    def _run(self, entry: Callable[..., None], active: IndexArray, observations: FloatArray) -> None:
        rows = (self._genome_of, self._states, self._constants, self._older, self._old, self._new)
        entry(
            active, *rows, observations, self._noise.values, self._actions, self._lanes, self._due, self._step
        )


@compiled
def _copy(numbers: npt.NDArray[Any], active: IndexArray, rows: FloatArray, start: int) -> None:
    """Write the numbers of the rows `active` into `rows`, from column `start` on."""
    for row in active:
        for k in range(numbers.shape[1]):
            rows[row, start + k] = numbers[row, k]
