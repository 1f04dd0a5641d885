"""Recovery from a perturbation: speed over time, loss against the unperturbed twin, time until the speed is back.

A twin is the lifetime with the same seed to which nothing happens; up to the perturbation the two are the same, bit
for bit. With v(t) the mean progress per step over the steps t ... t + 49:

    recovery time = the smallest k > f with v(t0 + k) >= 0.9 v_twin(t0 + k), v_twin > 0,
    where f is the smallest k < 50 at which that does not hold; 0 if there is none: it has not fallen,

where t0 is the step of a momentary event, the end of a window, or the beginning of a perturbation that lasts to the
end of the lifetime. A body goes on for a moment after its network is hit, so a first fall is waited for.
Intervals are 95 % percentile bootstraps over lifetimes, which are drawn together with their twins.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.bootstrap import (
    IndexArray,
    bootstrap_distribution,
    counts,
    percentile_interval,
)
from hebbevo.evaluation.statistics import NO_ESTIMATE, Estimate
from hebbevo.perturbations.perturbation import END_OF_LIFETIME, Perturbation

Floats = npt.NDArray[np.float64]

WINDOW: Final = 50
"""Steps over which a speed is measured."""
RETURN: Final = 0.9
"""Part of the twin's speed at which a lifetime has recovered."""


def event_steps(perturbations: Sequence[Perturbation]) -> tuple[int, int] | None:
    """Return the first perturbed step, and t0 from which recovery counts; None where nothing happens."""
    events = [perturbation for perturbation in perturbations if perturbation.kind != "none"]
    if not events:
        return None
    return min(event.begins for event in events), max(_recovers_from(event) for event in events)


def _recovers_from(event: Perturbation) -> int:
    momentary = event.at is not None and not event.persistent
    return event.begins if momentary or event.ends == END_OF_LIFETIME else event.ends


def windowed_speed(progress: Floats, window: int = WINDOW) -> Floats:
    """Return v(t) for t = 0 ... steps - window.

    Args:
        progress: per step, ``(lifetimes, steps)``.
        window: steps.

    Returns:
        ``(lifetimes, steps - window + 1)``; empty where lifetimes are shorter than the window.
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


def mean_recovery_steps(progress: Floats, twin: Floats, since: int) -> float | None:
    """Return the recovery time of the speed averaged over lifetimes; None where there is no speed.

    Args:
        progress: per step, ``(lifetimes, steps)``.
        twin: of the twins, likewise.
        since: t0.
    """
    return _of_mean_speed(windowed_speed(progress), windowed_speed(twin), since)


def _of_mean_speed(speed: Floats, twin: Floats, since: int) -> float | None:
    if not speed.size:
        return None
    return float(recovery_steps(speed.mean(axis=0)[None, :], twin.mean(axis=0)[None, :], since)[0])


def mean_recovery(progress: Floats, twin: Floats, since: int) -> Estimate:
    """Return the recovery time of the speed averaged over lifetimes, with its interval.

    Args:
        progress: per step, ``(lifetimes, steps)``.
        twin: of the twins, likewise.
        since: t0.
    """
    speed, twin_speed = windowed_speed(progress), windowed_speed(twin)
    lifetimes, times = speed.shape
    if (value := _of_mean_speed(speed, twin_speed, since)) is None:
        return NO_ESTIMATE

    def of_mean_speeds(*draws: IndexArray) -> Floats:
        weights = counts(draws[0], lifetimes) / lifetimes
        resampled = recovery_steps(weights @ speed, weights @ twin_speed, since)
        return np.where(np.isfinite(resampled), resampled, times)  # SciPy takes no infinite statistic

    distribution = bootstrap_distribution([lifetimes], of_mean_speeds, lifetimes + 4 * times)
    bounds = percentile_interval(distribution, "lower")  # between a time and never there is nothing
    low, high = (float(bound) if bound < times else None for bound in bounds)
    return Estimate(value if np.isfinite(value) else None, low, high)
