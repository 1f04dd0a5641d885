"""The results of lifetimes as the arrays of a case's file, and back, bit for bit."""

from __future__ import annotations

from hebbevo.io.tensors import Arrays
from hebbevo.rollouts.result import RolloutResult

_COLUMNS = ("fitness", "steps", "diverged")


def pack_lifetimes(lifetimes: RolloutResult) -> Arrays:
    """Return the columns of lifetimes; moments of observations, which no study has, are left out."""
    return {name: getattr(lifetimes, name) for name in _COLUMNS}


def unpack_lifetimes(arrays: Arrays) -> RolloutResult:
    """Return the lifetimes of such columns."""
    fitness, steps, diverged = (arrays[name] for name in _COLUMNS)
    return RolloutResult(fitness, steps, diverged)
