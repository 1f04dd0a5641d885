"""Prioritized level replay (Jiang, Grefenstette & Rocktäschel 2021): practise the levels with the lowest fitness.

Most levels (CarRacing: tracks) teach a good policy nothing. A run keeps the levels with the lowest scores, at most
twice as many as a generation has individuals or pairs with seeds of their own, and a share of every generation plays
levels drawn from them, each from other initial weights. A level's score is the mean fitness of the individuals that
played it; when it is replayed, the mean of the old score and the new one, so that a level which has been learnt gives
way to a harder one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.config.training import TrainingConfig
from hebbevo.evaluation.fitness import GROUP_SIZE, training_seed
from hebbevo.seeding import SeedPurpose, level_seed, lifetime_seed

_LEVELS, _SCORES = "level_replay.tracks", "level_replay.scores"
"""Names in checkpoints; the first is older than levels that are not tracks."""


class LevelReplay:
    """The hardest levels of a run so far.

    Attributes:
        levels: int64 ``(n,)``, hardest first, in [0, 2**32).
        scores: float64 ``(n,)``, ascending.
    """

    def __init__(self, training: TrainingConfig, population: int, run_seed: int) -> None:
        self._size = GROUP_SIZE[training.lifetime_seeds]
        self._groups = -(-population // self._size)
        self._share = training.level_replay
        self._run_seed = run_seed
        self.levels: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.scores: npt.NDArray[np.float64] = np.zeros(0)

    def chosen(self, generation: int) -> npt.NDArray[np.int64]:
        """Draw the levels that the first groups of a generation replay: different ones, int64 ``(k,)``."""
        count = min(round(self._share * self._groups), len(self.levels))
        generator = np.random.default_rng(lifetime_seed(self._run_seed, SeedPurpose.LEVEL_REPLAY, generation))
        return generator.choice(self.levels, count, replace=False)

    def record(
        self, generation: int, replayed: npt.NDArray[np.int64], fitness: npt.NDArray[np.float64]
    ) -> None:
        """Update the levels with the fitness of a generation.

        Args:
            generation: its number, from 0.
            replayed: the levels that were `chosen` for it.
            fitness: of the individuals, float64 ``(population,)``.
        """
        if not self._share:
            return
        new = range(len(replayed), self._groups)
        own = [level_seed(training_seed(self._run_seed, generation, group)) for group in new]
        scores = [
            float(fitness[start : start + self._size].mean()) for start in range(0, len(fitness), self._size)
        ]
        known = dict(zip(self.levels.tolist(), self.scores.tolist(), strict=True))
        for level, score in zip([*replayed.tolist(), *own], scores, strict=True):
            known[level] = (known[level] + score) / 2 if level in known else score
        hardest = sorted(known, key=lambda level: (known[level], level))[: 2 * self._groups]
        self.levels = np.array(hardest, np.int64)
        self.scores = np.array([known[level] for level in hardest])

    def state_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of a checkpoint; none where nothing is replayed."""
        return {_LEVELS: self.levels, _SCORES: self.scores} if self._share else {}

    def load_state_dict(self, tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Load the arrays of this class out of those of a checkpoint, and return the others."""
        if self._share:
            self.levels, self.scores = tensors[_LEVELS], tensors[_SCORES]
        return {name: tensor for name, tensor in tensors.items() if name not in (_LEVELS, _SCORES)}
