"""The configuration of a run: presets and YAML files, overrides as `key=value`, all checked against the schema.

Layers, later ones win: schema defaults, a preset, a YAML file (which may name its `preset:`), overrides. A layer
that changes `env.name` or `search.algorithm` drops keys of earlier layers that belong to the former kind.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from importlib import resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from hebbevo import envs, search
from hebbevo.config.aliases import ALIASES, current_names, former_names
from hebbevo.config.schema import Config
from hebbevo.errors import InputError, unknown
from hebbevo.perturbations.catalogue import build_perturbations, check_perturbations
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.search import SearchConfig
from hebbevo.validation import YAML_ERRORS, check_section, read_yaml, shown

__all__ = [
    "PERTURBATIONS",
    "Config",
    "build_config",
    "build_sections",
    "difference",
    "load_config",
    "preset_names",
]

KINDS = {"env": "name", "search": "algorithm"}
"""Sections whose schema depends on one of their keys."""

PERTURBATIONS = "perturbations"
"""The one section that is a list."""

_TEXT_KEYS = {"plasticity.rule", "plasticity.initial_weights", "plasticity.initial_coefficients", "env.name"}


def preset_names() -> list[str]:
    """Return the names of the shipped presets, sorted."""
    files = (resources.files("hebbevo.config") / "presets").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def load_config(source: str | Path, overrides: Iterable[str] = ()) -> Config:
    """Resolve a preset's name or a YAML file, and overrides.

    Args:
        source: a preset, or a path that ends in ``.yaml`` or ``.yml``.
        overrides: ``key=value`` each, such as ``search.population=64``.

    Raises:
        InputError: anything unknown or out of range; one line with the place and the remedy.
    """
    # a kind comes first, so that it drops keys of the preset and none that were typed before it
    typed = sorted((_override(text) for text in overrides), key=lambda layer: not _sets_kind(layer))
    layers = (*_base_layers(str(source)), *typed)
    merged: dict[str, Any] = {}
    for layer in layers:
        merged = _merge(merged, current_names(layer))
    try:
        return build_config(merged)
    except InputError as error:
        for former in (name for layer in layers for name in former_names(layer)):
            if str(error).startswith(ALIASES[former]):
                raise InputError(f"{error} ({former} is its former name)") from None
        raise


def build_config(data: Mapping[str, Any]) -> Config:
    """Check a nested mapping against the schema.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    for key in data:
        if key not in Config.model_fields:
            raise InputError(unknown("config section", str(key), Config.model_fields))
    sections = {**dict.fromkeys(Config.model_fields), **current_names(data)}
    built = build_sections({name: values for name, values in sections.items() if name != "training"})
    training = _with_penalty(sections["training"], built["search"])
    config = Config(**built, **build_sections({"training": training}))
    check_perturbations(config.perturbations, config.env)
    if config.training.level_replay and not config.env.has_levels:
        raise InputError(
            f"training.level_replay needs an environment with tracks, got env.name {config.env.name}; leave it out"
        )
    return config


def _with_penalty(training: Any, search: SearchConfig) -> Any:
    """Return the keys of `training`, the algorithm's penalty among them where they name none."""
    if training is None or (isinstance(training, Mapping) and training.get("penalty") is None):
        return {**(training or {}), "penalty": search.default_penalty}
    return training


def build_sections(data: Mapping[str, Any]) -> dict[str, Any]:
    """Check each section of a config by itself.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    return {name: _build_section(name, values) for name, values in data.items()}


def _build_section(name: str, values: Any) -> BaseModel | tuple[Perturbation, ...]:
    if name == PERTURBATIONS:
        return build_perturbations(values, name)
    return check_section(name, _schema(name, values or {}), values or {})


def _schema(section: str, values: Any) -> type[BaseModel]:
    if not isinstance(values, Mapping):
        raise InputError(
            f"{section}: expected keys and values, got {shown(values)}; write {section}.KEY=VALUE"
        )
    if section == "env":
        return envs.config_class(_kind(values, section, "quadruped"))
    if section == "search":
        return search.config_class(_kind(values, section, "openai_es"))
    schema = Config.model_fields[section].annotation
    assert isinstance(schema, type)
    return schema


def difference(old: Mapping[str, Any], new: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return ``key: old -> new`` for every value that differs between two nested mappings."""
    lines = []
    for key in dict.fromkeys((*old, *new)):
        a, b, name = old.get(key), new.get(key), f"{prefix}{key}"
        if isinstance(a, Mapping) and isinstance(b, Mapping):
            lines += difference(a, b, f"{name}.")
        elif a != b:
            lines.append(f"{name}: {a!r} -> {b!r}")
    return lines


def _kind(values: Mapping[str, Any], section: str, default: str) -> str:
    kind = values.get(KINDS[section], default)
    if not isinstance(kind, str):
        raise InputError(f"{section}.{KINDS[section]} must be a name, got {shown(kind)}")
    return kind


def _base_layers(source: str) -> list[dict[str, Any]]:
    if not source.endswith((".yaml", ".yml")):
        return [_read_preset(source)]
    path = Path(source)
    try:
        data = read_yaml(path.read_text(encoding="utf-8"), source)
    except FileNotFoundError:
        raise InputError(f"no config file {source}; the presets are {', '.join(preset_names())}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {source}: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{source}: expected sections such as env: and search:, got {type(data).__name__}")
    preset = data.pop("preset", None)
    return [*([_read_preset(str(preset))] if preset is not None else []), data]


def _read_preset(name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise InputError(unknown("preset", name, preset_names()) + " (a config file ends in .yaml)")
    text = (resources.files("hebbevo.config") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _override(text: str) -> dict[str, Any]:
    """Turn ``a.b=value`` into ``{"a": {"b": value}}``; the value is YAML, or as it stands for text keys."""
    key, separator, raw = text.partition("=")
    parts = key.strip().split(".")
    if separator and parts == [PERTURBATIONS]:
        return {PERTURBATIONS: read_yaml(raw, PERTURBATIONS) if raw.lstrip().startswith("[") else raw}
    if not separator or len(parts) < 2 or not all(parts):
        raise InputError(
            f"cannot read the override {shown(text)}; write SECTION.KEY=VALUE, as search.population=64"
        )
    value: Any = raw
    if ".".join(parts) not in _TEXT_KEYS or raw.lstrip().startswith("{"):
        try:
            value = yaml.safe_load(raw)
        except YAML_ERRORS:
            raise InputError(
                f"cannot read the value of {shown(key)}: {shown(raw)} is not YAML; quote it"
            ) from None
    for part in reversed(parts):
        value = {part: value}
    return dict(value)


def _sets_kind(layer: Mapping[str, Any]) -> bool:
    return any(section in KINDS and KINDS[section] in values for section, values in layer.items())


def _merge(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = copy.deepcopy(dict(base))
    for section, values in changes.items():
        if values is None:  # a section of a file in which every line is commented out
            merged.setdefault(section, None)
            continue
        old = merged.get(section)
        if isinstance(old, Mapping) and isinstance(values, Mapping):
            if section in KINDS and values.get(KINDS[section], old.get(KINDS[section])) != old.get(
                KINDS[section]
            ):
                old = _known_keys(section, _kind(values, section, ""), old)
            merged[section] = _merge_values(old, values)
        else:
            merged[section] = values
    return merged


def _merge_values(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge keys of a section; a text beside a mapping (sharing) is what all keys not named have."""
    merged = dict(old)
    for key, value in new.items():
        before = merged.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            value = {**before, **value}
        elif isinstance(value, Mapping) and key == "sharing" and isinstance(before, str):
            value = {"default": before, **value}
        merged[key] = value
    return merged


def _known_keys(section: str, kind: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return what another kind keeps: of a search, what all share; a learning rate is not the same to any two."""
    schema: type[BaseModel] = envs.config_class(kind) if section == "env" else SearchConfig
    return {key: value for key, value in values.items() if key in schema.model_fields}
