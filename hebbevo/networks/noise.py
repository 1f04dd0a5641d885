"""Exploration noise of populations: drawn from each lifetime's own streams, the same on every back end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.network_spec import Population
from hebbevo.seeding import Stream, stream

CHUNK = 64
"""Steps for which noise is drawn at a time; a change changes every run with noise."""


class NoiseSource:
    """The noise of a batch of lifetimes.

    Attributes:
        values: float32 ``(batch_size, noise_width)``, of the step last drawn, in the rows that were active.
    """

    def __init__(self, spec: KernelSpec, batch_size: int) -> None:
        self._spec = spec
        self._populations = [
            (index, one) for index, one in enumerate(spec.network.populations) if one.noise is not None
        ]
        rows = batch_size if self._populations else 1
        self.values: npt.NDArray[np.float32] = np.zeros((rows, spec.noise_width), np.float32)
        self._chunks = {
            one.name: np.zeros((batch_size, CHUNK, one.size), np.float32) for _, one in self._populations
        }
        self._streams: dict[tuple[int, str], np.random.Generator] = {}

    def reset(self, seeds: Sequence[int]) -> None:
        """Start lifetimes in the first rows."""
        self._streams = {
            (row, one.name): stream(seed, Stream.NOISE, index)
            for index, one in self._populations
            for row, seed in enumerate(seeds)
        }

    def draw(self, step: int, active: npt.NDArray[np.int64]) -> None:
        """Set the values of step 0, 1, ... in the rows `active`; steps come one after the other."""
        for _, population in self._populations:
            chunk, segment = self._chunks[population.name], self._spec.drawn_noises[population.name]
            if step % CHUNK == 0:
                for row in active.tolist():
                    self._fill(population, row, chunk[row])
            self.values[active, segment.start : segment.stop] = chunk[active, step % CHUNK]

    def _fill(self, population: Population, row: int, chunk: npt.NDArray[np.float32]) -> None:
        assert population.noise is not None
        generator, noise = self._streams[row, population.name], population.noise
        noise.distribution.fill(generator, chunk)
        if noise.probability < 1:
            chunk *= generator.random(chunk.shape, np.float32) < noise.probability
