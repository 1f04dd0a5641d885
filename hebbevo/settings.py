"""The base of all that a user writes under a name: what is unknown, not finite or no number is refused."""

from __future__ import annotations

import math
import typing
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationInfo, field_validator

_EXACT = 2**53
"""Below this, a float that is a whole number is the one that was written."""


class Settings(BaseModel):
    """Keys and values; every field of numbers states the smallest and the largest one that it takes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @field_validator("*", mode="before")
    @classmethod
    def _numbers_are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse what would become a number by chance: `true` is no 1, and `1e17` may have lost digits."""
        if not isinstance(value, bool | float | list | tuple):
            return value
        kinds = _kinds(cls.model_fields[str(info.field_name)].annotation)
        if kinds & {int, float} and bool not in kinds:
            for number in value if isinstance(value, list | tuple) else (value,):
                if isinstance(number, bool):
                    raise ValueError(f"must be a number, got {str(number).lower()}")
                if isinstance(number, float) and float not in kinds and _EXACT <= abs(number) < math.inf:
                    raise ValueError(f"must be written with all digits, got {number:g}")
        return value


def _kinds(annotation: Any) -> set[Any]:
    """Return the plain types of an annotation, as int and None of `int | None`."""
    if typing.get_origin(annotation) is typing.Literal:
        return {typing.Literal}
    parts = typing.get_args(annotation)
    if typing.get_origin(annotation) is typing.Annotated:
        parts = parts[:1]
    return set().union(*map(_kinds, parts)) if parts else {annotation}
