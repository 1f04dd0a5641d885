"""The bootstrap: how far a statistic would vary over other lifetimes.

Percentile intervals (Efron & Tibshirani 1993, chapter 13) of `scipy.stats.bootstrap`. Each stratum, such as a body, is
resampled by itself, to its own size. Indices of lifetimes are drawn, not values, so that everything that belongs to
a lifetime (its fitness, that of its twin, its speed over time) is drawn together. The draws follow from the sizes
of the strata alone: the same values give the same intervals.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
IndexArray = npt.NDArray[np.int64]

RESAMPLES: Final = 9999
CONFIDENCE: Final = 0.95

_SEED: Final = 0
_VALUES_AT_ONCE = 2**22
"""Resampled values held at a time: 32 MB."""


class Statistic(Protocol):
    """Maps draws of each stratum, indices ``(resamples, lifetimes of the stratum)``, to ``(..., resamples)``."""

    def __call__(self, *draws: IndexArray) -> FloatArray:
        """Return the statistic of every resample."""


def bootstrap_distribution(
    sizes: Sequence[int], statistic: Statistic, values_per_resample: int | None = None
) -> FloatArray:
    """Return a statistic of `RESAMPLES` resamples, ``(..., RESAMPLES)``; of one where nothing can vary.

    Args:
        sizes: lifetimes of each stratum, at least one in each.
        statistic: of the draws of all strata.
        values_per_resample: float64 numbers that the statistic holds per resample, which bounds how many are taken at
            a time; by default one per lifetime.
    """
    from scipy import stats

    if max(sizes) == 1:
        return statistic(*(np.zeros((1, 1), np.int64) for _ in sizes))
    varying = [np.arange(size) for size in sizes if size > 1]  # SciPy refuses strata of one lifetime
    result = stats.bootstrap(
        varying,
        _with_single_lifetimes(sizes, statistic),
        n_resamples=RESAMPLES,
        batch=max(1, _VALUES_AT_ONCE // (values_per_resample or sum(sizes))),
        vectorized=True,
        confidence_level=CONFIDENCE,
        method="percentile",
        rng=np.random.default_rng(_SEED),
    )
    return np.asarray(result.bootstrap_distribution)


def percentile_interval(distribution: FloatArray, method: str = "linear") -> tuple[FloatArray, FloatArray]:
    """Return the bounds of the `CONFIDENCE` interval of ``(..., resamples)``, ``(...)`` each.

    Args:
        distribution: from `bootstrap_distribution`.
        method: of `numpy.quantile` between two resamples.
    """
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(distribution, [tail, 1 - tail], axis=-1, method=method)  # type: ignore[call-overload]
    return low, high


def counts(draws: IndexArray, size: int) -> FloatArray:
    """Return how often each of `size` lifetimes was drawn, ``(resamples, size)``."""
    offsets = size * np.arange(len(draws))[:, None]
    counted = np.bincount((draws + offsets).ravel(), minlength=len(draws) * size)
    return counted.reshape(len(draws), size).astype(np.float64)


def _with_single_lifetimes(sizes: Sequence[int], statistic: Statistic) -> Any:
    """Return the statistic as SciPy calls it: with draws of those strata alone that have two lifetimes or more."""

    def of_varying(*draws: IndexArray, axis: int) -> FloatArray:
        assert axis == -1
        single, varying = np.zeros((len(draws[0]), 1), np.int64), iter(draws)
        return statistic(*(next(varying) if size > 1 else single for size in sizes))

    return of_varying
