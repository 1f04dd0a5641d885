"""Observation normalisation as a component of a run: moments of all training lifetimes, frozen for a generation.

The lifetimes of a generation are merged in their order, whatever they were spread over. Lifetimes that diverged are
left out. An observation that has never varied is passed on as it is: it is a constant input, not a measurement.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.config.schema import Config
from hebbevo.evaluation.fitness import Fitness
from hebbevo.evaluation.generation_plan import GenerationPlan
from hebbevo.genomes.genome import Genome
from hebbevo.rollouts.observations import ObservationStatistics, merged
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

    def __init__(self, size: int, start: ObservationStatistics | None = None) -> None:
        self.steps, self.mean, self.squares = 0, np.zeros(size), np.zeros(size)
        if start is not None and start.steps:
            self.steps, self.mean = start.steps, np.array(start.mean)
            self.squares = np.square(start.std) * start.steps

    @classmethod
    def of(cls, config: Config, start: Genome | None) -> ObservationNormalisation | None:
        """Return the component of a run, with the statistics of the genome it starts from; None where it is off."""
        if not config.network.normalise_observations:
            return None
        return cls(config.env.interface.observation_size, None if start is None else start.task.observations)

    @property
    def statistics(self) -> ObservationStatistics:
        """What observations are normalised by, as of now."""
        varies = self.squares > 0
        variance = self.squares / max(self.steps, 1)
        std = np.where(varies, np.sqrt(np.maximum(variance, VARIANCE_FLOOR)), 1.0)
        return ObservationStatistics.of(np.where(varies, self.mean, 0.0), std, self.steps)

    @override
    def before_generation(self, number: int, plan: GenerationPlan) -> GenerationPlan:
        return replace(plan, observations=self.statistics)

    @override
    def after_results(self, number: int, plan: GenerationPlan, fitness: Fitness) -> None:
        moments = fitness.moments
        assert moments is not None
        finite = np.isfinite(moments.means).all(axis=1) & np.isfinite(moments.squares).all(axis=1)
        rows = np.flatnonzero(finite & ~fitness.diverged.ravel()).tolist()
        self.steps, self.mean, self.squares = merged((self.steps, self.mean, self.squares), moments, rows)

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
