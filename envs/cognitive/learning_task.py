"""What all learning tasks have in common: worlds in which only a life that learns can win.

The right answers are drawn anew for every lifetime, so that no fixed answer can know them. A config declares what a
lifetime's reward is worth: `chance`, `reactive` and `oracle`, each derived in the docstring of its world. A batch steps
in compiled loops without the GIL; all its random numbers are words of the lifetimes' environment streams, drawn at the
reset, so that a lifetime depends on its seed and its actions alone.

Config files stay light: NumPy and numba are imported where a world is built.
"""

from __future__ import annotations

import functools
import math
from abc import abstractmethod
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Self

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo import compilation
from hebbevo.envs.base import DEFAULT_MORPHOLOGY, BatchedEnvironment, EnvironmentInterface
from hebbevo.envs.config import EnvConfig
from hebbevo.errors import EnvError, unknown

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Singles = npt.NDArray[np.float32]
    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]

NO_CHOICE: Final = -1
"""`LearningTask.optimal` of a step in which nothing was to be decided."""


class LearningTaskConfig(EnvConfig):
    """Settings of a learning task."""

    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = True
    batch_sizes: ClassVar[tuple[int, ...]] = (16, 64, 256)
    feedback_inputs: ClassVar[tuple[int, ...]] = ()
    """Numbers of an observation that tell what was right, counted from the last as -1, -2, ..."""
    values_of_whole: ClassVar[bool] = False
    """Whether `oracle`, `chance` and `reactive` are always those of a whole lifetime, however long `steps` is."""
    question_per_input: ClassVar[bool] = False
    """Whether each number of an observation is a question of its own, of which one is asked at a time."""

    steps: int = Field(
        default=0, ge=1, le=1_000_000, description="longest lifetime, in steps; a whole one if left out"
    )

    @model_validator(mode="before")
    @classmethod
    def _null_is_left_out(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("steps", 0) is None:
            return {key: value for key, value in data.items() if key != "steps"}
        return data

    @model_validator(mode="after")
    def _whole_lifetime(self) -> Self:
        if not self.steps:
            object.__setattr__(self, "steps", self.whole_lifetime)
        return self

    @property
    @abstractmethod
    def whole_lifetime(self) -> int:
        """Steps of a lifetime whose length is not given."""

    @property
    def values_hold(self) -> bool:
        """Whether `oracle`, `chance` and `reactive` are those of a lifetime of `steps`."""
        return self.steps >= self.whole_lifetime or not self.values_of_whole

    @property
    @abstractmethod
    def observation_size(self) -> int:
        """Numbers in an observation."""

    @property
    def action_size(self) -> int:
        """Numbers in an action; of two or more, the largest decides."""
        return 2

    @property
    @abstractmethod
    def oracle(self) -> float:
        """Reward of a lifetime of the best learner, or where the docstring says so of one who knows the world."""

    @property
    @abstractmethod
    def chance(self) -> float:
        """Reward of a lifetime that answers at random, in the mean."""

    @property
    def reactive(self) -> float:
        """Reward of a lifetime of the best fixed map from observation to action, in the mean."""
        return self.chance

    @property
    @abstractmethod
    def trial_count(self) -> int:
        """Trials of a lifetime; where they end with a success, those of the oracle."""

    @property
    def guess(self) -> float:
        """Share of `optimal` choices of one who answers at random."""
        return 1 / self.action_size

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        import numpy as np

        slopes = np.ones(self.action_size, np.float32)
        return EnvironmentInterface(self.observation_size, slopes, discrete_actions=self.action_size > 1)


class LearningTask(BatchedEnvironment):
    """A batch of lifetimes of a learning task.

    After a step, three arrays say what kind of step it was, for each row that moved:

    | array | dtype | meaning |
    |---|---|---|
    | trial | int64 | number of the trial, from 0 |
    | phase | int64 | number of the phase, from 0; what was right in one need not be right in the next |
    | optimal | int64 | 1 where the best was done that could be, 0 where not, `NO_CHOICE` where nothing was decided |
    """

    def __init__(self, config: LearningTaskConfig, batch_size: int) -> None:
        import numpy as np

        super().__init__(batch_size, config.observation_size, config.action_size)
        self.trial, self.phase, self.optimal = np.zeros((3, batch_size), np.int64)
        self._step, self._choice, self._moving = np.zeros((3, batch_size), np.int64)
        self._rows = np.arange(batch_size)
        self._no_actions = np.zeros((batch_size, config.action_size), np.float32)
        self._known = config.morphology_names

    @override
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        count = self._check_reset(seeds, morphologies)
        self._check_names(morphologies)
        self._clear_rows(count)
        for numbers in (self.trial, self.phase, self._step):
            numbers[:count] = 0
        self.optimal[:count] = NO_CHOICE
        self.observations[:count] = 0.0
        if count:
            self._begin(seeds, morphologies)
            self._move(self._rows[:count], self._no_actions, first=True)

    @override
    def step(self, actions: Singles, active: Integers) -> None:
        self._check_actions(actions)
        flags = (self.terminated, self.diverged)
        count = compiled(_choose)(actions, active, *flags, self.rewards, self._choice, self._moving)
        self._move(self._moving[:count], actions, first=False)

    def _check_names(self, morphologies: Sequence[str]) -> None:
        """Raise `EnvError` for a morphology that is not there."""
        for name in set(morphologies) - {DEFAULT_MORPHOLOGY}:
            raise EnvError(unknown("morphology", name, (DEFAULT_MORPHOLOGY,)))

    @abstractmethod
    def _begin(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Draw the worlds of the first `len(seeds)` rows; show their first observations, or leave it to `_move`."""

    @abstractmethod
    def _move(self, rows: Integers, actions: Singles, *, first: bool) -> None:
        """Move these rows by one step and show what they see next; in the first call after `_begin`, only show.

        `_choice` holds the action that each of them chose.
        """


def check_tasks(names: tuple[str, ...], known: Collection[str]) -> tuple[str, ...]:
    """Return names of tasks, or raise `EnvError` where there is none, an unknown one or one twice."""
    if not names:
        raise EnvError("env.tasks must name at least one task, got none")
    for name in names:
        if name not in known:
            raise EnvError(unknown("task", name, known))
        if names.count(name) > 1:
            raise EnvError(f"env.tasks names {name!r} twice; list each task once")
    return names


@functools.cache
def compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return the loop compiled, once it is needed; see `hebbevo.compilation.compiled`."""
    return compilation.compiled(function)


def _choose(
    actions: Singles,
    active: Integers,
    terminated: Flags,
    diverged: Flags,
    rewards: Floats,
    choice: Integers,
    moving: Integers,
) -> int:
    """Set the choice of every row that moves, list these rows, and return how many they are."""
    count = 0
    for row in active:
        if not 0 <= row < rewards.shape[0]:
            raise IndexError("a row to step is none of the batch")
        rewards[row] = 0.0
        best = 0
        for action in range(actions.shape[1]):
            if not math.isfinite(actions[row, action]):
                diverged[row] = True
            if actions[row, action] > actions[row, best]:
                best = action
        if terminated[row] or diverged[row]:
            continue
        choice[row] = best
        moving[count] = row
        count += 1
    return count
