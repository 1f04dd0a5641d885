"""Layers of a configuration, merged so that later ones win.

A layer that changes the kind of a section (`env.name`, `search.algorithm`) drops keys of earlier layers that belong to
the former kind; one with another rule (`plasticity.rule`) those that were said of the former, and sets what suits it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any

from hebbevo.config.aliases import current_names
from hebbevo.config.building import KINDS
from hebbevo.config.plasticity import for_another_rule

Layer = dict[str, Any]
"""Section -> key -> value."""

_PLASTICITY, _RULE = "plasticity", "rule"


def merge_layers(layers: Iterable[Mapping[str, Any]]) -> Layer:
    """Return one nested mapping, with every key under its present name.

    Raises:
        InputError: a layer gives a key under two names, or a kind that is no text.
    """
    merged: Layer = {}
    for layer in layers:
        merged = _merge(merged, current_names(layer))
    return merged


def names_kind(layer: Mapping[str, Any]) -> bool:
    """Return whether a layer names the kind of a section, or the rule."""
    keys = {section: kind.key for section, kind in KINDS.items()} | {_PLASTICITY: _RULE}
    return any(
        section in keys and isinstance(values, Mapping) and keys[section] in values
        for section, values in layer.items()
    )


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> Layer:
    merged = copy.deepcopy(dict(base))
    for section, values in changes.items():
        if values is None:  # a section of a file in which every line is commented out
            merged.setdefault(section, None)
            continue
        old = merged.get(section)
        if isinstance(old, Mapping) and isinstance(values, Mapping):
            merged[section] = _merge_values(_surviving(section, old, values), values)
        else:
            merged[section] = values
    return merged


def _surviving(section: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the keys of a section that a change of kind leaves: all where the kind stays."""
    if section == _PLASTICITY and _is_another(new.get(_RULE), old.get(_RULE)):
        return for_another_rule(old, new[_RULE])
    kind = KINDS.get(section)
    if kind is None or new.get(kind.key, old.get(kind.key)) == old.get(kind.key):
        return old
    kept = kind.kept(kind.of(section, new))
    return {key: value for key, value in old.items() if key in kept}


def _is_another(new: Any, old: Any) -> bool:
    """Return whether a layer brings a rule of its own, and does not only change states of a former one."""
    return new is not None and new != old and not (isinstance(new, Mapping) and isinstance(old, Mapping))


def _merge_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge keys of a section; a text beside a mapping (sharing) is the value of all keys that the mapping lacks."""
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            value = {**before, **value}
        elif isinstance(value, Mapping) and key == "sharing" and isinstance(before, str):
            value = {"default": before, **value}
        merged[key] = value
    return merged
