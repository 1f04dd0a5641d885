"""A batch of CarRacing environments, one Python object a row, whose frames a network sees channel after channel."""

from __future__ import annotations

from typing import Any, Final

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.envs.box2d.car_racing import FPS, CarRacing
from typing_extensions import override

from hebbevo.envs.car_racing.config import CarRacingConfig
from hebbevo.envs.car_racing.environment import FastCarRacing
from hebbevo.envs.gymnasium.rows import GymnasiumRows
from hebbevo.envs.images import fill_planes
from hebbevo.seeding import level_seed

LOW, HIGH = np.array([-1, 0, 0], np.float32), np.array([1, 1, 1], np.float32)
MOST_EPISODES: Final = 500
"""Episodes after which a row's environment is made anew: Box2D leaks a little with every track."""


class BatchedCarRacing(GymnasiumRows):
    """Rows of FastCarRacing, or of Gymnasium's own; a row whose next lifetime has the same track keeps it.

    Args:
        config: the settings.
        batch_size: most lifetimes side by side.
        render_mode: Gymnasium's; with "rgb_array" there are pictures, and nothing else changes.
    """

    frames_per_second = float(FPS)

    def __init__(self, config: CarRacingConfig, batch_size: int, render_mode: str | None = None) -> None:
        super().__init__(config.name, batch_size, config.interface, render_mode)
        self.config = config
        self._episodes = np.zeros(batch_size, np.int64)

    @override
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        for row in active:
            self.rewards[row] = 0.0
            if self.diverged[row] or self.terminated[row]:
                continue
            if not np.isfinite(actions[row]).all():
                self.diverged[row] = True
                continue
            action = LOW + (HIGH - LOW) * (0.5 * actions[row] + 0.5)
            action = np.minimum(np.maximum(action, LOW), HIGH)  # np.clip takes ten times as long
            frame, reward, terminated, truncated, _ = self._started(row).step(action)
            self.rewards[row] = reward
            self.terminated[row] = terminated or truncated
            fill_planes(frame, self.observations[row])

    @override
    def _reset_row(self, row: int, seed: int) -> None:
        track = level_seed(seed)
        options = None if self.config.official else {"track_seed": track}
        frame, _ = self._environment(row).reset(seed=track, options=options)
        fill_planes(frame, self.observations[row])

    def _environment(self, row: int) -> gymnasium.Env[Any, Any]:
        """Return the row's environment: a new one after `MOST_EPISODES` episodes."""
        self._episodes[row] += 1
        if self._episodes[row] > MOST_EPISODES:
            self._close_row(row)
        environment = self._environments[row]
        if environment is None:
            mode, sub_rows = self._render_mode, self.config.sub_rows
            environment = CarRacing(mode) if self.config.official else FastCarRacing(mode, sub_rows=sub_rows)
            self._environments[row], self._episodes[row] = environment, 1
        return environment
