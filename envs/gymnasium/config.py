"""The settings of any registered Gymnasium id, `gymnasium:ID`. Gymnasium is imported when an id is checked.

Its spaces are only known by making the environment, which happens at most once per process and id.
"""

from __future__ import annotations

import json
import operator
import re
from typing import Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, JsonValue, field_validator
from typing_extensions import override

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.config import EnvConfig
from hebbevo.envs.registry import GYMNASIUM_PREFIX
from hebbevo.errors import EnvError, unknown

# Plain ids only: Gymnasium would import the module of a "module:Env" id, and ids come from files of others.
_PLAIN_ID = re.compile(r"(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+", re.ASCII)


# What gymnasium.make takes for itself.
_OWN_ARGUMENTS = frozenset(("id", "render_mode", "disable_env_checker", "vectorization_mode"))

WRAPPERS: Final = (
    *(
        "ClipAction",
        "ClipReward",
        "DelayObservation",
        "DtypeObservation",
        "FilterObservation",
        "FlattenObservation",
    ),
    *("FrameStackObservation", "GrayscaleObservation", "MaxAndSkipObservation", "NormalizeObservation"),
    *("NormalizeReward", "RescaleAction", "RescaleObservation", "ReshapeObservation", "ResizeObservation"),
    *("StickyAction", "TimeAwareObservation", "TimeLimit"),
)
"""Wrappers of Gymnasium that change what a lifetime is, and neither write files nor open windows."""

Arguments = dict[str, JsonValue]


def _named(value: Any) -> Any:
    """Return a wrapper given by its name alone as one without arguments."""
    return {value: {}} if isinstance(value, str) else value


class GymnasiumConfig(EnvConfig):
    """A Gymnasium environment's settings; `steps` caps the lifetime besides the id's own time limit."""

    environment: ClassVar[str] = "hebbevo.envs.gymnasium.environment:BatchedGymnasium"
    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False
    camera: ClassVar[CameraSpec | None] = CameraSpec("render")

    name: str
    kwargs: Arguments = Field(
        default={},
        exclude_if=operator.not_,
        description="arguments of the environment, as gymnasium.make takes them",
    )
    wrappers: tuple[Annotated[dict[str, Arguments], BeforeValidator(_named)], ...] = Field(
        default=(),
        exclude_if=operator.not_,
        description="wrappers of Gymnasium around it, the innermost first: names, or names with their arguments",
    )

    @field_validator("name")
    @classmethod
    def _registered(cls, name: str) -> str:
        import gymnasium

        if not name.startswith(GYMNASIUM_PREFIX):
            raise EnvError(f"env.name must be {GYMNASIUM_PREFIX}ID, got {name!r}")
        identifier = name.removeprefix(GYMNASIUM_PREFIX)
        if not _PLAIN_ID.fullmatch(identifier):
            raise EnvError(
                f"Gymnasium id must be a plain registered one such as CartPole-v1, got {identifier!r}"
            )
        if identifier not in gymnasium.registry:
            raise EnvError(unknown("Gymnasium id", identifier, gymnasium.registry))
        return name

    @field_validator("kwargs")
    @classmethod
    def _of_the_environment(cls, kwargs: Arguments) -> Arguments:
        for name in kwargs.keys() & _OWN_ARGUMENTS:
            raise EnvError(f"env.kwargs cannot set {name}, which is hebbevo's own; leave it out")
        return kwargs

    @field_validator("wrappers")
    @classmethod
    def _known(cls, wrappers: tuple[dict[str, Arguments], ...]) -> tuple[dict[str, Arguments], ...]:
        for wrapper in wrappers:
            if len(wrapper) != 1:
                raise EnvError(
                    f"a wrapper is one name with its arguments, got {', '.join(wrapper) or 'none'}"
                )
            for name in wrapper.keys() - set(WRAPPERS):
                raise EnvError(unknown("wrapper", name, WRAPPERS))
        return wrappers

    @property
    def id(self) -> str:
        """The Gymnasium id."""
        return self.name.removeprefix(GYMNASIUM_PREFIX)

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        return interface_of(self)


_INTERFACES: dict[str, EnvironmentInterface] = {}


def interface_of(config: GymnasiumConfig) -> EnvironmentInterface:
    """Return the interface of an environment, which is made once and closed again.

    Raises:
        EnvError: the environment cannot be made, or its spaces cannot be run.
    """
    key = json.dumps([config.name, config.kwargs, config.wrappers], sort_keys=True)
    if key not in _INTERFACES:
        from hebbevo.envs.gymnasium.spaces import make_environment, read_interface

        environment = make_environment(config.id, config.kwargs, config.wrappers)
        try:
            _INTERFACES[key] = read_interface(config.id, environment)
        finally:
            environment.close()
    return _INTERFACES[key]
