"""Other names of keys and values, former ones above all, which files, overrides and checkpoints may use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hebbevo.errors import InputError

_MOVED = ("generations", "agent_steps", "penalty", "lifetime_seeds", "level_replay")

ALIASES = {f"search.{key}": f"training.{key}" for key in _MOVED} | {
    # a genome that sees normalised observations says so in its network
    "training.normalise_observations": "network.normalise_observations",
}
"""Former or other name -> name, each ``section.key``."""

FORMER_VALUES = {"training.lifetime_seeds": {"track": "level"}}
"""Name -> former value -> value."""


def current_names(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return a nested mapping with every key under its present name, and present values in place of former ones.

    Raises:
        InputError: a key is given under both names.
    """
    renamed = {name: dict(values) if isinstance(values, Mapping) else values for name, values in data.items()}
    for former in former_names(data):
        section, key = ALIASES[former].split(".")
        old_section, old_key = former.split(".")
        value = renamed[old_section].pop(old_key)
        target = renamed.get(section)
        if target is None:
            target = renamed[section] = {}
        if not isinstance(target, dict):  # refused by whoever checks the section
            continue
        if key in target:
            raise InputError(
                f"{former} is the former name of {ALIASES[former]}, got both; give {ALIASES[former]}"
            )
        target[key] = value
    for name, values in FORMER_VALUES.items():
        section, key = name.split(".")
        present = renamed.get(section)
        if isinstance(present, dict) and isinstance(former_value := present.get(key), str):
            present[key] = values.get(former_value, former_value)
    return renamed


def former_names(data: Mapping[str, Any]) -> list[str]:
    """Return the former names, as ``section.key``, that a nested mapping uses."""
    found = []
    for former in ALIASES:
        section, key = former.split(".")
        values = data.get(section)
        if isinstance(values, Mapping) and key in values:
            found.append(former)
    return found
