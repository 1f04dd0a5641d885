"""What observations are normalised by, and the moments of those that lifetimes saw; light to import."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class ObservationStatistics:
    """What observations are normalised by: ``(observation - mean) / std``, clipped to +-5.

    Attributes:
        mean: float32 numbers, one per observation.
        std: likewise, positive.
        steps: agent-steps that they were measured over.
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]
    steps: int = 0

    @classmethod
    def of(cls, mean: npt.ArrayLike, std: npt.ArrayLike, steps: int = 0) -> Self:
        """Return the statistics, rounded to float32."""
        means, stds = (tuple(np.asarray(values, np.float32).tolist()) for values in (mean, std))
        return cls(means, stds, steps)

    @classmethod
    def identity(cls, size: int) -> Self:
        """Return statistics that change nothing but what is larger than the clip."""
        return cls((0.0,) * size, (1.0,) * size)


@dataclass(frozen=True, eq=False)
class ObservationMoments:
    """Moments of the observations of lifetimes, in their order.

    Attributes:
        counts: steps of each, int64 ``(lifetimes,)``.
        means: float64 ``(lifetimes, n)``.
        squares: sums of squared distances from the mean, float64 ``(lifetimes, n)``.
    """

    counts: npt.NDArray[np.int64]
    means: npt.NDArray[np.float64]
    squares: npt.NDArray[np.float64]

    @classmethod
    def join(cls, parts: Iterable[ObservationMoments | None]) -> ObservationMoments | None:
        """Return the lifetimes of all parts, one after another; None where parts have none."""
        known = [part for part in parts if part is not None]
        if not known:
            return None
        return cls(
            np.concatenate([part.counts for part in known]),
            np.concatenate([part.means for part in known]),
            np.concatenate([part.squares for part in known]),
        )


def merged(
    first: tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]],
    moments: ObservationMoments,
    rows: Sequence[int],
) -> tuple[int, npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return count, mean and sum of squared distances of `first` and some lifetimes, merged one after another.

    Source: Chan, Golub & LeVeque 1979, equation 1.5.
    """
    count, mean, squares = first
    for row in rows:
        added = int(moments.counts[row])
        if not added:
            continue
        total, distance = count + added, moments.means[row] - mean
        squares = squares + moments.squares[row] + np.square(distance) * (count * added / total)
        mean = mean + distance * (added / total)
        count = total
    return count, mean, squares
