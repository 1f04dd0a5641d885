"""Checks of the settings that a user wrote: the keys of a section; one line for the first problem."""

from __future__ import annotations

import re
import reprlib
import typing
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from hebbevo.errors import InputError, MissingImport, unknown

_UNION_MEMBER = re.compile(r"str|int|float|bool|(dict|list|tuple)\[.*\]")
"""What pydantic adds to the place of a value that may be of several types."""

_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 60, 60


def check_section(name: str, schema: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """Check one section; a single value where a list is expected is a list of one.

    Raises:
        InputError: one line with the key, the value and the remedy; `MissingImport` where that is what a value lacks.
    """
    listed = dict(values)
    for key, value in values.items():
        field = schema.model_fields.get(key)
        if field is not None and typing.get_origin(field.annotation) is tuple:
            if isinstance(value, str):
                listed[key] = [part.strip() for part in value.split(",")]
            elif not isinstance(value, (list, tuple)):
                listed[key] = [value]
    try:
        return schema.model_validate(listed)
    except ValidationError as error:
        line = _first_problem(name, schema, error)
        for problem in error.errors():
            if isinstance(cause := problem.get("ctx", {}).get("error"), MissingImport):
                raise MissingImport(line, cause.names) from None
        raise InputError(line) from None


def _first_problem(section: str, schema: type[BaseModel], error: ValidationError) -> str:
    """Return one line for the first problem; unknown keys come first, with the nearest known one."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    # of the members of a union, the one that the value comes nearest to
    first = max(
        (one for one in problems if one["loc"][:1] == problems[0]["loc"][:1]), key=lambda one: len(one["loc"])
    )
    key = ".".join([section, *(str(part) for part in first["loc"] if not _UNION_MEMBER.fullmatch(str(part)))])
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return unknown(f"key in {section}", str(first["loc"][0]), schema.model_fields, prefix=f"{section}.")
    message = first["msg"].removeprefix("Value error, ").replace("\n", " ")
    if first["type"] == "value_error":
        return message if message.startswith(key) else f"{key}: {message}"
    return f"{key}: {message[:1].lower()}{message[1:]}, got {shown(first['input'])}"


def shown(value: Any) -> str:
    """Return the start of a value's text: a small YAML file can hold gigabytes of it, by aliases."""
    return _SHORT.repr(value)
