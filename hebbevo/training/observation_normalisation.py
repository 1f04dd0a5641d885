"""Observation normalisation as a component of a run: moments of all training lifetimes, frozen for a generation.

The lifetimes of a generation are merged in their order, whatever they were spread over. Lifetimes that diverged are
left out. An observation that has never varied is passed on as it is: it is a constant input, not a measurement; and so
are those that the config names. It may also say that a share of the lifetimes is measured, or the first generations.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.config.schema import Config
from hebbevo.config.training import TrainingConfig
from hebbevo.evaluation.fitness import Fitness
from hebbevo.evaluation.generation_plan import GenerationPlan
from hebbevo.genomes.genome import Genome
from hebbevo.rollouts.observations import ObservationStatistics, merged
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.task import Task
from hebbevo.training.components import Arrays, RunComponent

VARIANCE_FLOOR: Final = 1e-2
"""Least variance of an observation that varies (Salimans et al. 2017)."""


class ObservationNormalisation(RunComponent):
    """The moments of all observations of a run so far.

    Attributes:
        steps: number of observations.
        mean: float64 ``(n,)``.
        squares: sums of squared distances from the mean, float64 ``(n,)``.
    """

    name = "observation"

    def __init__(
        self, training: TrainingConfig, run_seed: int, size: int, start: ObservationStatistics | None = None
    ) -> None:
        self._training, self._run_seed = training, run_seed
        self.steps, self.mean, self.squares = 0, np.zeros(size), np.zeros(size)
        if start is not None and start.steps:
            self.steps, self.mean = start.steps, np.array(start.mean)
            self.squares = np.square(start.std) * start.steps

    @classmethod
    def of(cls, config: Config, start: Genome | None) -> ObservationNormalisation | None:
        """Return the component of a run, with the statistics of the genome it starts from; None where it is off."""
        if not config.network.normalise_observations:
            return None
        size, training, seed = config.env.interface.observation_size, config.training, config.run.seed
        return cls(training, seed, size, None if start is None else start.task.observations)

    @property
    def statistics(self) -> ObservationStatistics:
        """What observations are normalised by, as of now."""
        varies = self.squares > 0
        varies[list(self._training.normalise_except)] = False
        variance = self.squares / max(self.steps, 1)
        std = np.where(varies, np.sqrt(np.maximum(variance, VARIANCE_FLOOR)), 1.0)
        return ObservationStatistics.of(np.where(varies, self.mean, 0.0), std, self.steps)

    @override
    def before_generation(self, number: int, plan: GenerationPlan) -> GenerationPlan:
        return replace(plan, observations=self.statistics)

    @override
    def after_results(self, number: int, plan: GenerationPlan, fitness: Fitness) -> None:
        until, moments = self._training.normalise_until, fitness.moments
        if until is not None and number >= until:
            return
        assert moments is not None
        finite = np.isfinite(moments.means).all(axis=1) & np.isfinite(moments.squares).all(axis=1)
        used = finite & ~fitness.diverged.ravel() & self._measured(number, len(moments.counts))
        rows = np.flatnonzero(used).tolist()
        self.steps, self.mean, self.squares = merged((self.steps, self.mean, self.squares), moments, rows)

    def _measured(self, number: int, lifetimes: int) -> npt.NDArray[np.bool_]:
        """Return which lifetimes of a generation are measured: a share, at least one, drawn by the run seed."""
        count = max(1, round(self._training.normalise_share * lifetimes))
        if count == lifetimes:
            return np.ones(lifetimes, np.bool_)
        generator = np.random.default_rng(lifetime_seed(self._run_seed, SeedPurpose.MEASURED, number))
        measured = np.zeros(lifetimes, np.bool_)
        measured[generator.choice(lifetimes, count, replace=False)] = True
        return measured

    @override
    def task_of_center(self, task: Task) -> Task:
        return replace(task, observations=self.statistics)

    @override
    def state(self) -> Arrays:
        return {"steps": np.array(self.steps, np.int64), "mean": self.mean, "squares": self.squares}

    @override
    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        self.steps = int(arrays["steps"])
        self.mean, self.squares = arrays["mean"], arrays["squares"]
