"""The fitness of genomes as a function of an array: for any optimiser that asks and tells."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from hebbevo.config.loading import as_config
from hebbevo.config.overrides import Overrides
from hebbevo.config.schema import Config
from hebbevo.errors import InputError
from hebbevo.evaluation.fitness import evaluate_generation
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.search import MatrixProposals
from hebbevo.tasks.task import Task


class FitnessFunction:
    """The fitness that a run's searcher is told, of any genomes: higher is better.

    The n-th call is generation n of a run with this `run.seed`: fresh lifetimes each time, the same whenever the
    program runs again, on any number of threads or workers. `training.penalty`, `lifetimes` and `lifetime_seeds` count.

    Args:
        config: a preset, a YAML file or a mapping, as for `load_config`; or what that has returned.
        overrides: of the config, as for `load_config`.
        execution: where the lifetimes run; changes no result.
        generation: number of the first call.

    Attributes:
        task: environment, network and rule, and the layout of a genome.
        dimension: numbers in a genome.
        first_center: a genome to start from, as a run draws it, float32 ``(dimension,)``.

    Raises:
        InputError: what only a run can do (observations are normalised, levels come again, rules merge), or the task
            cannot be built.
    """

    def __init__(
        self,
        config: Config | str | Path | Mapping[str, Any],
        overrides: Overrides = (),
        *,
        execution: Execution | None = None,
        generation: int = 0,
    ) -> None:
        self._config = as_config(config, overrides)
        _check_needs_no_run(self._config)
        self.task, self.run_seed = Task.of(self._config), self._config.run.seed
        self.dimension = self.task.layout.size
        self.first_center = self.task.first_center(self.run_seed)
        self._generation, self._closed, self._resources = generation, False, ExitStack()
        resolved = (execution or Execution()).resolve(self.task)
        self._batch_size = resolved.batch_size
        self._executor = self._resources.enter_context(executor_for(resolved))

    def __call__(self, genomes: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Run the lifetimes of one generation.

        Args:
            genomes: ``(n, dimension)``; or one, ``(dimension,)``.

        Returns:
            float64 ``(n,)``; of one, ``()``.

        Raises:
            InputError: another shape, NaN or infinity.
        """
        values = np.asarray(genomes, np.float32)
        if values.ndim not in (1, 2) or values.shape[-1] != self.dimension or not len(values):
            raise InputError(f"genomes must have shape (n, {self.dimension}), got {values.shape}")
        if not np.isfinite(values).all():
            raise InputError("genomes must be finite, got NaN or infinity")
        return self.fitness(np.atleast_2d(values)).reshape(values.shape[:-1])

    def first_genome(self, generator: np.random.Generator) -> npt.NDArray[np.float32]:
        """Draw a genome from the initial distributions."""
        return self.task.first_genome(generator)

    def fitness(self, genomes: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Return the fitness of genomes ``(n, dimension)``, whose shape nobody checks.

        Raises:
            InputError: the function is closed.
        """
        if self._closed:
            raise InputError("the problem is closed; make another")
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
            over_bodies=config.training.over_bodies,
        )
        self._generation += 1
        return fitness.penalised(config.training.penalty)

    def close(self) -> None:
        """Give back the threads or workers."""
        self._closed = True
        self._resources.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"FitnessFunction({self.task.summary}, {self.dimension:,} numbers)"


def _check_needs_no_run(config: Config) -> None:
    """Raise `InputError` for settings that depend on the generations before."""
    training = config.training
    for key, is_on in (
        ("network.normalise_observations", config.network.normalise_observations),
        ("training.level_replay", training.level_replay > 0),
        ("training.merge_to", training.merge_to is not None),
    ):
        if is_on:
            raise InputError(
                f"{key} needs a run, in which generations follow from each other; leave it out, or use evolve"
            )
