"""A task as an EvoTorch problem: any algorithm of that library, its lifetimes run by our executors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hebbevo.config.schema import Config
from hebbevo.execution.execution import Execution
from hebbevo.search.evotorch_config import evotorch_explained
from hebbevo.training.fitness_function import FitnessFunction

if TYPE_CHECKING:
    from hebbevo.search.evotorch_adapter import TaskProblem


def as_evotorch_problem(
    config: Config, *, execution: Execution | None = None, generation: int = 0
) -> TaskProblem:
    """Return the task of a config as a maximisation problem for any algorithm of EvoTorch.

    The fitness is that of a `FitnessFunction`: the n-th evaluation of a batch is its n-th call.

    Args:
        config: from `load_config`.
        execution: where the lifetimes run; changes no result.
        generation: number of the first evaluation, to go on where another problem stopped.

    Raises:
        InputError, SearchError: what only a run can do (as for `FitnessFunction`), the task cannot be built, no
            workers, or EvoTorch is missing.
    """
    with evotorch_explained("as_evotorch_problem"):
        from hebbevo.search.evotorch_adapter import TaskProblem
    lifetimes = FitnessFunction(config, execution=execution, generation=generation)
    try:
        return TaskProblem(lifetimes)
    except BaseException:
        lifetimes.close()
        raise
