"""Meta-tasks as worlds: a specification (`hebbevo.envs.cognitive.meta_task`) says what is there and what is to be
learnt.

A trial begins in state 0 and ends when state 0 is entered again, or after 20 steps. The observation is the stimulus
of the state, one-hot: 0 to 2 the fixed ones, 3 to 6 those that the variable ones stand for in this lifetime. The
reward is what the rules of the specification pay. `tasks`:

| | in each lifetime |
|---|---|
| `train`, `test` | one of the 120 or 30 meta-tasks of the split, drawn by the generator of arXiv 2302.05583 |
| `train_000`, ..., `test_00`, ... | that one |
| `bandit`, `harlow`, `t_maze`, `two_step` | a task of the literature (`hebbevo.envs.cognitive.meta_task_examples`) |
| a key of `specifications` | your own |

Rewards of a lifetime, as the mean over the tasks (`hebbevo.envs.cognitive.meta_task_values`):

- oracle: one who knows the specification, its variables, state and flag acts best, by dynamic programming over the
  steps of a trial, in the mean over the variables. No learner gets as much.
- chance: the same recursion for random actions.
- reactive: the best of all maps from stimuli to actions, each by the same recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.envs.cognitive.learning_task import (
    NO_CHOICE,
    LearningTask,
    LearningTaskConfig,
    check_tasks,
    compiled,
)
from hebbevo.envs.cognitive.meta_task import FIXED_STIMULI, VARIABLE_STIMULI, MetaTask
from hebbevo.envs.cognitive.meta_task_drawing import SPLITS, drawn_meta_task, split_names
from hebbevo.envs.cognitive.meta_task_examples import EXAMPLES

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hebbevo.envs.cognitive.learning_task import Flags, Floats, Integers, Singles

DRAWN = tuple(name for split in SPLITS for name in split_names(split))
TRIAL_STEPS = 20
"""Longest trial."""


class GeneratedConfig(LearningTaskConfig):
    """A meta-task given as a specification: drawn at random, out of the literature, or your own."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.generated:Generated"
    values_of_whole: ClassVar[bool] = True

    name: Literal["generated"] = "generated"
    tasks: tuple[str, ...] = Field(default=("train",), description="meta-tasks, or splits of them")
    specifications: dict[str, MetaTask] = Field(default={}, description="meta-tasks of your own, by name")
    trials: int = Field(default=100, ge=1, le=10_000, description="of a lifetime")

    @model_validator(mode="after")
    def _known(self) -> Self:
        self._checked(self.tasks)
        return self

    @property
    @override
    def morphology_names(self) -> tuple[str, ...]:
        return self.tasks

    @override
    def with_morphologies(self, names: Sequence[str]) -> Self:
        return self.model_copy(update={"tasks": self._checked(tuple(names))})

    def _checked(self, names: tuple[str, ...]) -> tuple[str, ...]:
        return check_tasks(names, (*SPLITS, *EXAMPLES, *DRAWN, *self.specifications))

    def specifications_of(self, task: str) -> tuple[MetaTask, ...]:
        """Return the meta-tasks that a lifetime of a task has one of."""
        if task in self.specifications:
            return (self.specifications[task],)
        if task in EXAMPLES:
            return (EXAMPLES[task],)
        return tuple(drawn_meta_task(name) for name in (split_names(task) if task in SPLITS else (task,)))

    @property
    @override
    def whole_lifetime(self) -> int:
        return self.trials * max(self._longest_trial(task) for task in self.tasks)

    def _longest_trial(self, task: str) -> int:
        given = self.specifications.get(task) or EXAMPLES.get(task)
        return given.longest_trial or TRIAL_STEPS if given else TRIAL_STEPS

    @property
    @override
    def trial_count(self) -> int:
        return self.trials

    @property
    @override
    def observation_size(self) -> int:
        return FIXED_STIMULI + VARIABLE_STIMULI

    @property
    @override
    def oracle(self) -> float:
        from hebbevo.envs.cognitive.meta_task_values import oracle

        return self._mean(oracle)

    @property
    @override
    def chance(self) -> float:
        from hebbevo.envs.cognitive.meta_task_values import chance

        return self._mean(chance)

    @property
    @override
    def reactive(self) -> float:
        from hebbevo.envs.cognitive.meta_task_values import best_map

        return self.trials * best_map([self.specifications_of(task) for task in self.tasks], TRIAL_STEPS)

    def _mean(self, value: Callable[[MetaTask, int], float]) -> float:
        """Return the reward of a lifetime from that of a trial, in the mean over the tasks."""
        of_tasks = []
        for task in self.tasks:
            members = self.specifications_of(task)
            of_tasks.append(sum(value(one, TRIAL_STEPS) for one in members) / len(members))
        return self.trials * sum(of_tasks) / len(of_tasks)


class Generated(LearningTask):
    """Meta-tasks for a batch of lifetimes; phases do not change.

    An action is the best one where it leads to the most reward that can be expected in what is left of the trial, by
    one who knows the world, what is drawn for the lifetime and the flag; where both do, nothing is decided.

    Attributes:
        state, flag: int64 ``(batch_size,)``.
        variant: of each lifetime's meta-task, a row of `tables`, int64 ``(batch_size,)``.
        probabilities: p0 and p1, float64 ``(batch_size, 2)``.
        stimuli: what v0, v1, ... stand for, int64 ``(batch_size, 4)``.
    """

    def __init__(self, config: GeneratedConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(config, batch_size)
        self._config = config
        numbers = np.zeros((5, batch_size), np.int64)
        self.state, self.flag, self.variant, self._trial, self._trial_step = numbers
        self.probabilities: Floats = np.zeros((batch_size, 2))
        self.stimuli: Integers = np.zeros((batch_size, VARIABLE_STIMULI), np.int64)
        self._uniforms: Floats = np.zeros((batch_size, config.steps, 2))  # of the transition, of the reward
        self._best = np.zeros(
            (batch_size, 0, 0, 2), np.int8
        )  # bits of the best actions, by steps left, state, flag
        self._known_tasks: list[MetaTask] = []
        self._place: dict[MetaTask, int] = {}

    @override
    def _check_names(self, morphologies: Sequence[str]) -> None:
        for name in set(morphologies):
            self._config.with_morphologies([name])

    @override
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw: the task, its variant, p0, p1, the order of 4 stimuli, then two numbers per step."""

        from hebbevo.envs.cognitive.draws import uniforms

        count = len(seeds)
        drawn = uniforms(seeds, 4 + VARIABLE_STIMULI + 2 * self._config.steps)
        self._learn_about(morphologies)
        choices = {name: self._config.specifications_of(name) for name in set(morphologies)}
        for row, name in enumerate(morphologies):
            members = choices[name]
            place = self._place[members[int(drawn[row, 0] * len(members))]]
            first, variants = self._variants[place]
            self.variant[row] = first + int(drawn[row, 1] * variants)
        self.probabilities[:count] = drawn[:, 2:4]
        self.stimuli[:count] = drawn[:, 4 : 4 + VARIABLE_STIMULI].argsort(axis=1, kind="stable")
        self._uniforms[:count] = drawn[:, 4 + VARIABLE_STIMULI :].reshape(count, -1, 2)
        for numbers in (self.state, self.flag, self._trial, self._trial_step):
            numbers[:count] = 0
        self._plan(count)

    def _plan(self, count: int) -> None:
        """Find the best actions of the first `count` lifetimes."""
        import numpy as np

        from hebbevo.envs.cognitive.meta_task_plans import plan_backwards

        table = self._tables
        shape = (len(self.state), TRIAL_STEPS, table.transitions.shape[1], 2)
        if self._best.shape != shape:
            self._best = np.zeros(shape, np.int8)
        compiled(plan_backwards)(
            count,
            self.variant,
            table.task,
            table.transitions,
            table.value,
            table.base,
            table.slopes,
            table.flag,
            self.probabilities,
            self._best,
        )

    def _learn_about(self, morphologies: Sequence[str]) -> None:
        """Add the meta-tasks of these names to the tables; rows of those that are there stay where they are."""
        import numpy as np

        from hebbevo.envs.cognitive.meta_task_tables import tables

        named = [one for name in dict.fromkeys(morphologies) for one in self._config.specifications_of(name)]
        new = [one for one in dict.fromkeys(named) if one not in self._place]
        if not new:
            return
        self._place |= {one: len(self._known_tasks) + i for i, one in enumerate(new)}
        self._known_tasks += new
        self._tables = tables(self._known_tasks)
        counts = np.bincount(self._tables.task)
        self._variants = list(zip((np.cumsum(counts) - counts).tolist(), counts.tolist(), strict=True))

    @override
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        table = self._tables
        compiled(_act_and_show)(
            rows,
            first,
            self._config.trials,
            self._choice,
            self.variant,
            table.task,
            table.transitions,
            table.value,
            table.base,
            table.slopes,
            table.flag,
            table.stimuli,
            self.probabilities,
            self.stimuli,
            self._uniforms,
            self._step,
            self._trial_step,
            self._trial,
            self.state,
            self.flag,
            self._best,
            self.trial,
            self.optimal,
            self.rewards,
            self.terminated,
            self.observations,
        )


def _act_and_show(
    rows: Integers,
    first: bool,
    trials: int,
    choice: Integers,
    variant: Integers,
    tasks: Integers,
    transitions: Floats,
    value: Floats,
    base: Floats,
    slopes: Floats,
    flags: Integers,
    shown: Integers,
    probabilities: Floats,
    stimuli: Integers,
    uniforms: Floats,
    steps: Integers,
    trial_steps: Integers,
    trials_done: Integers,
    state: Integers,
    flag: Integers,
    best: npt.NDArray[np.int8],
    trial: Integers,
    optimal: Integers,
    rewards: Floats,
    terminated: Flags,
    observations: Singles,
) -> None:
    """Take the step that each row chose, unless it is the first call, and show the stimulus of its state."""
    for row in rows:
        v = variant[row]
        task = tasks[v]
        if not first:
            old, action, before, step = state[row], choice[row], flag[row], steps[row]
            new, last, sum_below = 0, 0, 0.0
            for candidate in range(
                transitions.shape[3]
            ):  # the last possible one, should rounding leave a gap
                share = transitions[task, old, action, candidate]
                if share > 0 and (last == 0 or uniforms[row, step, 0] >= sum_below):
                    new, last = candidate, 1
                sum_below += share
            chance = base[v, old, action, new, before]
            for i in range(2):
                chance += slopes[v, old, action, new, before, i] * probabilities[row, i]
            if uniforms[row, step, 1] < chance:
                rewards[row] = value[v, old, action, new, before]
            trial[row], optimal[row] = trials_done[row], NO_CHOICE
            left = min(TRIAL_STEPS - trial_steps[row], uniforms.shape[1] - step)
            if best[row, left - 1, old, before] != 3:
                optimal[row] = best[row, left - 1, old, before] >> action & 1
            steps[row] = step + 1
            trial_steps[row] += 1
            state[row], flag[row] = new, flags[v, old, action, new, before]
            if new == 0 or trial_steps[row] == TRIAL_STEPS:
                state[row], flag[row], trial_steps[row] = 0, 0, 0
                trials_done[row] += 1
                terminated[row] = trials_done[row] == trials
            terminated[row] |= step + 1 == uniforms.shape[1]
            if terminated[row]:
                continue
        for i in range(observations.shape[1]):
            observations[row, i] = 0.0
        code = shown[task, state[row]]
        if code >= FIXED_STIMULI:
            code = FIXED_STIMULI + stimuli[row, code - FIXED_STIMULI]
        if code >= 0:
            observations[row, code] = 1.0
