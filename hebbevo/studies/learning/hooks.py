"""Hooks of a study of learning: what is recorded, what is frozen, and what the network is told of its reward."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import LearningTask
from hebbevo.networks.effective_weights import EffectiveWeights
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.studies.learning.records import Steps

MOST_WATCHED: Final = 20_000
"""Weights that are looked at in each step, the first ones."""
MOST_KEPT: Final = 1000
"""Of those that change."""


class StepRecorder(Hook):
    """Records every step."""

    def __init__(self, lifetimes: int, steps: int) -> None:
        self.steps = Steps.empty(lifetimes, steps)

    @override
    def on_observation(self, batch: Batch) -> None:
        seen = batch.environment.observations[batch.active]
        self.steps.question[batch.active, batch.step] = seen.argmax(axis=1)

    @override
    def on_step(self, batch: Batch) -> None:
        world, rows, step = batch.environment, batch.active, batch.step
        assert isinstance(world, LearningTask)
        self.steps.choice[rows, step] = batch.actions[rows].argmax(axis=1)
        self.steps.rewards[rows, step] = world.rewards[rows]
        for name in ("trial", "phase", "optimal"):
            getattr(self.steps, name)[rows, step] = getattr(world, name)[rows]


class WeightRecorder(Hook):
    """Records the weights of the first lifetime before each step."""

    def __init__(self, weights: EffectiveWeights) -> None:
        self._weights = weights
        self._points: list[npt.NDArray[np.float32]] = []

    @override
    def on_observation(self, batch: Batch) -> None:
        if 0 in batch.active:
            layers = self._weights.of(batch.network, 0)
            self._points.append(np.concatenate([layer.ravel() for layer in layers])[:MOST_WATCHED])

    @property
    def weights(self) -> npt.NDArray[np.float32]:
        """Those that change, or all where none does, at most `MOST_KEPT` of them, ``(steps, synapses)``."""
        points = np.stack(self._points)
        changing = (points != points[0]).any(axis=0)
        return points[:, changing if changing.any() else slice(None)][:, :MOST_KEPT]


class FreezeFromTrial(Hook):
    """Keeps the states of all synapses from a trial on as they were at its beginning; each lifetime has its own."""

    def __init__(self, trial: int) -> None:
        self._trial = trial
        self._kept: dict[int, list[npt.NDArray[np.float32]]] = {}

    @override
    def on_observation(self, batch: Batch) -> None:
        if not self._kept:
            return
        states = _states(batch)
        for row in batch.active.tolist():
            for state, kept in zip(states, self._kept.get(row, ()), strict=False):
                state[row] = kept

    @override
    def on_step(self, batch: Batch) -> None:
        """Keep the states of those whose trial has begun: its first update has not been made yet."""
        assert isinstance(batch.environment, LearningTask)
        begun = batch.environment.trial[batch.active] >= self._trial
        new = [row for row in batch.active[begun].tolist() if row not in self._kept]
        if new:
            states = _states(batch)
            self._kept |= {row: [state[row].copy() for state in states] for row in new}


def _states(batch: Batch) -> list[npt.NDArray[np.float32]]:
    network = batch.network
    return [
        network.state(name, layer) for layer in range(1, network.layers + 1) for name in network.states(layer)
    ]


@dataclass(frozen=True)
class Feedback:
    """What lifetimes were told of their rewards.

    Attributes:
        rewards: ``(lifetimes, steps)``.
        inputs: the numbers of observations that tell what was right, ``(lifetimes, steps, numbers)``.
    """

    rewards: npt.NDArray[np.float64]
    inputs: npt.NDArray[np.float32]

    @classmethod
    def none(cls, lifetimes: int, steps: int, inputs: int) -> Feedback:
        """Return rewards of 0, and inputs of 0."""
        return cls(np.zeros((lifetimes, steps)), np.zeros((lifetimes, steps, inputs), np.float32))


class FeedbackRecorder(Hook):
    """Records what lifetimes are told of their rewards."""

    def __init__(self, lifetimes: int, steps: int, inputs: Sequence[int]) -> None:
        self._inputs = list(inputs)
        self.feedback = Feedback.none(lifetimes, steps, len(inputs))

    @override
    def on_observation(self, batch: Batch) -> None:
        seen = batch.environment.observations[batch.active][:, self._inputs]
        self.feedback.inputs[batch.active, batch.step] = seen

    @override
    def on_step(self, batch: Batch) -> None:
        self.feedback.rewards[batch.active, batch.step] = batch.environment.rewards[batch.active]


class Tell(Hook):
    """Tells the network other rewards than those that its world pays."""

    def __init__(self, feedback: Feedback, inputs: Sequence[int]) -> None:
        self._feedback, self._inputs = feedback, list(inputs)

    @override
    def on_observation(self, batch: Batch) -> None:
        rows, told = batch.active, self._feedback.inputs[batch.active, batch.step]
        for number, values in zip(self._inputs, told.T, strict=True):
            batch.environment.observations[rows, number] = values

    @override
    def on_step(self, batch: Batch) -> None:
        told = np.zeros(batch.environment.batch_size)
        told[batch.active] = self._feedback.rewards[batch.active, batch.step]
        batch.rewards = told
