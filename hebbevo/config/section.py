"""The base of the sections of a configuration, and keys that appear in files only where they say something."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from pydantic import ConfigDict, Field

from hebbevo.settings import Settings


class Section(Settings):
    """Keys and values under one name; unknown keys are refused."""

    model_config = ConfigDict(ignored_types=(cached_property,))


def optional(default: Any, **settings: Any) -> Any:
    """Return a field that files leave out at its default.

    A key added to a section is declared so: configs, checkpoints and genomes of runs that do not use it keep their
    bytes, and older versions can read them.

    Args:
        default: the value of the key where it is not given.
        settings: of `pydantic.Field`.
    """
    return Field(default=default, exclude_if=lambda value: value == default, **settings)
