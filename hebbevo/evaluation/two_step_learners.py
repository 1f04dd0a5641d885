"""Textbook learners of the two-step task, whose stay probabilities an evolved network's are compared with.

Both learn values by a delta rule, v + rate (reward - v), with a rate of 0.3, and choose with the softmax of 5 times
the values. The model-free one has values of first actions. The model-based one has values of what the second states
pay, and knows where the first actions lead; so a reward after a rare transition makes it change its first action.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.evaluation.stay import Trials
from hebbevo.seeding import Stream, stream

if TYPE_CHECKING:
    from hebbevo.envs.cognitive.two_step import TwoStepConfig

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]

RATE: Final = 0.3
STEEPNESS: Final = 5.0


class TwoStepLearner(ABC):
    """Learns first actions and, where states have arms to choose from, second ones, in many lifetimes at once.

    Attributes:
        first: values of first actions, ``(lifetimes, 2)``.
        second: values of the arms of both states, ``(lifetimes, 2, arms)``.
    """

    def __init__(self, config: TwoStepConfig, lifetimes: int) -> None:
        arms = 2 if config.schedule == "daw" else 1
        self.common = config.common
        self.first = np.full((lifetimes, 2), 0.5)
        self.second = np.full((lifetimes, 2, arms), 0.5)
        self._rows = np.arange(lifetimes)

    @abstractmethod
    def worth(self) -> Floats:
        """Return what first actions are chosen by, ``(lifetimes, 2)``."""

    def choose_first(self, uniforms: Floats) -> Integers:
        """Return first actions, ``(lifetimes,)``."""
        return _softmax_choice(self.worth(), uniforms)

    def choose_second(self, state: Integers, uniforms: Floats) -> Integers:
        """Return second actions in states 0 or 1, ``(lifetimes,)``."""
        values = self.second[self._rows, state]
        return _softmax_choice(np.broadcast_to(values, (len(values), 2)), uniforms)

    def learn(self, action: Integers, state: Integers, arm: Integers, rewards: Floats) -> None:
        """Take up the outcome of a trial."""
        arm = np.minimum(arm, self.second.shape[2] - 1)
        for values, place in ((self.first, (self._rows, action)), (self.second, (self._rows, state, arm))):
            values[place] += RATE * (rewards - values[place])


class ModelFree(TwoStepLearner):
    """What paid is done again."""

    @override
    def worth(self) -> Floats:
        return self.first


class ModelBased(TwoStepLearner):
    """What mostly leads to the better state is done."""

    @override
    def worth(self) -> Floats:
        best = self.second.max(axis=2)
        worth: Floats = self.common * best + (1 - self.common) * best[:, ::-1]
        return worth


LEARNERS: Final[Mapping[str, type[TwoStepLearner]]] = {"model_free": ModelFree, "model_based": ModelBased}


def play(kind: type[TwoStepLearner], config: TwoStepConfig, seeds: Sequence[int]) -> Trials:
    """Let a learner live the lifetimes of these seeds, whole trials of them."""
    lifetimes, count = len(seeds), min(config.trials, config.steps // 2)
    batch, learner, rows = config.build(lifetimes), kind(config, lifetimes), np.arange(lifetimes)
    batch.reset(seeds, config.morphology_names * lifetimes)
    uniforms = np.stack([stream(seed, Stream.ACTION).random(2 * count) for seed in seeds])
    trials = Trials.empty(lifetimes, count)
    for trial in range(count):
        first = learner.choose_first(uniforms[:, 2 * trial])
        batch.step(np.eye(2, dtype=np.float32)[first], rows)
        state = batch.observations.argmax(axis=1) - 1
        correct = batch.optimal == 1  # type: ignore[attr-defined]
        second = learner.choose_second(state, uniforms[:, 2 * trial + 1])
        batch.step(np.eye(2, dtype=np.float32)[second], rows)
        learner.learn(first, state, second, batch.rewards)
        for values, told in zip(
            vars(trials).values(), (first, batch.rewards > 0, state == first, correct), strict=True
        ):
            values[:, trial] = told
    return trials


def _softmax_choice(values: Floats, uniforms: Floats) -> Integers:
    chance = 1 / (1 + np.exp(-STEEPNESS * (values[:, 1] - values[:, 0])))
    return (uniforms < chance).astype(np.int64)
