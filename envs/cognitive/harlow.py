"""Harlow's task (1949): of two objects never seen before, one hides food, and it does so for six trials.

Each trial shows the two objects, side by side in a random order, and the network picks a side: 1 for the right
object, -1 for the other. After `trials_per_pair` trials two new objects come. An object is a pattern of `features`
numbers, +1 or -1, drawn anew; the observation is the left pattern, then the right one.

- Chance is 0.
- A fixed map from the observation gets 0 as well: the patterns are drawn independently of which one is right.
- The oracle, a learner that guesses the first trial of a pair and then knows: 0 + (trials_per_pair - 1) for each
  pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import LearningTask, LearningTaskConfig, compiled

if TYPE_CHECKING:
    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles


class HarlowConfig(LearningTaskConfig):
    """Pairs of new objects; which of the two is right has to be learnt in one trial, again and again."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.harlow:Harlow"

    name: Literal["harlow"] = "harlow"
    trials_per_pair: int = Field(default=6, ge=1, le=1000, description="trials with the same two objects")
    features: int = Field(default=8, ge=1, le=30, description="numbers that make an object")

    @property
    @override
    def whole_lifetime(self) -> int:
        return 20 * self.trials_per_pair

    @property
    @override
    def trial_count(self) -> int:
        return self.steps

    @property
    @override
    def observation_size(self) -> int:
        return 2 * self.features

    @property
    @override
    def oracle(self) -> float:
        return float(self.steps - self.pairs)

    @property
    @override
    def chance(self) -> float:
        return 0.0

    @property
    def pairs(self) -> int:
        """Pairs of a lifetime, the last one perhaps cut short."""
        return -(-self.steps // self.trials_per_pair)


class Harlow(LearningTask):
    """Harlow's task for a batch of lifetimes; a phase is a pair of objects.

    Attributes:
        objects: bits of the right object and of the other one of each pair, int64 ``(batch_size, pairs, 2)``.
        sides: 1 where the right object lies on the right, int64 ``(batch_size, trials)``.
    """

    def __init__(self, config: HarlowConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._config = config
        self.objects: Integers = np.zeros((batch_size, config.pairs, 2), np.int64)
        self.sides: Integers = np.zeros((batch_size, config.steps), np.int64)

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: two numbers per pair for its objects, then one per trial for the side."""
        import numpy as np

        from hebbevo.envs.cognitive.draws import uniforms
        from hebbevo.envs.cognitive.schedules import pick

        count, pairs, patterns = len(seeds), self._config.pairs, 1 << self._config.features
        drawn = uniforms(seeds, 2 * pairs + self._config.steps)
        right = pick(drawn[:, :pairs], patterns)
        distance = 1 + pick(drawn[:, pairs : 2 * pairs], patterns - 1)  # to another pattern
        self.objects[:count] = np.stack([right, (right + distance) % patterns], axis=2)
        self.sides[:count] = pick(drawn[:, 2 * pairs :], 2)

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        compiled(_answer_and_show)(
            rows,
            first,
            self._config.trials_per_pair,
            self._choice,
            self.objects,
            self.sides,
            self._step,
            self.trial,
            self.phase,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )


def _answer_and_show(
    rows: Integers,
    first: bool,
    trials_per_pair: int,
    choice: Integers,
    objects: Integers,
    sides: Integers,
    steps: Integers,
    trial: Integers,
    phase: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Score the side that each row picked, unless it is the first call, and show the next pair."""
    features = observations.shape[1] // 2
    for row in rows:
        if not first:
            step = steps[row]
            right = choice[row] == sides[row, step]
            rewards[row] = 1.0 if right else -1.0
            trial[row], phase[row], optimal[row] = step, step // trials_per_pair, right
            steps[row] = step + 1
            if step + 1 == sides.shape[1]:
                terminated[row] = True
                continue
        step = steps[row]
        for side in range(2):
            pattern = objects[row, step // trials_per_pair, 0 if side == sides[row, step] else 1]
            for i in range(features):
                observations[row, side * features + i] = 1.0 if pattern >> i & 1 else -1.0
