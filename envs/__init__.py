"""The envs room: batched environments in which lifetimes are lived, and the registry that names them.

`ENVIRONMENTS` maps a name to its config class; `gymnasium:ID` stands for every registered Gymnasium id.
"""

from __future__ import annotations

from hebbevo.envs.base import BatchedEnvironment, EarlyStop, EnvConfig, environment_stream
from hebbevo.envs.car_racing.config import CarRacingConfig
from hebbevo.envs.gymnasium.environment import PREFIX, GymnasiumConfig
from hebbevo.envs.morphologies.catalogue import MORPHOLOGIES, Morphology
from hebbevo.envs.robots.dog import DogConfig
from hebbevo.envs.robots.quadruped import QuadrupedConfig
from hebbevo.errors import EnvError, unknown

ENVIRONMENTS: dict[str, type[EnvConfig]] = {
    "quadruped": QuadrupedConfig,
    "dog": DogConfig,
    "car_racing": CarRacingConfig,
    f"{PREFIX}ID": GymnasiumConfig,
}


def config_class(name: str) -> type[EnvConfig]:
    """Return the config class of the environment called `name`, or raise `EnvError` with the nearest name."""
    if name.startswith(PREFIX):
        return ENVIRONMENTS[f"{PREFIX}ID"]
    if name not in ENVIRONMENTS:
        raise EnvError(unknown("environment", name, ENVIRONMENTS))
    return ENVIRONMENTS[name]


__all__ = [
    "ENVIRONMENTS",
    "MORPHOLOGIES",
    "BatchedEnvironment",
    "CarRacingConfig",
    "DogConfig",
    "EarlyStop",
    "EnvConfig",
    "EnvError",
    "GymnasiumConfig",
    "Morphology",
    "QuadrupedConfig",
    "config_class",
    "environment_stream",
]
