"""The results of lifetimes as the arrays of a case's file, and back, bit for bit."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError, unknown
from hebbevo.io.tensors import Arrays
from hebbevo.rollouts.result import WORST_FITNESS, RolloutResult

_COLUMNS: Final = ("fitness", "steps", "diverged")
_MEASURE: Final = "measure."


def pack_lifetimes(lifetimes: RolloutResult) -> Arrays:
    """Return the columns of lifetimes; moments of observations, which no study has, are left out."""
    measures = {f"{_MEASURE}{name}": values for name, values in lifetimes.measures.items()}
    return {name: getattr(lifetimes, name) for name in _COLUMNS} | measures


def unpack_lifetimes(arrays: Arrays) -> RolloutResult:
    """Return the lifetimes of such columns."""
    fitness, steps, diverged = (arrays[name] for name in _COLUMNS)
    return RolloutResult(fitness, steps, diverged, measures=with_prefix(arrays, _MEASURE))


def with_prefix(arrays: Arrays, prefix: str) -> Arrays:
    """Return the arrays whose names begin so, by the rest of those."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}


def judged(lifetimes: RolloutResult, metric: str | None) -> RolloutResult:
    """Return lifetimes with a metric in the place of their fitness, if one is asked for."""
    if metric is None:
        return lifetimes
    fitness = np.where(lifetimes.diverged, WORST_FITNESS, lifetimes.measures[metric])
    return replace(lifetimes, fitness=fitness)


def check_metric(env: EnvConfig, metric: str | None) -> None:
    """Raise `InputError` for a metric that lifetimes are not measured by, besides their fitness."""
    known = env.measured_metrics
    if metric is not None and not known:
        raise InputError(f"{env.name} measures {env.quantity} alone; leave the metric out")
    if metric is not None and metric not in known:
        raise InputError(unknown("metric", metric, known))
