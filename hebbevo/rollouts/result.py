"""Results of a rollout, one number per lifetime."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

WORST_FITNESS: Final = -1e9
"""Fitness of a lifetime whose simulation or network diverged."""


@dataclass(frozen=True)
class RolloutResult:
    """Results of the lifetimes of a rollout, in their order.

    Attributes:
        fitness: sum of rewards, float64 ``(lifetimes,)``; `WORST_FITNESS` where diverged.
        steps: length of each lifetime, int64 ``(lifetimes,)``.
        diverged: bool ``(lifetimes,)``.
    """

    fitness: npt.NDArray[np.float64]
    steps: npt.NDArray[np.int64]
    diverged: npt.NDArray[np.bool_]
