"""Seasons: what is learnt in one season must outlive the other, in which something else is learnt.

After Ellefsen, Mouret & Clune 2015 (PLoS Comput Biol 11:e1004128) and its replications. Half of each season's foods
are poisonous, drawn for every lifetime. A lifetime has `years`, each with its `seasons`, each of `days`; a day
presents every food of the season once, in a random order. A food takes two steps: it is shown, and eaten (action 1)
or left (action 0), for 1 where that was right and -1 where not; then it is shown again together with what it would
have been to eat.

| observation | |
|---|---|
| season * foods + food | 1 for the food shown: every season has inputs of its own |
| seasons * foods | in the second step, 1 where the food nourishes |
| seasons * foods + 1 | in the second step, 1 where it is poisonous |

*Learning* is the score on the last day of a season, *retention* that on the first day of a season in a year after the
first.

- chance is 0.
- reactive: a fixed map from what is seen gets 0 as well: of each food it is equally likely that it is poisonous.
- oracle, a learner that remembers every food, and counts: on the first day of a season it bets on whatever is more
  frequent among the foods not yet seen. With a foods of one kind and b of the other left it is right with probability
  max(a, b) / (a + b): 2.83 of 4. Afterwards it knows: its retention is complete.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import NO_CHOICE, LearningTask, LearningTaskConfig, compiled

if TYPE_CHECKING:
    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles


class SeasonsConfig(LearningTaskConfig):
    """Foods that nourish or poison, in seasons that come again: learn the new without forgetting the old."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.seasons:Seasons"
    values_of_whole: ClassVar[bool] = True
    feedback_inputs: ClassVar[tuple[int, ...]] = (-2, -1)
    question_per_input: ClassVar[bool] = True

    name: Literal["seasons"] = "seasons"
    foods: int = Field(default=4, ge=2, le=100, description="of each season, half of them poisonous")
    seasons: int = Field(default=2, ge=1, le=100, description="of a year")
    years: int = Field(default=3, ge=1, le=1000, description="of a lifetime")
    days: int = Field(default=5, ge=1, le=1000, description="of a season")

    @property
    @override
    def whole_lifetime(self) -> int:
        return 2 * self.meals

    @property
    def meals(self) -> int:
        """Presentations of a food in a whole lifetime."""
        return self.years * self.seasons * self.days * self.foods

    @property
    @override
    def trial_count(self) -> int:
        return self.years * self.seasons * self.days

    @property
    @override
    def observation_size(self) -> int:
        return self.seasons * self.foods + 2

    @property
    @override
    def oracle(self) -> float:
        poisonous = self.foods // 2
        missed = self.foods - first_day(poisonous, self.foods - poisonous)
        return float(self.meals - 2 * self.seasons * missed)

    @property
    @override
    def chance(self) -> float:
        return 0.0


@functools.cache
def first_day(some: int, others: int) -> float:
    """Return how many foods are guessed right, in the mean, of whom so many of either kind are left."""
    if not some or not others:
        return float(some + others)
    share = some / (some + others)
    after = share * first_day(some - 1, others) + (1 - share) * first_day(some, others - 1)
    return max(share, 1 - share) + after


class Seasons(LearningTask):
    """The seasons for a batch of lifetimes; a trial is a day, and a phase a season of a year.

    Attributes:
        poisonous: 1 for foods that are, int64 ``(batch_size, seasons, foods)``.
        menu: food of each meal, int64 ``(batch_size, meals)``.
    """

    def __init__(self, config: SeasonsConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._config = config
        self.poisonous: Integers = np.zeros((batch_size, config.seasons, config.foods), np.int64)
        self.menu: Integers = np.zeros((batch_size, config.meals), np.int64)

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: a number per season and food, then one per meal; the ranks of a group's numbers are its order."""

        from hebbevo.envs.cognitive.draws import uniforms

        config, count, foods = self._config, len(seeds), self._config.foods
        drawn = uniforms(seeds, config.seasons * foods + config.meals).reshape(count, -1, foods)
        order = drawn.argsort(axis=2, kind="stable")
        self.poisonous[:count] = order[:, : config.seasons] < foods // 2
        self.menu[:count] = order[:, config.seasons :].reshape(count, -1)

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        compiled(_eat_and_show)(
            rows,
            first,
            self._config.days,
            self._choice,
            self.poisonous,
            self.menu,
            self._step,
            self.trial,
            self.phase,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )


def _eat_and_show(
    rows: Integers,
    first: bool,
    days: int,
    choice: Integers,
    poisonous: Integers,
    menu: Integers,
    steps: Integers,
    trial: Integers,
    phase: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Score what each row did with its food, unless it is the first call, and show the next step's."""
    seasons, foods = poisonous.shape[1], poisonous.shape[2]
    for row in rows:
        step = steps[row]
        if not first:
            meal = step // 2
            trial[row], phase[row], optimal[row] = meal // foods, meal // (foods * days), NO_CHOICE
            if step % 2 == 0:
                season = meal // (foods * days) % seasons
                right = choice[row] != poisonous[row, season, menu[row, meal]]
                rewards[row] = 1.0 if right else -1.0
                optimal[row] = right
            step += 1
            steps[row] = step
            if step == 2 * menu.shape[1]:
                terminated[row] = True
                continue
        meal = step // 2
        season, food = meal // (foods * days) % seasons, menu[row, meal]
        for i in range(observations.shape[1]):
            observations[row, i] = 0.0
        observations[row, season * foods + food] = 1.0
        if step % 2 == 1:
            observations[row, seasons * foods + poisonous[row, season, food]] = 1.0
