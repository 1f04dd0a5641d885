"""Statistics of lifetimes: what tables, JSON and figures quote."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

RESAMPLES = 9999


def summarise(values: npt.NDArray[np.float64], diverged: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """Return mean, sd, median, interquartile mean and a 95 % bootstrap interval of the mean.

    Args:
        values: one number a lifetime, ``(lifetimes,)``.
        diverged: lifetimes that came to no number; they are counted, and left out of the rest.
    """
    good = values[~diverged]
    summary: dict[str, Any] = {"episodes": len(values), "diverged": int(diverged.sum())}
    if not len(good):
        return {**dict.fromkeys(("mean", "sd", "median", "iqm", "ci95")), **summary}
    from scipy import stats

    return {
        "mean": float(good.mean()),
        "sd": float(good.std(ddof=1)) if len(good) > 1 else 0.0,
        "median": float(np.median(good)),
        "iqm": float(stats.trim_mean(good, 0.25)),
        "ci95": bootstrap_interval(good),
        **summary,
    }


def bootstrap_interval(values: npt.NDArray[np.float64]) -> list[float]:
    """Return the 95 % percentile bootstrap interval of the mean; the same values give the same interval."""
    if np.ptp(values) == 0.0:
        return [float(values[0]), float(values[0])]
    from scipy import stats

    result = stats.bootstrap(
        (values,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    )
    return [float(result.confidence_interval.low), float(result.confidence_interval.high)]
