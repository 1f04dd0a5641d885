"""The shipped configurations, by name; each is a YAML file in `presets/` whose first line says what it is for."""

from __future__ import annotations

from importlib import resources
from typing import Any

from hebbevo.errors import InputError, unknown
from hebbevo.io.yaml_text import read_yaml


def preset_names() -> list[str]:
    """Return the names of the shipped presets, sorted."""
    files = (resources.files("hebbevo.config") / "presets").iterdir()
    return sorted(file.name.removesuffix(".yaml") for file in files if file.name.endswith(".yaml"))


def preset_text(name: str) -> str:
    """Return the YAML of a preset.

    Raises:
        InputError: there is none of that name.
    """
    if name not in preset_names():
        raise InputError(unknown("preset", name, preset_names()) + " (a config file ends in .yaml)")
    return (resources.files("hebbevo.config") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")


def read_preset(name: str) -> dict[str, Any]:
    """Return the sections of a preset; see `preset_text`."""
    return dict(read_yaml(preset_text(name), f"preset {name}"))
