"""Statistics of lifetimes: what tables, JSON and figures quote.

Interquartile mean, stratified bootstrap and probability of improvement are those of Agarwal et al. 2021, "Deep
Reinforcement Learning at the Edge of the Statistical Precipice" (arXiv 2108.13264), as its rliable computes them:
a lifetime is a run, a body a task.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

RESAMPLES = 9999
_TAIL = (1 - 0.95) / 2
_VALUES_AT_ONCE = 2**22
"""Resampled values held at a time: 32 MB."""


class Statistic(Protocol):
    """Maps ``(resamples, lifetimes)`` to ``(resamples,)``, as `numpy.mean` does."""

    def __call__(self, values: FloatArray, /, *, axis: int) -> Any:
        """Return the statistic along an axis."""


def summarise(values: FloatArray, diverged: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return mean, sd, median, interquartile mean and a 95 % bootstrap interval of the mean.

    Args:
        values: one number a lifetime, ``(lifetimes,)``.
        diverged: lifetimes that came to no number; they are counted, and left out of the rest.
    """
    good = values[~diverged]
    summary: dict[str, Any] = {"episodes": len(values), "diverged": int(diverged.sum())}
    if not len(good):
        return {**dict.fromkeys(("mean", "sd", "median", "iqm", "ci95")), **summary}
    return {
        "mean": float(good.mean()),
        "sd": float(good.std(ddof=1)) if len(good) > 1 else 0.0,
        "median": float(np.median(good)),
        "iqm": float(interquartile_mean(good)),
        "ci95": bootstrap_interval(good),
        **summary,
    }


def bootstrap_interval(values: FloatArray) -> list[float]:
    """Return the 95 % percentile bootstrap interval of the mean; the same values give the same interval."""
    return stratified_intervals([values], [np.mean])[0]


def paired_difference(values: FloatArray, others: FloatArray) -> dict[str, Any]:
    """Return the mean of values - others, lifetime by lifetime on the same seeds, and its 95 % bootstrap interval.

    Args:
        values: one number a lifetime, ``(lifetimes,)``; NaN where it came to none, which leaves the pair out.
        others: likewise.
    """
    differences = (values - others)[~np.isnan(values - others)]
    if not len(differences):
        return {"mean": None, "ci95": None}
    return {"mean": float(differences.mean()), "ci95": bootstrap_interval(differences)}


def interquartile_mean(values: FloatArray, axis: int = -1) -> FloatArray:
    """Return the mean of the middle half: a quarter, rounded down, is cut from each end."""
    from scipy import stats

    return np.asarray(stats.trim_mean(values, 0.25, axis=axis))


def stratified_intervals(strata: Sequence[FloatArray], statistics: Sequence[Statistic]) -> list[list[float]]:
    """Return 95 % percentile bootstrap intervals of statistics of all strata's values pooled.

    Each stratum is resampled by itself, to its own size: the bodies stay, their lifetimes vary. Seeded: the same
    values give the same intervals.

    Args:
        strata: a body's values each, ``(lifetimes of the body,)``; at least one value in each.
        statistics: each maps ``(resamples, lifetimes)`` along axis 1 to ``(resamples,)``.
    """
    pooled = np.concatenate(strata)
    if np.ptp(pooled) == 0.0:
        return [[float(pooled[0])] * 2 for _ in statistics]
    generator = np.random.default_rng(0)
    parts = [
        [statistic(sample, axis=1) for statistic in statistics] for sample in _resamples(generator, strata)
    ]
    return [_percentile_interval(np.concatenate(values)) for values in zip(*parts, strict=True)]


def _resamples(generator: np.random.Generator, strata: Sequence[FloatArray]) -> Iterator[FloatArray]:
    """Yield `RESAMPLES` rows, a part at a time, so that many lifetimes fit into memory."""
    at_once = max(1, _VALUES_AT_ONCE // sum(map(len, strata)))
    for start in range(0, RESAMPLES, at_once):
        count = min(at_once, RESAMPLES - start)
        draws = [values[generator.integers(0, len(values), (count, len(values)))] for values in strata]
        yield np.concatenate(draws, axis=1)


def probability_of_improvement(
    strata: Sequence[FloatArray], baseline: Sequence[FloatArray]
) -> tuple[float, list[float]]:
    """Return P(X > Y), ties counting half, averaged over strata, and its 95 % stratified bootstrap interval.

    X is a lifetime and Y one of the baseline's on the same body, drawn independently: the Mann-Whitney U over the
    number of pairs. Both sides are resampled, each within its strata.

    Args:
        strata: a body's values each; at least one value in each.
        baseline: as many strata, the baseline's on the same bodies.
    """
    generator = np.random.default_rng(0)
    wins = [
        (x[:, None] > y).astype(np.float64) + 0.5 * (x[:, None] == y)
        for x, y in zip(strata, baseline, strict=True)
    ]
    resampled = np.zeros(RESAMPLES)
    for table in wins:
        often = [
            generator.multinomial(n, np.full(n, 1 / n), RESAMPLES).astype(np.float64) for n in table.shape
        ]
        resampled += ((often[0] @ table) * often[1]).sum(axis=1) / table.size
    value = float(np.mean([table.mean() for table in wins]))
    return value, _percentile_interval(resampled / len(wins))


def _percentile_interval(values: FloatArray) -> list[float]:
    low, high = np.quantile(values, [_TAIL, 1 - _TAIL])
    return [float(low), float(high)]
