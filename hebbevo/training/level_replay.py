"""Prioritized level replay (Jiang, Grefenstette & Rocktäschel 2021): practise where lives go worst.

Most tracks teach a good driver nothing. A run keeps the tracks with the lowest scores, at most twice as many as a
generation has individuals or pairs with seeds of their own, and a share of every generation drives tracks drawn from
them, each from other weights at birth. A track's score is the mean fitness of those who drove it; when it is driven
again, the mean of the old score and the new one, so that a track which the runs have learnt gives way to a harder one.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.config.training import TrainingConfig
from hebbevo.evaluation.fitness import GROUP_SIZE, training_seed
from hebbevo.seeding import SeedPurpose, level_seed, lifetime_seed

_TRACKS, _SCORES = "level_replay.tracks", "level_replay.scores"


class LevelReplay:
    """The hardest tracks of a run so far.

    Attributes:
        tracks: int64 ``(n,)``, hardest first, in [0, 2**32).
        scores: float64 ``(n,)``, ascending.
    """

    def __init__(self, training: TrainingConfig, population: int, run_seed: int) -> None:
        self._size = GROUP_SIZE[training.lifetime_seeds]
        self._groups = -(-population // self._size)
        self._share = training.level_replay
        self._run_seed = run_seed
        self.tracks: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.scores: npt.NDArray[np.float64] = np.zeros(0)

    def chosen(self, number: int) -> npt.NDArray[np.int64]:
        """Draw the tracks that the first groups of a generation drive: different ones, int64 ``(k,)``."""
        count = min(round(self._share * self._groups), len(self.tracks))
        generator = np.random.default_rng(lifetime_seed(self._run_seed, SeedPurpose.LEVEL_REPLAY, number))
        return generator.choice(self.tracks, count, replace=False)

    def record(self, number: int, replayed: npt.NDArray[np.int64], fitness: npt.NDArray[np.float64]) -> None:
        """Take the scores of a generation in.

        Args:
            number: of the generation.
            replayed: what was `chosen` for it.
            fitness: of its individuals, float64 ``(population,)``.
        """
        if not self._share:
            return
        new = range(len(replayed), self._groups)
        own = [level_seed(training_seed(self._run_seed, number, group)) for group in new]
        scores = [
            float(fitness[start : start + self._size].mean()) for start in range(0, len(fitness), self._size)
        ]
        known = dict(zip(self.tracks.tolist(), self.scores.tolist(), strict=True))
        for track, score in zip([*replayed.tolist(), *own], scores, strict=True):
            known[track] = (known[track] + score) / 2 if track in known else score
        hardest = sorted(known, key=lambda track: (known[track], track))[: 2 * self._groups]
        self.tracks = np.array(hardest, np.int64)
        self.scores = np.array([known[track] for track in hardest])

    def state_dict(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays of a checkpoint; none where nothing is replayed."""
        return {_TRACKS: self.tracks, _SCORES: self.scores} if self._share else {}

    def load_state_dict(self, tensors: Mapping[str, npt.NDArray[Any]]) -> dict[str, npt.NDArray[Any]]:
        """Take one's own arrays out of those of a checkpoint, and return the others."""
        if self._share:
            self.tracks, self.scores = tensors[_TRACKS], tensors[_SCORES]
        return {name: tensor for name, tensor in tensors.items() if name not in (_TRACKS, _SCORES)}
