"""Boolean: which function of two stimuli is asked for has to be found out, and two functions are kept for the test.

Miconi 2021, arXiv 2112.08588. A trial shows two stimuli one after the other, each +1 or -1, and asks for one bit of
them. Each lifetime has one function, out of the 14 of two bits that are not constant, written out from their truth
tables (the public code has `nor` and `anti10` otherwise). `dms`, whether the two match, and its negation `dnms` are
held out:

| `tasks` | |
|---|---|
| `train` | in each lifetime one of the other 12 |
| `test` | in each lifetime `dms` or `dnms` |
| a function | that one: `and`, `or`, `nand`, `nor`, `first`, `second`, ... |

The steps of a trial, by `timing`:

| | stimulus 1 | gap | stimulus 2 | gap | response | pause | feedback | blank |
|---|---|---|---|---|---|---|---|---|
| `short` | 1 | 0 | 1 | 0 | 1 | 0 | 1 | 0 |
| `published` | 8 | 2 | 8 | 7 | 10 | 1 | 10 | 4 |

| observation | |
|---|---|
| 0, 1 | the stimulus and its negative; 0 where there is none |
| 2 | 1 while a response is asked for, which the published network has to time by itself |
| 3, 4 | in the feedback, the response given, one-hot |
| 5 | in the feedback, 1 for right and -1 for wrong; the published network sees its error |

The response is the larger of the two actions' sums over the response's steps, and pays 1 or -1 in the last one.

- chance is 0.
- reactive: while a response is asked for, the same is seen in all trials, so that a fixed map gives one constant
  answer. That is right in 3 of 4 trials of a function with one or three ones, half of the trials of the others; and
  with `train` and `test`, whose functions come in pairs of opposites, half of the trials. It would be more if it
  answered to the second stimulus, but no gap shows one with the response.
- oracle, a learner that guesses each of the four pairs of stimuli when it first comes and then knows: it misses
  nothing but half of the pairs seen, 4 (1 - (3/4)^trials), in the mean. (It takes the functions as unrelated: one who
  counts on the 12 being likelier than others does a little better.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final, Literal, Self

from pydantic import Field, field_validator
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import (
    NO_CHOICE,
    LearningTask,
    LearningTaskConfig,
    check_tasks,
    compiled,
)

if TYPE_CHECKING:
    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles

FUNCTIONS: Final = {
    # answers to (first, second) = (0, 0), (0, 1), (1, 0), (1, 1)
    "and": (0, 0, 0, 1),
    "first_not_second": (0, 0, 1, 0),
    "first": (0, 0, 1, 1),
    "second_not_first": (0, 1, 0, 0),
    "second": (0, 1, 0, 1),
    "dnms": (0, 1, 1, 0),
    "or": (0, 1, 1, 1),
    "nor": (1, 0, 0, 0),
    "dms": (1, 0, 0, 1),
    "not_second": (1, 0, 1, 0),
    "first_or_not_second": (1, 0, 1, 1),
    "not_first": (1, 1, 0, 0),
    "second_or_not_first": (1, 1, 0, 1),
    "nand": (1, 1, 1, 0),
}
"""Truth tables."""

HELD_OUT: Final = ("dms", "dnms")
SPLITS: Final = {
    "train": tuple(name for name in FUNCTIONS if name not in HELD_OUT),
    "test": HELD_OUT,
}
"""Functions that a lifetime draws its own from."""

TIMINGS: Final = {"short": (1, 0, 1, 0, 1, 0, 1, 0), "published": (8, 2, 8, 7, 10, 1, 10, 4)}
"""Steps of stimulus, gap, stimulus, gap, response, pause, feedback, blank."""


class BooleanConfig(LearningTaskConfig):
    """A bit of two stimuli, of a function that each lifetime has to find out; matching is held out."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.boolean:Boolean"
    values_of_whole: ClassVar[bool] = True
    feedback_inputs: ClassVar[tuple[int, ...]] = (-1,)

    name: Literal["boolean"] = "boolean"
    tasks: tuple[str, ...] = Field(default=("train",), description="functions, or splits of them")
    timing: Literal["short", "published"] = Field(default="short", description="steps of a trial: 4, or 50")
    trials: int = Field(default=40, ge=1, le=20_000, description="of a lifetime; 400 as published")

    @field_validator("tasks")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return checked_tasks(names)

    @property
    @override
    def morphology_names(self) -> tuple[str, ...]:
        return self.tasks

    @override
    def with_morphologies(self, names: Sequence[str]) -> Self:
        return self.model_copy(update={"tasks": checked_tasks(tuple(names))})

    @property
    @override
    def whole_lifetime(self) -> int:
        return self.trials * sum(TIMINGS[self.timing])

    @property
    @override
    def trial_count(self) -> int:
        return self.trials

    @property
    @override
    def observation_size(self) -> int:
        return 6

    @property
    @override
    def oracle(self) -> float:
        return self.trials - 4 * (1 - (3 / 4) ** self.trials)

    @property
    @override
    def chance(self) -> float:
        return 0.0

    @property
    @override
    def reactive(self) -> float:
        best = [0.0 if name in SPLITS else abs(sum(FUNCTIONS[name]) / 2 - 1) for name in self.tasks]
        return self.trials * sum(best) / len(best)


def checked_tasks(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of functions and splits, or raise `EnvError` where one is unknown or there twice, or none."""
    return check_tasks(names, (*SPLITS, *FUNCTIONS))


class Boolean(LearningTask):
    """The tasks of two bits for a batch of lifetimes; phases do not change.

    Attributes:
        truth: answers to the four pairs of stimuli, int64 ``(batch_size, 4)``.
        pairs: 2 * first + second of each trial, int64 ``(batch_size, trials)``.
    """

    def __init__(self, config: BooleanConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._config = config
        self._ends = np.cumsum(TIMINGS[config.timing])
        self.truth: Integers = np.zeros((batch_size, 4), np.int64)
        self.pairs: Integers = np.zeros((batch_size, config.trials), np.int64)
        self._sums: Floats = np.zeros(batch_size)  # of action 1 less action 0 over the response
        self._answer, self._right = np.zeros((2, batch_size), np.int64)

    @override
    def _check_names(self, morphologies: Sequence[str]) -> None:
        checked_tasks(tuple(set(morphologies)) or self._known)

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: one number for the function among those of the split, then one per trial for its stimuli."""

        from hebbevo.envs.cognitive.draws import uniforms
        from hebbevo.envs.cognitive.schedules import pick

        count = len(seeds)
        drawn = uniforms(seeds, 1 + self._config.trials)
        for row, name in enumerate(morphologies):
            choices = SPLITS.get(name, (name,))
            self.truth[row] = FUNCTIONS[choices[int(drawn[row, 0] * len(choices))]]
        self.pairs[:count] = pick(drawn[:, 1:], 4)
        self._sums[:count] = 0.0

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        compiled(_answer_and_show)(
            rows,
            first,
            actions,
            self._ends,
            self.truth,
            self.pairs,
            self._sums,
            self._answer,
            self._right,
            self._step,
            self.trial,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )


def _answer_and_show(
    rows: Integers,
    first: bool,
    actions: Singles,
    ends: Integers,
    truth: Integers,
    pairs: Integers,
    sums: Floats,
    answer: Integers,
    right: Integers,
    steps: Integers,
    trial: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Take the response of this step, unless it is the first call, and show what the next one sees."""
    length = ends[-1]
    for row in rows:
        step = steps[row]
        if not first:
            t, at = step // length, step % length
            trial[row], optimal[row] = t, NO_CHOICE
            if ends[3] <= at < ends[4]:
                sums[row] += actions[row, 1]
                sums[row] -= actions[row, 0]
            if at == ends[4] - 1:
                answer[row] = sums[row] > 0
                right[row] = answer[row] == truth[row, pairs[row, t]]
                sums[row], optimal[row] = 0.0, right[row]
                rewards[row] = 1.0 if right[row] else -1.0
            step += 1
            steps[row] = step
            if step == length * pairs.shape[1]:
                terminated[row] = True
                continue
        pair, at = pairs[row, step // length], step % length
        stimulus = 0.0
        if at < ends[0]:
            stimulus = 1.0 if pair >> 1 else -1.0
        elif ends[1] <= at < ends[2]:
            stimulus = 1.0 if pair & 1 else -1.0
        feedback = ends[5] <= at < ends[6]
        observations[row, 0], observations[row, 1] = stimulus, -stimulus
        observations[row, 2] = ends[3] <= at < ends[4]
        observations[row, 3] = feedback and answer[row] == 0
        observations[row, 4] = feedback and answer[row] == 1
        observations[row, 5] = (1.0 if right[row] else -1.0) if feedback else 0.0
