"""Other measures of lifetimes than their fitness, as a world's `metrics` name them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

from hebbevo.envs.metrics import Metric
from hebbevo.rollouts.result import RolloutResult


def metric_values(name: str, metric: Metric, lifetimes: RolloutResult) -> npt.NDArray[np.float64]:
    """Return a metric of every lifetime; NaN where it diverged."""
    source = lifetimes.measures[name] if metric.measured else lifetimes.fitness
    pairs = zip(source.tolist(), lifetimes.diverged, strict=True)
    return np.array([np.nan if diverged else metric.of(value) for value, diverged in pairs])


def metric_mean(name: str, metric: Metric, mean: float, parts: Iterable[RolloutResult]) -> float:
    """Return the mean of a metric over the lifetimes that did not diverge, whose mean fitness is `mean`."""
    if not metric.measured:
        return metric.of(mean)
    return float(np.nanmean(np.concatenate([metric_values(name, metric, part) for part in parts])))
