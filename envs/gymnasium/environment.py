"""Any registered Gymnasium id with vector or image observations and Box or Discrete actions, as `gymnasium:ID`.

The reward is the environment's own. Network outputs become actions so: a Discrete space takes the index of
the largest output; a bounded dimension of a Box takes [-1, 1] mapped affinely to its bounds, clipped there;
an unbounded one takes the output as it is. Images are Boxes of uint8, ``(height, width)`` or ``(height, width,
channels)``; a network sees them channel after channel, divided by 255.

Gymnasium: https://gymnasium.farama.org, Towers et al. 2024, arXiv 2407.17032.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any, ClassVar, Final

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete, Space
from pydantic import field_validator

from hebbevo.envs.base import EnvConfig, environment_stream
from hebbevo.envs.gymnasium.rows import GymnasiumRows
from hebbevo.envs.images import fill_planes
from hebbevo.errors import EnvError, unknown

PREFIX: Final = "gymnasium:"
"""What an environment name starts with when the rest is a Gymnasium id."""

# Plain ids only: Gymnasium would import the module of a "module:Env" id, and ids come from files of others.
_PLAIN_ID = re.compile(r"(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+", re.ASCII)

Actor = Callable[[npt.NDArray[np.float32]], Any]
"""Turns one row of network outputs into an action of the environment."""


class GymnasiumConfig(EnvConfig):
    """A Gymnasium environment's settings; `steps` caps the lifetime besides the id's own time limit."""

    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False

    name: str

    @field_validator("name")
    @classmethod
    def _registered(cls, name: str) -> str:
        if not name.startswith(PREFIX):
            raise EnvError(f"env.name must be {PREFIX}ID, got {name!r}")
        identifier = name.removeprefix(PREFIX)
        if not _PLAIN_ID.fullmatch(identifier):
            raise EnvError(
                f"Gymnasium id must be a plain registered one such as CartPole-v1, got {identifier!r}"
            )
        if identifier not in gymnasium.registry:
            raise EnvError(unknown("Gymnasium id", identifier, gymnasium.registry))
        return name

    @property
    def id(self) -> str:
        """The Gymnasium id."""
        return self.name.removeprefix(PREFIX)

    def build(self, batch_size: int) -> BatchedGymnasium:
        """Make a block for up to `capacity` lifetimes."""
        return BatchedGymnasium(self, batch_size)


def gymnasium_seed(seed: int) -> int:
    """Return the seed that the lifetime's environment is reset with, from the environment's stream."""
    return int(environment_stream(seed).integers(2**31))


class BatchedGymnasium(GymnasiumRows):
    """A block of Gymnasium environments, one Python object a row.

    Args:
        config: which one.
        capacity: most lifetimes in the block.
        render_mode: Gymnasium's; with "rgb_array" there are pictures, and nothing else changes.

    Attributes:
        is_mujoco: whether MuJoCo draws the pictures.
        frames_per_second: steps in a second of the simulated world, as far as the environment says.
    """

    config: GymnasiumConfig

    def __init__(self, config: GymnasiumConfig, batch_size: int, render_mode: str | None = None) -> None:
        first = _make(config.id, render_mode)
        shape = _observation_shape(config.id, first.observation_space)
        action_size, self._actor = _actions(config.id, first.action_space)
        super().__init__(config, batch_size, math.prod(shape), action_size, render_mode)
        if len(shape) == 3:
            self.image_shape = shape
        if isinstance(first.action_space, Box):
            self.action_slopes[_one_sided(first.action_space)] = 0.5
        self.is_mujoco = _is_mujoco(first)
        self.frames_per_second = float(first.metadata.get("render_fps") or 30)
        self._environments[0] = first

    def _start(self, row: int, seed: int) -> None:
        observation, _ = self._fresh(row).reset(seed=gymnasium_seed(seed))
        self._record(row, observation, 0.0)

    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        """Move the active rows by one step; NaN in outputs, observation or reward makes a row diverge."""
        for row in active:
            self.rewards[row] = 0.0
            if self.diverged[row] or self.terminated[row]:
                continue
            if not np.isfinite(actions[row]).all():
                self._diverge(row)
                continue
            environment = self._standing(row)
            observation, reward, ended, truncated, _ = environment.step(self._actor(actions[row]))
            self.terminated[row] = ended or truncated
            self._record(row, observation, float(reward))
            if _mujoco_warned(environment):
                self._diverge(row)

    def _fresh(self, row: int) -> gymnasium.Env[Any, Any]:
        """Return an environment on which no former lifetime leaves a trace.

        `reset` alone does not promise that: Box2D's world keeps its history. MuJoCo's environments reset
        their whole simulation and are costly to compile, so they stay.
        """
        environment = self._environments[row]
        if environment is None or not _is_mujoco(environment):
            self._close_row(row)
            environment = self._environments[row] = _make(self.config.id, self._render_mode)
        return environment

    def _record(self, row: int, observation: npt.NDArray[Any], reward: float) -> None:
        """Keep what the environment returned, or mark the row diverged where it is not finite."""
        if self.image_shape is not None:
            frame = np.ascontiguousarray(observation.reshape(*observation.shape[:2], -1))
            fill_planes(frame, self.observations[row])
        else:
            with np.errstate(over="ignore"):
                self.observations[row] = observation
        self.rewards[row] = reward
        if not (np.isfinite(reward) and np.isfinite(self.observations[row]).all()):
            self._diverge(row)

    def _diverge(self, row: int) -> None:
        self.diverged[row] = True
        self.observations[row] = 0.0
        self.rewards[row] = 0.0


def _make(identifier: str, render_mode: str | None) -> gymnasium.Env[Any, Any]:
    """Make the environment, without the checker that warns on odd values."""
    options: dict[str, Any] = (
        {} if render_mode is None else {"render_mode": render_mode}
    )  # not every one knows the word
    try:
        return gymnasium.make(identifier, disable_env_checker=True, **options)
    except (gymnasium.error.Error, ImportError) as error:
        reason = " ".join(str(error).split())
        raise EnvError(f"Gymnasium cannot make {identifier}: {reason}") from error


def _observation_shape(identifier: str, space: Space[Any]) -> tuple[int] | tuple[int, int, int]:
    """Return (size,) of a vector or (channels, height, width) of an image, or raise for anything else."""
    if not isinstance(space, Box):
        raise EnvError(f"{identifier} observes {space}; only vectors and images (a Box) can be run")
    if len(space.shape) == 1:
        return (int(space.shape[0]),)
    if len(space.shape) in (2, 3) and space.dtype == np.uint8:
        height, width, channels = (*space.shape, 1)[:3]
        return (int(channels), int(height), int(width))
    raise EnvError(
        f"{identifier} observes {space.dtype} of shape {space.shape}; only vectors, and images of uint8 with the "
        "channels last, can be run"
    )


def _actions(identifier: str, space: Space[Any]) -> tuple[int, Actor]:
    """Return how many outputs the action needs, and how they become an action."""
    if isinstance(space, Discrete):
        first = int(space.start)
        return int(space.n), lambda outputs: first + int(outputs.argmax())
    if isinstance(space, Box) and np.issubdtype(space.dtype, np.floating):
        return int(np.prod(space.shape)), _box_actor(space)
    raise EnvError(f"{identifier} acts in {space}; only Discrete and real-valued Box actions can be run")


def _box_actor(space: Box) -> Actor:
    """Return the affine map of outputs in [-1, 1] to the bounds of `space`."""
    low, high = space.low.astype(np.float64).ravel(), space.high.astype(np.float64).ravel()
    bounded = np.isfinite(low) & np.isfinite(high)
    # unbounded dimensions: bounds of -1 and 1 map the output to itself
    bottom, top = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    middle, half = (bottom + top) / 2, (top - bottom) / 2

    def act(outputs: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
        action = np.clip(middle + half * outputs, low, high)
        return action.astype(space.dtype).reshape(space.shape)

    return act


def _one_sided(space: Box) -> npt.NDArray[np.bool_]:
    """Tell for each dimension whether it is bounded and has one sign."""
    low, high = space.low.ravel(), space.high.ravel()
    return np.asarray(np.isfinite(low) & np.isfinite(high) & ((low >= 0) | (high <= 0)))


def _is_mujoco(environment: gymnasium.Env[Any, Any]) -> bool:
    """Tell whether this is one of Gymnasium's MuJoCo environments, without importing them."""
    return any(base.__name__ == "MujocoEnv" for base in type(environment.unwrapped).__mro__)


def _mujoco_warned(environment: gymnasium.Env[Any, Any]) -> bool:
    """Tell whether MuJoCo warned since the reset: it resets an exploded simulation by itself."""
    if not _is_mujoco(environment):
        return False
    data: Any = environment.unwrapped
    return bool(data.data.warning.number.any())
