"""A hook that reads: what a network sees, is and does at some steps of its lifetimes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.tasks.task import Task

KINDS: Final = ("weights", "states", "activations", "observations", "actions", "rewards")
"""What can be recorded; `states` are those of synapses and neurons besides their weights."""

Arrays = dict[str, npt.NDArray[Any]]


class Recorder(Hook):
    """Records lifetimes at given steps; at steps that a lifetime does not reach, everything is NaN.

    Args:
        task: of the lifetimes.
        kinds: of `KINDS`.
        lifetimes: how many.
        at: steps t, ascending.
    """

    def __init__(self, task: Task, kinds: Sequence[str], lifetimes: int, at: Sequence[int]) -> None:
        self._lifetimes, self._point = lifetimes, {step: number for number, step in enumerate(at)}
        self._kinds, network = frozenset(kinds), task.network_spec
        self._projections = [projection.name for projection in network.projections]
        self._populations = [population.name for population in network.populations]
        self.arrays: Arrays = {}

    @override
    def on_observation(self, batch: Batch) -> None:
        """Record what time t begins with: observations as perturbed, states before the forward pass."""
        if batch.step not in self._point:
            return
        if "observations" in self._kinds:
            self._keep("observations", batch, batch.environment.observations)
        for layer, projection in enumerate(self._projections, start=1):
            for state in batch.network.states(layer):
                if ("weights" if state == "w" else "states") in self._kinds:
                    self._keep(f"{projection}.{state}", batch, batch.network.state(state, layer))

    @override
    def on_action(self, batch: Batch) -> None:
        """Record the forward pass of time t."""
        if batch.step not in self._point:
            return
        if "activations" in self._kinds:
            for number, population in enumerate(self._populations):
                self._keep(f"activations.{population}", batch, batch.network.activations(number))
        if "actions" in self._kinds:
            self._keep("actions", batch, batch.actions)

    @override
    def on_step(self, batch: Batch) -> None:
        """Record what came of it."""
        if batch.step in self._point and "rewards" in self._kinds:
            self._keep("rewards", batch, batch.environment.rewards)

    def _keep(self, name: str, batch: Batch, values: npt.NDArray[Any]) -> None:
        if name not in self.arrays:
            shape = (self._lifetimes, len(self._point), *values.shape[1:])
            kind = np.float64 if values.dtype == np.float64 else np.float32
            self.arrays[name] = np.full(shape, np.nan, kind)
        self.arrays[name][batch.active, self._point[batch.step]] = values[batch.active]
