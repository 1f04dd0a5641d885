"""Recovery from a perturbation: speed over time, loss against the unperturbed twin, time until the speed is back.

A twin is the lifetime with the same seed to which nothing happens; up to the perturbation the two are the same, bit
for bit. With v(t) the mean progress per step over the steps t ... t + 49:

    recovery time = the smallest k > f with v(t0 + k) >= 0.9 v_twin(t0 + k), v_twin > 0,
    where f is the smallest k < 50 at which that does not hold; 0 if there is none: it has not fallen,

where t0 is the step of a momentary event, the end of a window, or the beginning of what lasts to the end of life.
A body goes on for a moment after its network is hit, so a first fall is waited for.
Intervals are 95 % percentile bootstraps over lifetimes, which are drawn together with their twins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.perturbations.perturbation import END_OF_LIFETIME, Perturbation

Floats = npt.NDArray[np.float64]

WINDOW: Final = 50
"""Steps over which a speed is measured."""
RETURN: Final = 0.9
"""Part of the twin's speed at which a lifetime has recovered."""
RESAMPLES: Final = 2000
_QUANTILES = (0.025, 0.975)


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval; None where there is none (a speed that never comes back)."""

    value: float | None
    low: float | None
    high: float | None


def event_steps(perturbations: Sequence[Perturbation]) -> tuple[int, int] | None:
    """Return the first perturbed step, and t0 from which recovery counts; None where nothing happens."""
    real = [what for what in perturbations if what.kind != "none"]
    if not real:
        return None
    return min(what.begins for what in real), max(_over(what) for what in real)


def _over(what: Perturbation) -> int:
    momentary = what.at is not None and not what.persistent
    return what.begins if momentary or what.ends == END_OF_LIFETIME else what.ends


def windowed_speed(progress: Floats, window: int = WINDOW) -> Floats:
    """Return v(t) for t = 0 ... steps - window.

    Args:
        progress: per step, ``(lifetimes, steps)``.
        window: steps.

    Returns:
        ``(lifetimes, steps - window + 1)``; empty where lives are shorter than the window.
    """
    lifetimes, steps = progress.shape
    if steps < window:
        return np.zeros((lifetimes, 0))
    total = np.concatenate([np.zeros((lifetimes, 1)), np.cumsum(progress, axis=1)], axis=1)
    return np.asarray((total[:, window:] - total[:, :-window]) / window)


def recovery_steps(speed: Floats, twin: Floats, since: int) -> Floats:
    """Return the recovery time of every row in steps; infinite where the speed does not come back.

    Args:
        speed: v(t), ``(rows, times)``.
        twin: of the twins, likewise.
        since: t0.
    """
    back = (speed >= RETURN * twin) & (twin > 0)
    back = back[:, since:]
    if not back.shape[1]:
        return np.full(len(speed), np.inf)
    fell = ~back[:, :WINDOW]
    returned = back & (np.arange(back.shape[1]) > fell.argmax(axis=1)[:, None])
    times = np.where(returned.any(axis=1), returned.argmax(axis=1), np.inf)
    return np.where(fell.any(axis=1), times, 0.0)


def mean_recovery(progress: Floats, twin: Floats, since: int) -> Estimate:
    """Return the recovery time of the speed averaged over lifetimes; arguments as in `recovery_steps`, per step."""
    speeds = windowed_speed(progress), windowed_speed(twin)
    if not len(progress) or not speeds[0].shape[1]:
        return Estimate(None, None, None)
    draws = resampling(len(progress))
    means = [np.concatenate([speed.mean(axis=0, keepdims=True), draws @ speed]) for speed in speeds]
    times = recovery_steps(means[0], means[1], since)
    low, high = np.sort(times[1:])[[int(q * (len(draws) - 1)) for q in _QUANTILES]]
    return Estimate(*(float(time) if np.isfinite(time) else None for time in (times[0], low, high)))


def mean_of(values: Floats) -> Estimate:
    """Return the mean of ``(lifetimes,)`` with its interval."""
    if not len(values):
        return Estimate(None, None, None)
    (low,), (high,) = mean_interval(values[:, None])
    return Estimate(float(values.mean()), float(low), float(high))


def ratio_of_means(values: Floats, to: Floats) -> Estimate:
    """Return mean(values) / mean(to), paired, with its interval; None where the denominator is not positive."""
    if not len(values) or to.mean() <= 0:
        return Estimate(None, None, None)
    draws = resampling(len(values))
    below = draws @ to
    if below.min() <= 0:
        return Estimate(float(values.mean() / to.mean()), None, None)
    low, high = np.quantile((draws @ values) / below, _QUANTILES)
    return Estimate(float(values.mean() / to.mean()), float(low), float(high))


def mean_interval(values: Floats) -> tuple[Floats, Floats]:
    """Return the bounds of the mean of every column of ``(lifetimes, columns)``, ``(columns,)`` each."""
    low, high = np.quantile(resampling(len(values)) @ values, _QUANTILES, axis=0)
    return low, high


def resampling(lifetimes: int) -> Floats:
    """Return bootstrap weights ``(RESAMPLES, lifetimes)``, rows of which sum to 1; always the same ones."""
    counts = np.random.default_rng(0).multinomial(lifetimes, np.full(lifetimes, 1 / lifetimes), RESAMPLES)
    return np.asarray(counts / lifetimes, np.float64)
