"""Normalises observations on their way to the network, and sums the moments of what each lifetime saw.

The moments of a lifetime are summed step by step in float64 (Welford 1962), so that no other lifetime of its batch
changes a bit. The clip is that of OpenAI-ES (Salimans et al. 2017).
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled
from hebbevo.rollouts.observations import ObservationMoments, ObservationStatistics

FloatArray = npt.NDArray[np.float32]

CLIP: Final = np.float32(5.0)
"""Largest size of a normalised observation."""


class ObservationNormaliser:
    """Normalises the observations of a batch of lifetimes, and sums their moments."""

    def __init__(self, statistics: ObservationStatistics, shape: tuple[int, ...]) -> None:
        """Start with statistics of observations of this shape, ``(batch_size, n)``."""
        batch_size, n = shape
        if not len(statistics.mean) == len(statistics.std) == n:
            raise ValueError(
                f"statistics must be of {n} numbers in an observation, got {len(statistics.mean)}"
            )
        self._mean, self._std = np.array(statistics.mean, np.float32), np.array(statistics.std, np.float32)
        self._normalised = np.zeros(shape, np.float32)
        self._counts = np.zeros(batch_size, np.int64)
        self._means, self._squares = np.zeros(shape), np.zeros(shape)

    def normalise(self, observations: FloatArray, active: npt.NDArray[np.int64]) -> FloatArray:
        """Return normalised observations ``(batch_size, n)``, current in the rows `active`, until the next call."""
        _add_moments(observations, active, self._counts, self._means, self._squares)
        _normalise(observations, active, self._mean, self._std, self._normalised)
        return self._normalised

    def moments(self, lifetimes: int) -> ObservationMoments:
        """Return the moments of the first rows up to now."""
        return ObservationMoments(
            self._counts[:lifetimes], self._means[:lifetimes], self._squares[:lifetimes]
        )


@compiled
def _add_moments(
    observations: FloatArray,
    active: npt.NDArray[np.int64],
    counts: npt.NDArray[np.int64],
    means: npt.NDArray[np.float64],
    squares: npt.NDArray[np.float64],
) -> None:
    """Add the observations of the rows `active` to their moments (Welford's recurrence)."""
    for row in active:
        if not 0 <= row < counts.shape[0]:
            raise IndexError("an active row is none of the batch")
        counts[row] += 1
        for column in range(observations.shape[1]):
            value = np.float64(observations[row, column])
            distance = value - means[row, column]
            means[row, column] += distance / counts[row]
            squares[row, column] += distance * (value - means[row, column])


@compiled
def _normalise(
    observations: FloatArray,
    active: npt.NDArray[np.int64],
    mean: FloatArray,
    std: FloatArray,
    normalised: FloatArray,
) -> None:
    """Write the normalised observations of the rows `active`; what is not a number stays so."""
    for row in active:
        for column in range(observations.shape[1]):
            value = (observations[row, column] - mean[column]) / std[column]
            if value > CLIP:
                value = CLIP
            elif value < -CLIP:
                value = -CLIP
            normalised[row, column] = value
