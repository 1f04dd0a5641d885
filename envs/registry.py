"""The registered environments: a name and the entry point of a config class each, imported when it is asked for."""

from __future__ import annotations

from typing import Final, cast

from hebbevo.envs.config import EnvConfig
from hebbevo.envs.entry_points import load
from hebbevo.errors import EnvError, unknown

GYMNASIUM_PREFIX: Final = "gymnasium:"
"""What an environment's name starts with when the rest is a Gymnasium id."""

_GYMNASIUM: Final = f"{GYMNASIUM_PREFIX}ID"

ENVIRONMENTS: Final[dict[str, str | type[EnvConfig]]] = {
    "quadruped": "hebbevo.envs.robots.quadruped:QuadrupedConfig",
    "dog": "hebbevo.envs.robots.dog:DogConfig",
    "mjcf": "hebbevo.envs.mjcf.config:MjcfConfig",
    "car_racing": "hebbevo.envs.car_racing.config:CarRacingConfig",
    "association": "hebbevo.envs.cognitive.association:AssociationConfig",
    "bandit": "hebbevo.envs.cognitive.bandit:BanditConfig",
    "harlow": "hebbevo.envs.cognitive.harlow:HarlowConfig",
    "two_step": "hebbevo.envs.cognitive.two_step:TwoStepConfig",
    "maze": "hebbevo.envs.cognitive.maze:MazeConfig",
    "t_maze": "hebbevo.envs.cognitive.t_maze:TMazeConfig",
    "boolean": "hebbevo.envs.cognitive.boolean:BooleanConfig",
    "generated": "hebbevo.envs.cognitive.generated:GeneratedConfig",
    "seasons": "hebbevo.envs.cognitive.seasons:SeasonsConfig",
    _GYMNASIUM: "hebbevo.envs.gymnasium.config:GymnasiumConfig",
}
"""Config classes, or their entry points; `gymnasium:ID` stands for every registered Gymnasium id."""


def config_class(name: str) -> type[EnvConfig]:
    """Return the config class of the environment called `name`.

    Raises:
        EnvError: an unknown name; the message has the nearest one.
    """
    kind = _GYMNASIUM if name.startswith(GYMNASIUM_PREFIX) else name
    if kind not in ENVIRONMENTS:
        raise EnvError(unknown("environment", name, ENVIRONMENTS))
    return cast(type[EnvConfig], load(ENVIRONMENTS[kind]))
