"""How a Gymnasium environment is made, and what its spaces are to a network."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any

import gymnasium
from gymnasium.envs.registration import EnvSpec
from gymnasium.spaces import Discrete, Space
from gymnasium.vector import VectorEnv

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
    if _spec(identifier).entry_point is None:
        raise EnvError(f"{identifier} registers only a vector_entry_point; set env.vector=true")
    with _made(identifier, bool(kwargs or wrappers)):
        environment = gymnasium.make(identifier, disable_env_checker=True, **_options(kwargs, render_mode))
        for wrapper in wrappers:
            for name, settings in wrapper.items():
                environment = getattr(gymnasium.wrappers, name)(environment, **settings)
    return environment


def make_vector_environment(
    identifier: str, rows: int, kwargs: Arguments = MappingProxyType({}), render_mode: str | None = None
) -> VectorEnv[Any, Any, Any]:
    """Make an environment that steps many rows at once, as its registration has it.

    Raises:
        EnvError: it has none, or Gymnasium cannot make it.
    """
    if _spec(identifier).vector_entry_point is None:
        raise EnvError(
            f"{identifier} registers no vector_entry_point to step many rows at once; leave env.vector out"
        )
    with _made(identifier, bool(kwargs)):
        return gymnasium.make_vec(identifier, rows, "vector_entry_point", **_options(kwargs, render_mode))


def _spec(identifier: str) -> EnvSpec:
    """Return the registration of an id, which a config has checked in the process that it was written in.

    Raises:
        EnvError: this is another process, a worker, and nothing has registered it there.
    """
    spec = gymnasium.registry.get(identifier)
    if spec is None:
        raise EnvError(
            f"{identifier} is not registered in a worker; put its class into a file of its own and import that "
            "(--import FILE.py, hebbevo.import_modules), or leave workers out (--workers 0)"
        )
    return spec


def _options(kwargs: Arguments, render_mode: str | None) -> dict[str, Any]:
    """Return all arguments of an environment; not every one knows that of the pictures."""
    return {**kwargs, **({} if render_mode is None else {"render_mode": render_mode})}


@contextmanager
def _made(identifier: str, arguments: bool) -> Iterator[None]:
    """Import what an environment needs; turn what making it raises, anything and SystemExit too, into one line.

    Args:
        identifier: of the environment.
        arguments: whether the user gave some.
    """
    _import_physics(identifier)
    try:
        yield
    except (Exception, SystemExit) as error:
        reason = " ".join(f"{type(error).__name__}: {error}".split())
        given = " with these arguments and wrappers" if arguments else ""
        raise EnvError(f"Gymnasium cannot make {identifier}{given}: {reason}") from error


def _import_physics(identifier: str) -> None:
    """Import MuJoCo as hebbevo does before an environment does so itself, where it may."""
    spec = _spec(identifier)
    entry_point = str(spec.entry_point or spec.vector_entry_point)
    if not entry_point.startswith("gymnasium.envs.") or entry_point.startswith("gymnasium.envs.mujoco"):
        importlib.import_module("hebbevo.envs.physics")


def read_interface(
    identifier: str, environment: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any]
) -> EnvironmentInterface:
    """Return the interface that the environment's spaces make; of a vector environment, those of one row.

    Raises:
        EnvError: spaces that cannot be run.
    """
    observations, actions = single_spaces(environment)
    seen, slopes = observer(identifier, observations), actor(identifier, actions).slopes
    return EnvironmentInterface(seen.size, slopes, seen.image_shape, isinstance(actions, Discrete))


def single_spaces(
    environment: gymnasium.Env[Any, Any] | VectorEnv[Any, Any, Any],
) -> tuple[Space[Any], Space[Any]]:
    """Return the spaces of observations and actions of one row."""
    if isinstance(environment, VectorEnv):
        return environment.single_observation_space, environment.single_action_space
    return environment.observation_space, environment.action_space


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
