"""The arms of an experiment, named one by one or as a full factorial.

arms: {plastic: {}, static: {plasticity.rule: none}}            # names and overrides

arms: {plasticity.rule: [hebb, oja], env.stimuli: [4, 8]}       # keys and values: each with each, four arms

arms:                                                           # a list: each of the one with each of the other
- {plastic: {}, static: {plasticity.rule: none}}
- {env.stimuli: [4, 8]}
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from typing import Any, Final

from hebbevo.errors import InputError
from hebbevo.validation import shown

Arms = dict[str, dict[str, Any]]
"""Overrides by name of the arm."""

JOINT: Final = "+"
"""Between the parts of a factorial arm's name."""
LONGEST_NAME: Final = 100

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*", re.ASCII)
_RESERVED = ("figures", "studies")


def read_arms(arms: Any) -> Arms:
    """Return names and overrides of all arms, in their order.

    Raises:
        InputError: arms that cannot be read, or names that no folder can have.
    """
    factors = [factor for part in (arms if isinstance(arms, list) else [arms]) for factor in _factors(part)]
    if not factors:
        raise InputError("arms: there is none; write arms: {NAME: {KEY: VALUE}}")
    found: Arms = {}
    for combination in itertools.product(*(factor.items() for factor in factors)):
        name = JOINT.join(level for level, _ in combination)
        if name in found:
            raise InputError(f"arms: two are called {name!r}; give them names: {{NAME: {{KEY: VALUE}}}}")
        found[check_name(name)] = _together(name, [overrides for _, overrides in combination])
    return found


def check_name(name: str) -> str:
    """Return the name of an arm.

    Raises:
        InputError: it cannot be that of a folder, or stands for something else.
    """
    if len(name) > LONGEST_NAME or not _NAME.fullmatch(name) or name in _RESERVED:
        raise InputError(
            f"arms: {shown(name)} cannot name an arm; use up to {LONGEST_NAME} letters, digits and ._+- "
            f"(and not {', '.join(_RESERVED)})"
        )
    return name


def _factors(part: Any) -> list[Arms]:
    """Return the factors of a mapping: one of named levels, or one for each key with its values."""
    if not isinstance(part, Mapping) or not all(isinstance(name, str) for name in part):
        raise InputError(
            f"arms: expected names and overrides, got {shown(part)}; write {{NAME: {{KEY: VALUE}}}}"
        )
    if all(isinstance(values, list) for values in part.values()):
        return [_values_of(key, values) for key, values in part.items()]
    for name, overrides in part.items():
        if not isinstance(overrides, Mapping | None):
            raise InputError(
                f"arms: {shown(name)} holds {shown(overrides)}; write {{KEY: VALUE}} for an arm of that name, "
                "or a list of values for every key"
            )
    return [{name: dict(overrides or {}) for name, overrides in part.items()}]


def _values_of(key: str, values: list[Any]) -> Arms:
    """Return a level for each value of a key, called after both: ``stimuli-4``."""
    levels = {f"{key.rpartition('.')[2]}-{_as_name(value)}": {key: value} for value in values}
    if len(levels) < len(values) or not values:
        raise InputError(
            f"arms: the values of {key} need names that differ; write {{NAME: {{{key}: VALUE}}}}"
        )
    return levels


def _as_name(value: Any) -> str:
    if isinstance(value, list):
        return "-".join(map(_as_name, value))
    if isinstance(value, bool):
        return str(value).lower()
    return "none" if value is None else str(value)


def _together(name: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the overrides of several levels in one, whose keys must differ."""
    together: dict[str, Any] = {}
    for overrides in parts:
        for key, value in overrides.items():
            if key in together:
                raise InputError(f"arms: two factors set {shown(key)} in {name}; let one of them set it")
            together[key] = value
    return together
