"""A task as an EvoTorch problem: any algorithm of that library, its lifetimes run by our executors."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hebbevo.config.schema import Config
from hebbevo.errors import InputError
from hebbevo.evaluation.fitness import evaluate_generation
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.search import MatrixProposals
from hebbevo.search.evotorch_config import evotorch_explained
from hebbevo.tasks.task import Task

if TYPE_CHECKING:
    from hebbevo.search.evotorch_adapter import TaskProblem


def as_evotorch_problem(
    config: Config, *, execution: Execution | None = None, generation: int = 0
) -> TaskProblem:
    """Return the task of a config as a maximisation problem for any algorithm of EvoTorch.

    The fitness is what a run's searcher is told, less `training.penalty` times the mean squared coefficient: the n-th
    evaluation of a batch is generation n of a run with this `run.seed`. So it depends on the seed and on the number
    of evaluations before, not on threads or workers. Of `training`, `penalty`, `lifetimes` and
    `lifetime_seeds` count.

    Args:
        config: from `load_config`.
        execution: where the lifetimes run; changes no result.
        generation: number of the first evaluation, to go on where another problem stopped.

    Raises:
        InputError, SearchError: observations are normalised, the task cannot be built, no workers, or
            EvoTorch is missing.
    """
    if config.network.normalise_observations:
        raise InputError(
            "network.normalise_observations needs a run, which measures observations; leave it out of the problem"
        )
    with evotorch_explained("as_evotorch_problem"):
        from hebbevo.search.evotorch_adapter import TaskProblem
    lifetimes = _Lifetimes(config, execution or Execution(), generation)
    try:
        return TaskProblem(lifetimes)
    except BaseException:
        lifetimes.close()
        raise


class _Lifetimes:
    """The task of a problem: an `Evaluator` of `hebbevo.search.evotorch_adapter`."""

    def __init__(self, config: Config, execution: Execution, generation: int) -> None:
        self._config, self._task = config, Task.of(config)
        self._generation = generation
        self._resources = ExitStack()
        self._closed = False
        self.dimension, self.run_seed = self._task.layout.size, config.run.seed
        self.first_center = self._task.first_center(config.run.seed)
        resolved = execution.resolve(self._task)
        self._batch_size = resolved.batch_size
        self._executor = self._resources.enter_context(executor_for(resolved))

    def first_genome(self, generator: np.random.Generator) -> npt.NDArray[np.float32]:
        """Draw a genome from the initial distributions."""
        return self._task.first_genome(generator)

    def fitness(self, genomes: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Run the lifetimes of one generation."""
        if self._closed:
            raise InputError("the problem is closed; make another with as_evotorch_problem")
        config = self._config
        fitness = evaluate_generation(
            self._executor,
            MatrixProposals(genomes),
            run_seed=config.run.seed,
            number=self._generation,
            morphologies=config.env.morphology_names,
            lifetime_seeds=config.training.lifetime_seeds,
            batch_size=self._batch_size,
            lifetimes=config.training.lifetimes,
        )
        self._generation += 1
        return fitness.penalised(config.training.penalty)

    def close(self) -> None:
        """Give back the executor."""
        self._closed = True
        self._resources.close()
