"""Statistics of lifetimes, for tables, JSON and figures.

Interquartile mean, stratified bootstrap and probability of improvement are those of Agarwal et al. 2021, "Deep
Reinforcement Learning at the Edge of the Statistical Precipice" (arXiv 2108.13264), as its rliable computes them:
a lifetime is a run, a body a task.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.bootstrap import (
    FloatArray,
    IndexArray,
    bootstrap_distribution,
    counts,
    percentile_interval,
)


class Summary(Protocol):
    """Maps ``(resamples, lifetimes)`` to ``(resamples,)``, as `numpy.mean` does."""

    def __call__(self, values: FloatArray, /, *, axis: int) -> Any:
        """Return the statistic along an axis."""


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; None where there is none (a speed that never comes back)."""

    value: float | None
    low: float | None
    high: float | None


NO_ESTIMATE = Estimate(None, None, None)


def summarise(values: FloatArray, diverged: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return mean, sd, median, interquartile mean and a 95 % bootstrap interval of the mean.

    Args:
        values: one number a lifetime, ``(lifetimes,)``.
        diverged: lifetimes without a number; they are counted, and left out of the rest.
    """
    finished = values[~diverged]
    summary: dict[str, Any] = {"episodes": len(values), "diverged": int(diverged.sum())}
    if not len(finished):
        return {**dict.fromkeys(("mean", "sd", "median", "iqm", "ci95")), **summary}
    return {
        "mean": float(finished.mean()),
        "sd": float(finished.std(ddof=1)) if len(finished) > 1 else 0.0,
        "median": float(np.median(finished)),
        "iqm": float(interquartile_mean(finished)),
        "ci95": bootstrap_interval(finished),
        **summary,
    }


def interquartile_mean(values: FloatArray, axis: int = -1) -> FloatArray:
    """Return the mean of the middle half: a quarter, rounded down, is cut from each end."""
    from scipy import stats

    return np.asarray(stats.trim_mean(values, 0.25, axis=axis))


def bootstrap_interval(values: FloatArray) -> list[float]:
    """Return the 95 % percentile bootstrap interval of the mean; the same values give the same interval."""
    return stratified_intervals([values], [np.mean])[0]


def stratified_intervals(strata: Sequence[FloatArray], statistics: Sequence[Summary]) -> list[list[float]]:
    """Return 95 % percentile bootstrap intervals of statistics of all strata's values pooled.

    Each stratum is resampled by itself, to its own size: the bodies stay, their lifetimes vary. Values that are all
    equal have an interval of no width.

    Args:
        strata: a body's values each, ``(lifetimes of the body,)``; at least one value in each.
        statistics: each maps ``(resamples, lifetimes)`` along axis 1 to ``(resamples,)``.
    """
    pooled = np.concatenate(strata)
    if np.ptp(pooled) == 0.0:
        return [[float(pooled[0])] * 2 for _ in statistics]

    def of_pooled(*draws: IndexArray) -> FloatArray:
        resampled = np.concatenate([values[at] for values, at in zip(strata, draws, strict=True)], axis=1)
        return np.stack([statistic(resampled, axis=1) for statistic in statistics])

    low, high = percentile_interval(bootstrap_distribution([*map(len, strata)], of_pooled))
    return [[float(a), float(b)] for a, b in zip(low, high, strict=True)]


def mean_estimate(values: FloatArray) -> Estimate:
    """Return the mean of ``(lifetimes,)`` with its interval."""
    return Estimate(float(values.mean()), *bootstrap_interval(values)) if len(values) else NO_ESTIMATE


def mean_intervals(values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the bounds of the mean of every column of ``(lifetimes, columns)``, ``(columns,)`` each.

    A NaN is a lifetime that has no value there; every column has one at least. A resample without any is left out.
    """
    lifetimes, columns = values.shape
    known = ~np.isnan(values)
    sums, weights = np.where(known, values, 0.0), known.astype(np.float64)

    def of_columns(*draws: IndexArray) -> FloatArray:
        drawn = counts(draws[0], lifetimes)
        with np.errstate(invalid="ignore"):
            return np.asarray(((drawn @ sums) / (drawn @ weights)).T)

    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The BCa confidence interval"
        )  # SciPy's, for a resample without a value
        distribution = bootstrap_distribution([lifetimes], of_columns, lifetimes + columns)
    low, high = percentile_interval(distribution)
    for column in np.flatnonzero(np.isnan(distribution).any(axis=1)):
        drawn = distribution[column]
        low[column], high[column] = percentile_interval(drawn[~np.isnan(drawn)])
    smallest, largest = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    constant = smallest == largest
    return np.where(constant, smallest, low), np.where(constant, largest, high)


def ratio_of_means(values: FloatArray, reference: FloatArray) -> Estimate:
    """Return mean(values) / mean(reference), paired, with its interval.

    None where the mean of the reference is not positive; no interval where that of a resample is not.
    """
    if not len(values) or reference.mean() <= 0:
        return NO_ESTIMATE

    def of_both(*draws: IndexArray) -> FloatArray:
        return np.stack([values[draws[0]].mean(axis=1), reference[draws[0]].mean(axis=1)])

    ratio = float(values.mean() / reference.mean())
    above, below = bootstrap_distribution([len(values)], of_both, 2 * len(values))
    if below.min() <= 0:
        return Estimate(ratio, None, None)
    return Estimate(ratio, *map(float, percentile_interval(above / below)))


def paired_difference(values: FloatArray, others: FloatArray) -> dict[str, Any]:
    """Return the mean of values - others, lifetime by lifetime on the same seeds, and its 95 % bootstrap interval.

    Args:
        values: one number a lifetime, ``(lifetimes,)``; NaN where there is none, which leaves the pair out.
        others: likewise.
    """
    estimate = mean_estimate((values - others)[~np.isnan(values - others)])
    return {"mean": estimate.value, "ci95": None if estimate.low is None else [estimate.low, estimate.high]}


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
    wins = [
        (x[:, None] > y).astype(np.float64) + 0.5 * (x[:, None] == y)
        for x, y in zip(strata, baseline, strict=True)
    ]

    def of_pairs(*draws: IndexArray) -> FloatArray:
        pairs = zip(wins, draws[::2], draws[1::2], strict=True)
        return np.asarray(np.mean([_mean_win(table, x, y) for table, x, y in pairs], axis=0))

    sizes = [size for table in wins for size in table.shape]
    low, high = percentile_interval(bootstrap_distribution(sizes, of_pairs))
    return float(np.mean([table.mean() for table in wins])), [float(low), float(high)]


def _mean_win(table: FloatArray, rows: IndexArray, columns: IndexArray) -> FloatArray:
    """Return the mean of a table ``(n, m)`` over drawn rows and drawn columns, ``(resamples,)``."""
    n, m = table.shape
    return np.asarray(((counts(rows, n) @ table) * counts(columns, m)).sum(axis=1) / table.size)
