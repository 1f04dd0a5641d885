"""A batch of Gymnasium environments. The reward is the environment's own.

Gymnasium: https://gymnasium.farama.org, Towers et al. 2024, arXiv 2407.17032. How observations and actions are mapped
is in `hebbevo.envs.gymnasium.observations` and `actions`.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs.base import environment_stream
from hebbevo.envs.gymnasium.actions import actor
from hebbevo.envs.gymnasium.config import GymnasiumConfig
from hebbevo.envs.gymnasium.observations import observer
from hebbevo.envs.gymnasium.results import read_reset, read_step
from hebbevo.envs.gymnasium.rows import GymnasiumRows
from hebbevo.envs.gymnasium.spaces import is_mujoco, make_environment, read_interface, reset_makes_new


def gymnasium_seed(seed: int) -> int:
    """Return the seed that the lifetime's environment is reset with, from the environment's stream."""
    return int(environment_stream(seed).integers(2**31))


class BatchedGymnasium(GymnasiumRows):
    """A batch of Gymnasium environments, one Python object a row.

    A row diverges also where an observation or reward is not finite, or MuJoCo warns.

    Args:
        config: names the id.
        batch_size: most lifetimes side by side.
        render_mode: Gymnasium's; with "rgb_array" there are pictures, and nothing else changes.
    """

    def __init__(self, config: GymnasiumConfig, batch_size: int, render_mode: str | None = None) -> None:
        self._make = partial(make_environment, config.id, config.kwargs, config.wrappers, render_mode)
        first = self._make()
        super().__init__(config.name, batch_size, read_interface(config.id, first), render_mode)
        self._act = actor(config.id, first.action_space).act
        self._observer = observer(config.id, first.observation_space)
        self._id = config.id
        self.is_mujoco, self._stays = is_mujoco(first), reset_makes_new(first)
        self.frames_per_second = float(first.metadata.get("render_fps") or 30)
        self._environments[0] = first

    @override
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        self.rewards[active] = 0.0
        moving = active[~(self.diverged[active] | self.terminated[active])]
        finite = np.isfinite(actions[moving]).all(axis=1)
        self._diverge(moving[~finite])
        moving = moving[finite]
        for row in moving.tolist():
            environment = self._started(row)
            result = environment.step(self._act(actions[row]))
            observation, self.rewards[row], self.terminated[row] = read_step(self._id, result)
            self._observer.write(f"{self._id}: step", observation, self.observations[row])
            self.diverged[row] = self.is_mujoco and _mujoco_warned(environment)
        self._diverge_where_not_finite(moving)

    @override
    def _reset_row(self, row: int, seed: int) -> None:
        observation = read_reset(self._id, self._fresh(row).reset(seed=gymnasium_seed(seed)))
        self._observer.write(f"{self._id}: reset", observation, self.observations[row])
        self._diverge_where_not_finite(np.array([row]))

    def _fresh(self, row: int) -> gymnasium.Env[Any, Any]:
        """Return an environment without traces of earlier lifetimes; those that reset to nothing else stay."""
        environment = self._environments[row]
        if environment is None or not self._stays:
            self._close_row(row)
            environment = self._environments[row] = self._make()
        return environment

    def _diverge_where_not_finite(self, rows: npt.NDArray[np.int64]) -> None:
        """Mark the rows diverged whose observation or reward is not finite, and clear those that MuJoCo warned of."""
        finite = np.isfinite(self.observations[rows]).all(axis=1) & np.isfinite(self.rewards[rows])
        self._diverge(rows[self.diverged[rows] | ~finite])

    def _diverge(self, rows: npt.NDArray[np.int64]) -> None:
        self.diverged[rows] = True
        self.observations[rows] = 0.0
        self.rewards[rows] = 0.0


def _mujoco_warned(environment: gymnasium.Env[Any, Any]) -> bool:
    """Tell whether MuJoCo warned since the reset: it resets an exploded simulation by itself."""
    data: Any = environment.unwrapped
    return any(data.data.warning.number.tolist())
