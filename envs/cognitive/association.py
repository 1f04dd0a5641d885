"""Association: for each of k stimuli one of two answers is right, and which is drawn for every lifetime.

A step shows a stimulus, the network answers, and the reward is 1 for the right answer and -1 for the other. Every block
of k steps shows each stimulus once, in an order of its own. In a lifetime of n blocks

- chance, and the best that fixed weights without memory can do, is half of the answers right: the right answer is
  independent of the stimulus;
- an oracle that guesses each stimulus once and then knows it is right in (n - 1/2) / n of the steps: 0.95 in 10 blocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.envs.base import BatchedEnvironment, EnvironmentInterface, environment_stream
from hebbevo.envs.config import EnvConfig

ANSWERS = 2
BLOCKS = 10
"""Times that each stimulus is shown, where the length of a lifetime is not given."""


class AssociationConfig(EnvConfig):
    """Settings of the association task."""

    environment: ClassVar[str] = "hebbevo.envs.cognitive.association:Association"
    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False
    preferred_batch_size: ClassVar[int] = 256

    name: Literal["association"] = "association"
    stimuli: int = Field(default=8, ge=1, le=1000, description="stimuli, each with a right answer of its own")
    steps: int = Field(
        default=0, ge=1, le=100_000, description="answers in a lifetime; 10 per stimulus if left out"
    )

    @model_validator(mode="before")
    @classmethod
    def _ten_blocks(cls, data: Any) -> Any:
        if isinstance(data, dict) and data.get("steps") is None:
            stimuli = data.get("stimuli", cls.model_fields["stimuli"].default)
            return {**data, "steps": BLOCKS * stimuli if isinstance(stimuli, int) and stimuli > 0 else BLOCKS}
        return data

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        slopes = np.ones(ANSWERS, np.float32)
        return EnvironmentInterface(self.stimuli, slopes, discrete_actions=True)

    @property
    def oracle(self) -> float:
        """Reward of a lifetime that guesses each stimulus once and then knows it, in the mean."""
        return float(self.steps - min(self.steps, self.stimuli))

    @property
    def chance(self) -> float:
        """Reward of a lifetime without memory, in the mean."""
        return 0.0


class Association(BatchedEnvironment):
    """The association task for a batch of lifetimes.

    Attributes:
        answers: the right one for each stimulus, int64 ``(batch_size, stimuli)``.
    """

    def __init__(self, config: AssociationConfig, batch_size: int) -> None:
        super().__init__(batch_size, config.stimuli, ANSWERS)
        self._steps, self._step = config.steps, np.zeros(batch_size, np.int64)
        self._shown: npt.NDArray[np.int64] = np.zeros((batch_size, config.steps), np.int64)
        self.answers: npt.NDArray[np.int64] = np.zeros((batch_size, config.stimuli), np.int64)

    @override
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        count = self._check_reset(seeds, morphologies)
        self._clear_rows(count)
        self._step[:count] = 0
        stimuli = self.observation_size
        blocks = np.tile(np.arange(stimuli), (math.ceil(self._steps / stimuli), 1))
        for row, seed in enumerate(seeds):
            generator = environment_stream(seed)
            self.answers[row] = generator.integers(0, ANSWERS, stimuli)
            self._shown[row] = generator.permuted(blocks, axis=1).ravel()[: self._steps]
        self._show(np.arange(count))

    @override
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        given = actions[active]
        self.diverged[active] |= ~np.isfinite(given).all(axis=1)
        moving = active[~(self.diverged[active] | self.terminated[active])]
        self.rewards[active] = 0.0
        shown = self._shown[moving, self._step[moving]]
        right = self.answers[moving, shown] == actions[moving].argmax(axis=1)
        self.rewards[moving] = np.where(right, 1.0, -1.0)
        self._step[moving] += 1
        self.terminated[moving] = self._step[moving] == self._steps
        self._show(moving[~self.terminated[moving]])

    def _show(self, rows: npt.NDArray[np.int64]) -> None:
        """Let the rows see their next stimulus."""
        self.observations[rows] = 0.0
        self.observations[rows, self._shown[rows, self._step[rows]]] = 1.0
