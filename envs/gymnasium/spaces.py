"""How a Gymnasium environment is made, and what its spaces are to a network."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

import gymnasium
from gymnasium.spaces import Discrete

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.envs.gymnasium.actions import actor
from hebbevo.envs.gymnasium.observations import observer
from hebbevo.errors import EnvError

Arguments = Mapping[str, Any]

_STATELESS = (gymnasium.wrappers.OrderEnforcing, gymnasium.wrappers.TimeLimit)
"""Wrappers that a reset leaves as new."""


def make_environment(
    identifier: str,
    kwargs: Arguments = MappingProxyType({}),
    wrappers: Sequence[Mapping[str, Arguments]] = (),
    render_mode: str | None = None,
) -> gymnasium.Env[Any, Any]:
    """Make an environment and wrap it, without the checker that warns on odd values.

    Raises:
        EnvError: Gymnasium cannot make it, as when a package is missing or an argument unknown.
    """
    _import_physics(identifier)
    # not every environment knows the argument
    options: dict[str, Any] = {
        **kwargs,
        **({} if render_mode is None else {"render_mode": render_mode}),
    }
    arguments = kwargs or wrappers
    refused = (
        Exception if arguments else (gymnasium.error.Error, ImportError)
    )  # anything may come of arguments
    try:
        environment = gymnasium.make(identifier, disable_env_checker=True, **options)
        for wrapper in wrappers:
            for name, settings in wrapper.items():
                environment = getattr(gymnasium.wrappers, name)(environment, **settings)
    except refused as error:
        reason = " ".join(str(error).split())
        given = " with these arguments and wrappers" if arguments else ""
        raise EnvError(f"Gymnasium cannot make {identifier}{given}: {reason}") from error
    return environment


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
    seen = observer(identifier, environment.observation_space)
    slopes = actor(identifier, environment.action_space).slopes
    discrete = isinstance(environment.action_space, Discrete)
    return EnvironmentInterface(seen.size, slopes, seen.image_shape, discrete)


def is_mujoco(environment: gymnasium.Env[Any, Any]) -> bool:
    """Tell whether this is a MuJoCo environment as Gymnasium's are, without importing them."""
    return any(base.__name__ == "MujocoEnv" for base in type(environment.unwrapped).__mro__)


def reset_makes_new(environment: gymnasium.Env[Any, Any]) -> bool:
    """Tell whether `reset` leaves no trace of what an environment has done before.

    Gymnasium's own MuJoCo classes reset the complete simulation. Nobody promises it of others: Box2D's worlds keep
    their history, wrappers running statistics, randomised models their last draw.
    """
    while isinstance(environment, gymnasium.Wrapper):
        if type(environment) not in _STATELESS:
            return False
        environment = environment.env
    return type(environment).__module__.startswith("gymnasium.envs.mujoco.")
