"""An environment of pictures whose reward holds every bit of the action; CarRacing rewards whole tiles."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box

NAME = "GoldenPictures-v0"
SHAPE = (20, 20, 3)
WEIGHTS = np.array([1.0, -0.7, 0.4])

Picture = npt.NDArray[np.uint8]


class Pictures(gymnasium.Env[Picture, npt.NDArray[np.float32]]):
    """Shows noise, brighter where the last action was larger, and rewards a weighted sum of the action."""

    observation_space = Box(0, 255, SHAPE, np.uint8)
    action_space = Box(-1.0, 1.0, WEIGHTS.shape, np.float32)

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Picture, dict[str, Any]]:
        """Begin a lifetime."""
        super().reset(seed=seed)
        return self._picture(np.zeros(len(WEIGHTS))), {}

    def step(self, action: npt.NDArray[np.float32]) -> tuple[Picture, float, bool, bool, dict[str, Any]]:
        """Reward the action."""
        exact = action.astype(np.float64)
        reward = sum(float(weight * part) for weight, part in zip(WEIGHTS, exact, strict=True))
        return self._picture(exact), reward, False, False, {}

    def _picture(self, action: npt.NDArray[np.float64]) -> Picture:
        light = np.floor(100 * (1 + action)).astype(np.int64)
        noise = self.np_random.integers(0, 55, SHAPE)
        return (noise + light).astype(np.uint8)


if NAME not in gymnasium.registry:
    gymnasium.register(NAME, Pictures)
