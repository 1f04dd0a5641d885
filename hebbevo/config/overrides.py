"""Overrides, as text (`search.population=64`) or as a mapping (`{"search.population": 64}`), read as layers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from hebbevo.config.building import PERTURBATIONS
from hebbevo.config.layers import Layer, names_kind
from hebbevo.config.schema import Config
from hebbevo.errors import InputError
from hebbevo.io.yaml_text import read_yaml
from hebbevo.validation import shown

_TEXT_KEYS = {"plasticity.rule", "plasticity.initial_weights", "plasticity.initial_coefficients", "env.name"}

Overrides = Iterable[str] | Mapping[str, Any]


def read_overrides(overrides: Overrides) -> list[Layer]:
    """Return a layer per override.

    The kind of a section comes first: it drops keys of earlier layers, and none that stand beside it.

    Args:
        overrides: ``key=value`` texts, whose values are YAML; or a mapping from keys to values, which are taken as
            they are. A key is ``section.key``; in a mapping also a section, whose value is then a mapping.

    Raises:
        InputError: a key or a value that cannot be read.
    """
    if isinstance(overrides, Mapping):
        layers = [_from_item(key, value) for key, value in overrides.items()]
    else:
        layers = [_from_text(text) for text in overrides]
    return sorted(layers, key=lambda layer: not names_kind(layer))


def _from_item(key: Any, value: Any) -> Layer:
    if not isinstance(key, str):
        raise InputError(
            f"the key of an override must be a text, got {shown(key)}; write 'search.population'"
        )
    if key in Config.model_fields and (isinstance(value, Mapping) or key == PERTURBATIONS):
        return {key: value}
    return _nested(_parts(key, key), value)


def _from_text(text: str) -> Layer:
    """Turn ``a.b=value`` into ``{"a": {"b": value}}``; the value is YAML, or as it stands for text keys."""
    key, separator, raw = text.partition("=")
    if separator and key.strip() == PERTURBATIONS:
        return {PERTURBATIONS: read_yaml(raw, PERTURBATIONS) if raw.lstrip().startswith("[") else raw}
    parts = _parts(key if separator else "", text)
    if ".".join(parts) in _TEXT_KEYS and not raw.lstrip().startswith("{"):
        return _nested(parts, raw)
    return _nested(parts, read_yaml(raw, f"cannot read the value of {shown(key)}, {shown(raw)}"))


def _parts(key: str, text: str) -> list[str]:
    parts = key.strip().split(".")
    if len(parts) < 2 or not all(parts):
        raise InputError(
            f"cannot read the override {shown(text)}; write SECTION.KEY=VALUE, as search.population=64"
        )
    return parts


def _nested(parts: list[str], value: Any) -> Layer:
    for part in reversed(parts):
        value = {part: value}
    return dict(value)
