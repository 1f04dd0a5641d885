"""What a run carries along besides its search: state that belongs to the run and not to a lifetime.

A component says what it sends out with a generation, how it takes up the results, and which arrays of a checkpoint
are its state. Results come in the order of the lifetimes, so that no component sees workers or batches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy.typing as npt

from hebbevo.evaluation.fitness import Fitness
from hebbevo.evaluation.generation_plan import PLAIN, GenerationPlan
from hebbevo.tasks.task import Task

Arrays = dict[str, npt.NDArray[Any]]


class RunComponent(ABC):
    """One thing that a run carries along.

    Attributes:
        name: of the component; in checkpoints its arrays are ``NAME.ARRAY``.
    """

    name: ClassVar[str]

    @abstractmethod
    def state(self) -> Arrays:
        """Return the arrays of a checkpoint, by name."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
        """Go on from the arrays that `state` returned."""

    @abstractmethod
    def before_generation(self, number: int, plan: GenerationPlan) -> GenerationPlan:
        """Return the plan of generation 0, 1, ... with what this component adds to it."""

    @abstractmethod
    def after_results(self, number: int, plan: GenerationPlan, fitness: Fitness) -> None:
        """Take up the results of a generation, whose rows are in the order of the individuals."""

    def task_of_center(self, task: Task) -> Task:
        """Return the task of the center's lifetimes and genome files, as of now."""
        return task


class RunComponents:
    """The components of a run, in a fixed order."""

    def __init__(self, components: Iterable[RunComponent]) -> None:
        self._components = {component.name: component for component in components}

    def plan(self, number: int) -> GenerationPlan:
        """Return the plan of a generation, to which every component has added."""
        plan = PLAIN
        for component in self._components.values():
            plan = component.before_generation(number, plan)
        return plan

    def after_results(self, number: int, plan: GenerationPlan, fitness: Fitness) -> None:
        """Let every component take up the results of a generation."""
        for component in self._components.values():
            component.after_results(number, plan, fitness)

    def task_of_center(self, task: Task) -> Task:
        """Return the task of the center's lifetimes and genome files, as of now."""
        for component in self._components.values():
            task = component.task_of_center(task)
        return task

    def state(self) -> Arrays:
        """Return the arrays of all components, as a checkpoint holds them."""
        return {
            f"{name}.{array}": values
            for name, component in self._components.items()
            for array, values in component.state().items()
        }

    def restore(self, tensors: Mapping[str, npt.NDArray[Any]]) -> Arrays:
        """Restore every component from the arrays of a checkpoint; return those of the searcher."""
        rest = dict(tensors)
        for name, component in self._components.items():
            prefix = f"{name}."
            found = [key for key in rest if key.startswith(prefix)]
            component.restore({key.removeprefix(prefix): rest.pop(key) for key in found})
        return rest
