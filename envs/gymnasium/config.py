"""The settings of any registered Gymnasium id, `gymnasium:ID`. Gymnasium is imported when an id is checked.

Its spaces are only known by making the environment, which happens at most once per process and registration.
"""

from __future__ import annotations

import json
import operator
import re
from typing import Annotated, Any, ClassVar, Final, Self, cast

from pydantic import BeforeValidator, Field, JsonValue, field_validator, model_validator
from typing_extensions import override

from hebbevo.envs.base import BatchedEnvironment, EnvironmentInterface
from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.config import EnvConfig
from hebbevo.envs.entry_points import load
from hebbevo.envs.registry import GYMNASIUM_PREFIX
from hebbevo.errors import EnvError, unknown
from hebbevo.imports import require_module

_ID = re.compile(r"(?:(?P<module>\w+(?:\.\w+)*):)?(?P<plain>(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+)", re.ASCII)
"""An id, perhaps after the module that registers it; nothing is imported for that, as ids come from files of others."""

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

_VECTOR = "hebbevo.envs.gymnasium.vector:BatchedVector"

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

    vector: bool = Field(
        default=False,
        exclude_if=operator.not_,
        description="step the rows together, as the id's vector_entry_point does",
    )

    @field_validator("name")
    @classmethod
    def _registered(cls, name: str) -> str:
        import gymnasium

        if not name.startswith(GYMNASIUM_PREFIX):
            raise EnvError(f"env.name must be {GYMNASIUM_PREFIX}ID, got {name!r}")
        parts = _ID.fullmatch(name.removeprefix(GYMNASIUM_PREFIX))
        if parts is None:
            raise EnvError(
                "Gymnasium id must be a registered one such as CartPole-v1, or module:Env-v0, got "
                f"{name.removeprefix(GYMNASIUM_PREFIX)!r}"
            )
        if parts["module"] is not None:
            require_module(parts["module"], f"{name} is registered by a module")
        if parts["plain"] not in gymnasium.registry:
            raise EnvError(unknown("Gymnasium id", parts["plain"], gymnasium.registry))
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

    @model_validator(mode="after")
    def _wraps_single_ones(self) -> Self:
        if self.vector and self.wrappers:
            raise EnvError("env.wrappers are those of single environments; with env.vector, leave them out")
        return self

    @property
    def id(self) -> str:
        """The Gymnasium id, without the module that registers it."""
        return self.name.removeprefix(GYMNASIUM_PREFIX).rpartition(":")[2]

    @property
    @override
    def preferred_batch_size(self) -> int:
        return 64 if self.vector else super().preferred_batch_size

    @override
    def build(self, batch_size: int, **options: Any) -> BatchedEnvironment:
        if not self.vector:
            return super().build(batch_size, **options)
        return cast(BatchedEnvironment, load(_VECTOR)(self, batch_size, **options))

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        return interface_of(self)


_INTERFACES: dict[str, tuple[object, EnvironmentInterface]] = {}
"""With the registration that was made: an id may be registered again, as a notebook does with each run of a cell."""


def interface_of(config: GymnasiumConfig) -> EnvironmentInterface:
    """Return the interface of an environment, which is made once per registration and closed again.

    Raises:
        EnvError: the environment cannot be made, or its spaces cannot be run.
    """
    import gymnasium

    key = json.dumps([config.name, config.kwargs, config.wrappers, config.vector], sort_keys=True)
    registered = gymnasium.registry.get(config.id)
    known, interface = _INTERFACES.get(key, (None, None))
    if interface is None or known is not registered:
        interface = _read_interface(config)
        _INTERFACES[key] = registered, interface
    return interface


def _read_interface(config: GymnasiumConfig) -> EnvironmentInterface:
    from hebbevo.envs.gymnasium.spaces import make_environment, make_vector_environment, read_interface

    environment = (
        make_vector_environment(config.id, 2, config.kwargs)
        if config.vector
        else make_environment(config.id, config.kwargs, config.wrappers)
    )
    try:
        return read_interface(config.id, environment)
    finally:
        environment.close()
