"""Gymnasium's spaces as networks see them: observations as flat vectors, actions made of outputs in [-1, 1].

Images are Boxes of uint8, ``(height, width)`` or ``(height, width, channels)``; a network sees them channel after
channel, divided by 255. A Discrete action is the index of the largest output; a bounded dimension of a Box takes
[-1, 1] mapped affinely to its bounds, clipped there; an unbounded one takes the output as it is.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete, Space

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.errors import EnvError

Actor = Callable[[npt.NDArray[np.float32]], Any]
"""Turns one row of network outputs into an action of the environment."""


def make_environment(identifier: str, render_mode: str | None = None) -> gymnasium.Env[Any, Any]:
    """Make the environment of a Gymnasium id, without the checker that warns on odd values.

    Raises:
        EnvError: Gymnasium cannot make it, as when a package is missing.
    """
    _import_physics(identifier)
    # not every environment knows the argument
    options: dict[str, Any] = {} if render_mode is None else {"render_mode": render_mode}
    try:
        return gymnasium.make(identifier, disable_env_checker=True, **options)
    except (gymnasium.error.Error, ImportError) as error:
        reason = " ".join(str(error).split())
        raise EnvError(f"Gymnasium cannot make {identifier}: {reason}") from error


def _import_physics(identifier: str) -> None:
    """Import MuJoCo as hebbevo does before an environment does so itself, where it may."""
    entry_point = str(gymnasium.spec(identifier).entry_point)
    if not entry_point.startswith("gymnasium.envs.") or entry_point.startswith("gymnasium.envs.mujoco"):
        importlib.import_module("hebbevo.envs.physics")


def read_interface(identifier: str, environment: gymnasium.Env[Any, Any]) -> EnvironmentInterface:
    """Return the interface that the environment's spaces make.

    Raises:
        EnvError: spaces that cannot be run.
    """
    shape = observation_shape(identifier, environment.observation_space)
    action_size, _ = actions_of(identifier, environment.action_space)
    slopes = np.ones(action_size, np.float32)
    if isinstance(environment.action_space, Box):
        slopes[_one_sided(environment.action_space)] = 0.5
    discrete = isinstance(environment.action_space, Discrete)
    return EnvironmentInterface(math.prod(shape), slopes, shape if len(shape) == 3 else None, discrete)


def observation_shape(identifier: str, space: Space[Any]) -> tuple[int] | tuple[int, int, int]:
    """Return (size,) of a vector or (channels, height, width) of an image, or raise `EnvError` for anything else."""
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


def actions_of(identifier: str, space: Space[Any]) -> tuple[int, Actor]:
    """Return how many outputs an action needs, and how they become one, or raise `EnvError` where they cannot."""
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
