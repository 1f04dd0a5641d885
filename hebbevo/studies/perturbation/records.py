"""Data of a study of perturbations: what is recorded of lifetimes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.rollouts.result import RolloutResult
from hebbevo.studies.lifetimes import judged

Singles = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float64]

EVOLVED, RANDOM = "evolved", "random"
"""Rules whose weights are followed: the genome's, or one per lifetime that never evolved."""

SNAPSHOT_EVERY: Final = 5
"""Steps between two points of a trajectory."""


@dataclass(frozen=True)
class WeightTrajectory:
    """The weights of one lifetime.

    Attributes:
        weights: of all layers at every `SNAPSHOT_EVERY`-th step, float32 ``(points, synapses)``.
        change: root mean square over synapses of w(t + 1) - w(t), ``(steps - 1,)``.
        size: root mean square of w(t), ``(steps - 1,)``.
        turn: angle between w(t) and w(t + 1) as vectors, radians, ``(steps - 1,)``.
        finite: no weight overflowed; behind a bounded `weight:` a lifetime goes on, and is recorded up to there.
    """

    weights: Singles
    change: Floats
    size: Floats
    turn: Floats
    finite: bool = True


@dataclass(frozen=True)
class Record:
    """Lifetimes of a genome under a protocol on a body.

    Attributes:
        lifetimes: their results.
        progress: reward of every step, ``(lifetimes, steps)``; 0 after the end.
        images: weights per layer of the first lifetime, ``(n_out, n_in)`` each, by step.
        trajectories: of every lifetime, where they are followed.
        measured: how far each of the world's measures moved in every step, ``(lifetimes, steps)``, by name.
    """

    lifetimes: RolloutResult
    progress: Floats
    images: dict[int, tuple[Singles, ...]] = field(default_factory=dict)
    trajectories: tuple[WeightTrajectory, ...] = ()
    measured: Mapping[str, Floats] = field(default_factory=dict)

    @classmethod
    def join(cls, parts: Sequence[Record]) -> Record:
        """Return the lifetimes of all parts, one after another."""
        return cls(
            RolloutResult.join(part.lifetimes for part in parts),
            np.concatenate([part.progress for part in parts]),
            parts[0].images,
            tuple(trajectory for part in parts for trajectory in part.trajectories),
            {name: np.concatenate([part.measured[name] for part in parts]) for name in parts[0].measured},
        )

    def judged(self, metric: str | None) -> Record:
        """Return the record with a metric in the place of the fitness, if one is asked for."""
        if metric is None:
            return self
        return replace(self, lifetimes=judged(self.lifetimes, metric), progress=self.measured[metric])

    @property
    def finished_trajectories(self) -> tuple[WeightTrajectory, ...]:
        """Those of lifetimes that did not diverge, and whose weights stayed finite."""
        both = zip(self.trajectories, self.lifetimes.diverged, strict=True)
        return tuple(trajectory for trajectory, diverged in both if trajectory.finite and not diverged)


@dataclass(frozen=True)
class Recorded:
    """All lifetimes of a study.

    Attributes:
        records: by genome, body and protocol.
        trajectories: by genome and rule (`EVOLVED`, `RANDOM`), `finished_trajectories`; static genomes have none.
    """

    records: Mapping[tuple[str, str, str], Record]
    trajectories: Mapping[tuple[str, str], tuple[WeightTrajectory, ...]]
