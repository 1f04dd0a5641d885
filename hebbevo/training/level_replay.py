"""Prioritized level replay (Jiang, Grefenstette & Rocktäschel 2021): practise the levels with the lowest fitness.

Most levels (CarRacing: tracks) teach a good policy nothing. A run keeps the levels with the lowest scores, at most
twice as many as a generation has lifetimes of individuals or pairs with seeds of their own, and a share of every
generation plays levels drawn from them, each from other initial weights. A level's score is the mean fitness of the
individuals that played it; when it is replayed, the mean of the old score and the new one, so that a level which has
been learnt gives way to a harder one. Of several lifetimes the first ones replay, so that every individual has as many.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.config.schema import Config
from hebbevo.config.training import TrainingConfig
from hebbevo.evaluation.divergence import mean_of_rest
from hebbevo.evaluation.fitness import GROUP_SIZE, Fitness, training_seeds
from hebbevo.evaluation.generation_plan import GenerationPlan
from hebbevo.genomes.genome import Genome
from hebbevo.seeding import SeedPurpose, level_seed, lifetime_seed
from hebbevo.training.components import Arrays, RunComponent

_LEVELS, _SCORES = "tracks", "scores"
"""Names of arrays; the first is older than levels that are not tracks."""


class LevelReplay(RunComponent):
    """The hardest levels of a run so far.

    Attributes:
        levels: int64 ``(n,)``, hardest first, in [0, 2**32).
        scores: float64 ``(n,)``, ascending.
    """

    name = "level_replay"

    def __init__(self, training: TrainingConfig, population: int, run_seed: int) -> None:
        self._size = GROUP_SIZE[training.lifetime_seeds]
        groups = -(-population // self._size)
        self._slots = [(group, lifetime) for lifetime in range(training.lifetimes) for group in range(groups)]
        self._share = training.level_replay
        self._run_seed = run_seed
        self.levels: npt.NDArray[np.int64] = np.zeros(0, np.int64)
        self.scores: npt.NDArray[np.float64] = np.zeros(0)

    @classmethod
    def of(cls, config: Config, start: Genome | None) -> LevelReplay | None:
        """Return the component of a run; None where it replays nothing."""
        if not config.training.level_replay:
            return None
        return cls(config.training, config.search.population, config.run.seed)

    @override
    def before_generation(self, number: int, plan: GenerationPlan) -> GenerationPlan:
        """Draw the levels that the first slots of a generation replay, each another one."""
        count = min(round(self._share * len(self._slots)), len(self.levels))
        generator = np.random.default_rng(lifetime_seed(self._run_seed, SeedPurpose.LEVEL_REPLAY, number))
        drawn = generator.choice(self.levels, count, replace=False).tolist()
        return replace(plan, replayed=dict(zip(self._slots, drawn, strict=False)))

    @override
    def after_results(self, number: int, plan: GenerationPlan, fitness: Fitness) -> None:
        """Update the levels and their scores."""
        self.record(number, plan.replayed, mean_of_rest(fitness.per_lifetime, fitness.diverged, axis=2))

    def record(
        self, number: int, replayed: Mapping[tuple[int, int], int], fitness: npt.NDArray[np.float64]
    ) -> None:
        """Update the levels with the fitness of a generation.

        Args:
            number: of the generation, from 0.
            replayed: the levels that were drawn for it, by (group, lifetime).
            fitness: of the individuals, float64 ``(population, lifetimes)``; NaN where the lifetime diverged, which
                says nothing about the level.
        """
        known = dict(zip(self.levels.tolist(), self.scores.tolist(), strict=True))
        own = training_seeds(
            self._run_seed, number, [(group, lifetime, 0) for group, lifetime in self._slots]
        )
        for (group, lifetime), seed in zip(self._slots, own, strict=True):
            level = replayed.get((group, lifetime), level_seed(seed))
            played = fitness[group * self._size : (group + 1) * self._size, lifetime]
            finished = played[~np.isnan(played)]
            if not len(finished):
                continue
            score = float(finished.mean())
            known[level] = (known[level] + score) / 2 if level in known else score
        hardest = sorted(known, key=lambda level: (known[level], level))[: 2 * len(self._slots)]
        self.levels = np.array(hardest, np.int64)
        self.scores = np.array([known[level] for level in hardest])

    @override
    def state(self) -> Arrays:
        return {_LEVELS: self.levels, _SCORES: self.scores}

    @override
    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.levels, self.scores = arrays[_LEVELS], arrays[_SCORES]
