"""The settings of any registered Gymnasium id, `gymnasium:ID`. Gymnasium is imported when an id is checked.

Its spaces are only known by making the environment, which happens at most once per process and id.
"""

from __future__ import annotations

import functools
import re
from typing import ClassVar

from pydantic import field_validator
from typing_extensions import override

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.config import EnvConfig
from hebbevo.envs.registry import GYMNASIUM_PREFIX
from hebbevo.errors import EnvError, unknown

# Plain ids only: Gymnasium would import the module of a "module:Env" id, and ids come from files of others.
_PLAIN_ID = re.compile(r"(?:[A-Za-z0-9_-]+/)?[A-Za-z0-9_.-]+", re.ASCII)


class GymnasiumConfig(EnvConfig):
    """A Gymnasium environment's settings; `steps` caps the lifetime besides the id's own time limit."""

    environment: ClassVar[str] = "hebbevo.envs.gymnasium.environment:BatchedGymnasium"
    unit: ClassVar[str] = "reward"
    releases_gil: ClassVar[bool] = False
    camera: ClassVar[CameraSpec | None] = CameraSpec("render")

    name: str

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

    @property
    def id(self) -> str:
        """The Gymnasium id."""
        return self.name.removeprefix(GYMNASIUM_PREFIX)

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        return interface_of(self.id)


@functools.cache
def interface_of(identifier: str) -> EnvironmentInterface:
    """Return the interface of a Gymnasium id, which is made and closed again.

    Raises:
        EnvError: the environment cannot be made, or its spaces cannot be run.
    """
    from hebbevo.envs.gymnasium.spaces import make_environment, read_interface

    environment = make_environment(identifier)
    try:
        return read_interface(identifier, environment)
    finally:
        environment.close()
