"""Statistics over runs of evolution: how far a number would vary over other run seeds, and other lifetimes of them.

A hierarchical bootstrap (Davison & Hinkley 1997, section 3.8): the runs are drawn, then the lifetimes of every drawn
run. Arms are strata: each is resampled by itself, to its own size. Where arms share their run seeds, one draw of seeds
serves both, so that what a seed does to both stays together in their difference.

Interquartile mean, probability of improvement and performance profile are those of Agarwal et al. 2021
(arXiv 2108.13264), of runs whose score is a mean over lifetimes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.bootstrap import RESAMPLES, FloatArray, percentile_interval
from hebbevo.evaluation.statistics import NO_ESTIMATE, Estimate, interquartile_mean

BAND_RESAMPLES: Final = 1999
"""Resamples of a curve, whose every point has an interval."""

_VALUES_AT_ONCE = 2**22
"""Resampled values held at a time: 32 MB."""


def run_scores(lifetimes: FloatArray) -> FloatArray:
    """Return the mean of the lifetimes of every run that did not diverge.

    Args:
        lifetimes: ``(..., lifetimes)``; NaN where one diverged, or where a run has fewer than others.

    Returns:
        ``(...)``; NaN where none is left.
    """
    known = ~np.isnan(lifetimes)
    count = known.sum(axis=-1)
    total = np.where(known, lifetimes, 0.0).sum(axis=-1)
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), np.nan))


def mean_of_bodies(lifetimes: Sequence[FloatArray]) -> FloatArray:
    """Return the mean over bodies of the lifetimes with one seed; NaN alone where a body has no finished lifetime.

    Args:
        lifetimes: of each body, ``(lifetimes,)``, NaN where one diverged.
    """
    stacked = np.stack(lifetimes, axis=-1)
    lost = np.isnan(stacked).all(axis=0).any()
    return np.full(len(stacked), np.nan) if lost else run_scores(stacked)


def resample_runs(lifetimes: FloatArray, stream: int = 0) -> FloatArray:
    """Return the scores of `RESAMPLES` resamples of runs, and of lifetimes within them.

    The draws follow from the numbers of runs and lifetimes and from `stream` alone.

    Args:
        lifetimes: ``(runs, bodies, lifetimes)``, of the same lifetime seeds on every body, NaN where one diverged;
            at least one finished lifetime of every run on every body.
        stream: 0, or another number for draws that are independent of those.

    Returns:
        ``(RESAMPLES, runs, bodies)``.
    """
    runs, bodies, count = lifetimes.shape
    drawn = np.random.default_rng(stream).integers(0, runs, (RESAMPLES, runs))
    scores = run_scores(lifetimes)
    if count == 1:
        return np.asarray(scores[drawn])
    generator, whole = np.random.default_rng((stream, count)), not np.isnan(lifetimes).any()
    flat = [lifetimes[:, body].ravel() for body in range(bodies)]
    resampled = np.empty((RESAMPLES, runs, bodies))
    size = max(1, _VALUES_AT_ONCE // (runs * count))
    for start in range(0, RESAMPLES, size):
        rows = drawn[start : start + size, :, None]
        places = rows * count + generator.integers(0, count, (*rows.shape[:2], count))
        for body, values in enumerate(flat):
            taken = values.take(places)
            means = taken.mean(axis=-1) if whole else run_scores(taken)
            resampled[start : start + size, :, body] = means
    # a resample of diverged lifetimes alone has the score of its run
    return np.asarray(np.where(np.isnan(resampled), scores[drawn], resampled))


def estimate_of(scores: FloatArray, resampled: FloatArray, statistic: Callable[..., FloatArray]) -> Estimate:
    """Return a statistic of runs with its interval; without one where there is a single run.

    Args:
        scores: ``(runs,)``.
        resampled: ``(resamples, runs)``.
        statistic: along an axis.
    """
    if not len(scores):
        return NO_ESTIMATE
    value = float(statistic(scores, axis=-1))
    return _with_interval(value, statistic(resampled, axis=-1), len(scores))


def improvement_over(
    scores: FloatArray, baseline: FloatArray, resampled: FloatArray, resampled_baseline: FloatArray
) -> Estimate:
    """Return P(X > Y), ties counting half, for a run X and one of the baseline Y, with its interval.

    Args:
        scores: ``(runs,)``.
        baseline: ``(runs of the baseline,)``.
        resampled: ``(resamples, runs)``.
        resampled_baseline: likewise, drawn independently.
    """
    if not len(scores) or not len(baseline):
        return NO_ESTIMATE
    value = float(_share_of_wins(scores[None], baseline[None])[0])
    distribution = _share_of_wins(resampled, resampled_baseline)
    return _with_interval(value, distribution, min(len(scores), len(baseline)))


def profile(
    scores: FloatArray, resampled: FloatArray, thresholds: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the share of runs whose score is above each threshold, and the bounds of its interval."""
    share = (scores[:, None] > thresholds).mean(axis=0)
    bounds = [percentile_interval((resampled > threshold).mean(axis=1)) for threshold in thresholds]
    low, high = np.array(bounds).T
    return share, low, high


def bands(curves: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the interquartile mean over runs of every column, and the bounds of its interval.

    Args:
        curves: ``(runs, points)``.

    Returns:
        ``(points,)`` each; the bounds are NaN where there is a single run.
    """
    runs, points = curves.shape
    middle = interquartile_mean(curves, axis=0)
    if runs == 1:
        return middle, np.full(points, np.nan), np.full(points, np.nan)
    drawn = np.random.default_rng(0).integers(0, runs, (BAND_RESAMPLES, runs))
    resampled = np.empty((points, BAND_RESAMPLES))
    size = max(1, _VALUES_AT_ONCE // (runs * points))
    for start in range(0, BAND_RESAMPLES, size):
        part = curves[drawn[start : start + size]]
        resampled[:, start : start + size] = interquartile_mean(part, axis=1).T
    low, high = percentile_interval(resampled)
    return middle, low, high


def median_with_never(values: FloatArray) -> Estimate:
    """Return the median over runs with its interval, where infinity stands for what never happened.

    None where the number is that: half of the runs never got there.
    """
    if not len(values):
        return NO_ESTIMATE
    drawn = np.random.default_rng(0).integers(0, len(values), (RESAMPLES, len(values)))
    # the higher of two: no mean of a number and infinity
    found = _with_interval(_upper_median(values), _upper_median(values[drawn]), len(values), "higher")
    return Estimate(*(None if part is None or np.isinf(part) else part for part in vars(found).values()))


def _upper_median(values: FloatArray) -> npt.NDArray[np.float64]:
    return np.asarray(np.quantile(values, 0.5, axis=-1, method="higher"))


def _share_of_wins(runs: FloatArray, others: FloatArray) -> FloatArray:
    """Return the share of pairs that a run wins, ``(resamples,)``, of ``(resamples, runs)`` each."""
    shares = np.empty(len(runs))
    size = max(1, _VALUES_AT_ONCE // (runs.shape[1] * others.shape[1]))
    for start in range(0, len(runs), size):
        x, y = runs[start : start + size, :, None], others[start : start + size, None, :]
        shares[start : start + size] = 0.5 * ((x > y).mean(axis=(1, 2)) + (x >= y).mean(axis=(1, 2)))
    return shares


def _with_interval(
    value: float | FloatArray, distribution: FloatArray, runs: int, method: str = "linear"
) -> Estimate:
    if runs < 2:
        return Estimate(float(value), None, None)
    low, high = percentile_interval(distribution, method)
    return Estimate(float(value), float(low), float(high))
