"""Batched environments, and the registry that names them. Importing this package loads no simulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from hebbevo.envs.base import BatchedEnvironment, EnvironmentInterface, environment_stream
from hebbevo.envs.config import EarlyStop, EnvConfig
from hebbevo.envs.entry_points import load
from hebbevo.envs.interventions import Change, Interventions
from hebbevo.envs.registry import ENVIRONMENTS, config_class
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    from hebbevo.envs.car_racing.config import CarRacingConfig
    from hebbevo.envs.gymnasium.config import GymnasiumConfig
    from hebbevo.envs.gymnasium.lifetime import LifetimeEnv
    from hebbevo.envs.morphologies.catalogue import MORPHOLOGIES, Morphology
    from hebbevo.envs.robots.compiling import compile_model
    from hebbevo.envs.robots.dog import DogConfig
    from hebbevo.envs.robots.quadruped import QuadrupedConfig

_ENTRY_POINTS = {
    "MORPHOLOGIES": "hebbevo.envs.morphologies.catalogue:MORPHOLOGIES",
    "CarRacingConfig": "hebbevo.envs.car_racing.config:CarRacingConfig",
    "DogConfig": "hebbevo.envs.robots.dog:DogConfig",
    "GymnasiumConfig": "hebbevo.envs.gymnasium.config:GymnasiumConfig",
    "Morphology": "hebbevo.envs.morphologies.catalogue:Morphology",
    "QuadrupedConfig": "hebbevo.envs.robots.quadruped:QuadrupedConfig",
    "compile_model": "hebbevo.envs.robots.compiling:compile_model",
}

__all__ = [
    "ENVIRONMENTS",
    "MORPHOLOGIES",
    "BatchedEnvironment",
    "CarRacingConfig",
    "Change",
    "DogConfig",
    "EarlyStop",
    "EnvConfig",
    "EnvError",
    "EnvironmentInterface",
    "GymnasiumConfig",
    "Interventions",
    "Morphology",
    "QuadrupedConfig",
    "as_gymnasium",
    "compile_model",
    "config_class",
    "environment_stream",
    "make",
]


class HasEnv(Protocol):
    """A whole config, of which the environment is a section."""

    @property
    def env(self) -> EnvConfig:
        """The section."""


def make(config: EnvConfig, batch_size: int, **options: Any) -> BatchedEnvironment:
    """Build the environment of a config for up to `batch_size` lifetimes; see `EnvConfig.build`."""
    return config.build(batch_size, **options)


def as_gymnasium(config: HasEnv | EnvConfig) -> LifetimeEnv:
    """Return one lifetime of a config's environment as a Gymnasium environment.

    Observations, rewards and actions in [-1, 1] are those of a network's lifetime: the same seed, the same actions, the
    same bits. `reset(seed=...)` takes a lifetime's seed. The soft end of a body that has fallen is ``info["done"]``.
    Normalisation of observations, action sampling and perturbations belong to a network's task and are left out.
    """
    from hebbevo.envs.gymnasium.lifetime import LifetimeEnv

    return LifetimeEnv(config if isinstance(config, EnvConfig) else config.env)


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used."""
    if name not in _ENTRY_POINTS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = load(_ENTRY_POINTS[name])
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
