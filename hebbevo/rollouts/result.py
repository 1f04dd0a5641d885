"""Results of a rollout, one number per lifetime."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.rollouts.observations import ObservationMoments

WORST_FITNESS: Final = -1e9
"""Stands for the fitness of a lifetime that diverged, which has none: whoever compares or adds asks `diverged`."""
LARGEST_FITNESS: Final = 1e300
"""Sums of rewards beyond this, up or down, have diverged: means of them would leave the finite numbers."""


@dataclass(frozen=True)
class RolloutResult:
    """Results of the lifetimes of a rollout, in their order.

    Attributes:
        fitness: sum of rewards, float64 ``(lifetimes,)``; `WORST_FITNESS` where diverged.
        steps: length of each lifetime, int64 ``(lifetimes,)``.
        diverged: bool ``(lifetimes,)``.
        moments: of the observations of each lifetime; None where they are not normalised.
        measures: what the environment measured besides, float64 ``(lifetimes,)`` by name.
    """

    fitness: npt.NDArray[np.float64]
    steps: npt.NDArray[np.int64]
    diverged: npt.NDArray[np.bool_]
    moments: ObservationMoments | None = None
    measures: Mapping[str, npt.NDArray[np.float64]] = field(default_factory=dict)

    @property
    def known_fitness(self) -> npt.NDArray[np.float64]:
        """The fitness of every lifetime, NaN where it diverged, ``(lifetimes,)``."""
        return np.where(self.diverged, np.nan, self.fitness)

    @classmethod
    def join(cls, parts: Iterable[RolloutResult]) -> RolloutResult:
        """Return the lifetimes of all parts, one after another; at least one part."""
        known = list(parts)
        return cls(
            np.concatenate([part.fitness for part in known]),
            np.concatenate([part.steps for part in known]),
            np.concatenate([part.diverged for part in known]),
            ObservationMoments.join(part.moments for part in known),
            {name: np.concatenate([part.measures[name] for part in known]) for name in known[0].measures},
        )
