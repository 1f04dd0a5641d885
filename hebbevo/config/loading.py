"""The configuration of a run: presets and YAML files, overrides, all checked against the schema.

Layers, later ones win: schema defaults, a preset, a YAML file (which may name its `preset:`), overrides.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hebbevo import envs
from hebbevo.config.aliases import ALIASES, former_names
from hebbevo.config.building import IMPORTS, KINDS, build_config
from hebbevo.config.catalogue import preset_names, read_preset
from hebbevo.config.layers import Layer, merge_layers
from hebbevo.config.overrides import Overrides, read_overrides
from hebbevo.config.schema import Config
from hebbevo.config.wiring import planned_projections
from hebbevo.errors import InputError
from hebbevo.imports import import_modules, imported
from hebbevo.io.yaml_text import read_yaml
from hebbevo.rules import check_intent
from hebbevo.validation import shown

_FILE_KEYS = ("file", "bodies")
"""Keys of `env` that may name files."""


def load_config(source: str | Path | Mapping[str, Any], overrides: Overrides = ()) -> Config:
    """Resolve a configuration.

    Modules that a file names under ``imports:`` are imported; the config has all that were, with their hashes.

    Args:
        source: a preset; a path that ends in ``.yaml`` or ``.yml``; or a mapping, as such a file holds it.
        overrides: ``key=value`` each, as ``search.population=64``; or a mapping, ``{"search.population": 64}``.

    Raises:
        InputError: anything unknown or out of range; one line with the place and the remedy.
    """
    layers = [*_base_layers(source), *read_overrides(overrides)]
    try:
        config = build_config({**_resolved(merge_layers(layers)), IMPORTS: _imports(layers)})
        _check_intent(config)
        return config
    except InputError as error:
        for former in (name for layer in layers for name in former_names(layer)):
            if str(error).startswith(ALIASES[former]):
                raise InputError(f"{error} ({former} is the former name)") from None
        raise


def _resolved(data: Layer) -> Layer:
    """Put the content of files that a user's config names in the place of their paths."""
    env = data.get("env")
    if not isinstance(env, Mapping) or not any(key in env for key in _FILE_KEYS):
        return data
    kind = KINDS["env"]
    schema = envs.config_class(kind.of("env", env))
    if isinstance(env.get("bodies"), str):
        env = {**env, "bodies": read_bodies(env["bodies"])}
    return {**data, "env": schema.resolve(env)}


def read_bodies(path: str | Path) -> dict[str, Any]:
    """Return the bodies in a YAML file by name, which nothing has checked.

    Raises:
        InputError: no such file, or no mapping.
    """
    bodies = read_yaml(_read(Path(path), "file of bodies"), str(path))
    if not isinstance(bodies, dict):
        raise InputError(f"{path}: expected bodies by name, got {shown(bodies)}")
    return bodies


def as_config(source: Config | str | Path | Mapping[str, Any], overrides: Overrides = ()) -> Config:
    """Return a config, read where its source is given; see `load_config`.

    Raises:
        InputError: it cannot be read, or overrides come too late.
    """
    if not isinstance(source, Config):
        return load_config(source, overrides)
    if overrides:
        raise InputError("a resolved config takes no overrides; give them to load_config")
    return source


def _imports(layers: list[Layer]) -> list[Any]:
    """Return what was imported, and before it what a run's config names beyond that, which will be asked for."""
    here = [record.model_dump() for record in imported()]
    names = [record["name"] for record in here]
    recorded = [item for layer in layers for item in layer.get(IMPORTS) or ()]
    return [*(item for item in recorded if item.get("name") not in names), *here]


def _import_own(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Import the modules that a user's config names; leave those that it says it was run with."""
    named = data.get(IMPORTS) or []
    if not isinstance(named, list | tuple):
        named = [named]
    if not all(isinstance(name, str | Mapping) for name in named):
        raise InputError(f"{IMPORTS}: expected a list of modules and FILE.py, got {shown(named)}")
    import_modules([name for name in named if isinstance(name, str)], folder)
    return {**data, IMPORTS: [name for name in named if not isinstance(name, str)]}


def _check_intent(config: Config) -> None:
    """Refuse rules that would not learn as their text suggests; runs and genomes of before are not asked."""
    for planned in planned_projections(config.network, config.plasticity):
        own = planned.plasticity
        try:
            check_intent(own.parsed_rule, blind=own.blind, coefficients=own.coefficients)
        except InputError as error:
            where = f"rule of {planned.name}" if planned.own_rule else "plasticity.rule"
            raise InputError(f"{where}: {error}") from None


def _base_layers(source: str | Path | Mapping[str, Any]) -> list[Layer]:
    if isinstance(source, Mapping):
        return _with_preset(_import_own(dict(source), Path()))
    name = str(source)
    if not name.endswith((".yaml", ".yml")):
        return [read_preset(name)]
    data = read_yaml(_read(Path(name), "config file"), name)
    if not isinstance(data, dict):
        raise InputError(f"{name}: expected sections such as env: and search:, got {type(data).__name__}")
    folder = Path(name).parent
    return _with_preset(_in_folder(_import_own(data, folder), folder))


def _in_folder(data: dict[str, Any], folder: Path) -> dict[str, Any]:
    """Let the paths in a config file start from its own folder."""
    env = data.get("env")
    if not isinstance(env, Mapping):
        return data
    found = {key: str(folder / env[key]) for key in _FILE_KEYS if isinstance(env.get(key), str)}
    return {**data, "env": {**env, **found}}


def _with_preset(data: dict[str, Any]) -> list[Layer]:
    preset = data.pop("preset", None)
    return [*([read_preset(str(preset))] if preset is not None else []), data]


def _read(path: Path, kind: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        presets = (
            f"; the presets are {', '.join(preset_names())}" if kind == "config file" else "; check the path"
        )
        raise InputError(f"no {kind} {path}{presets}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {error}") from None
