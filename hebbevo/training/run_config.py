"""The config of a run directory: read, compared with the one of a checkpoint, given more generations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hebbevo.config.aliases import current_names
from hebbevo.config.building import build_config
from hebbevo.config.difference import difference
from hebbevo.config.schema import Config
from hebbevo.config.training import TrainingConfig
from hebbevo.errors import InputError, MissingImport
from hebbevo.imports import changed
from hebbevo.io.yaml_text import read_yaml
from hebbevo.training.checkpoints import Checkpoint
from hebbevo.training.run_directory import RunDirectory
from hebbevo.validation import check_section


def read_config(directory: RunDirectory) -> Config:
    """Return the config of a run directory.

    Raises:
        InputError: config.yaml cannot be read, or is no config.
    """
    try:
        data = read_yaml(directory.config_path.read_text(encoding="utf-8"), str(directory.config_path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {directory.config_path}: {error}; restore it") from None
    if not isinstance(data, dict):
        raise InputError(f"{directory.config_path} is not a config; restore it")
    try:
        return build_config(data)
    except MissingImport as error:
        raise MissingImport(f"{directory.config_path}: {error}", error.names) from None
    except InputError as error:
        raise InputError(f"{directory.config_path}: {error}") from None


def check_same_config(config: Config, checkpoint: Checkpoint, directory: RunDirectory) -> None:
    """Refuse a config that differs from the one of a checkpoint in more than the length of the run.

    Raises:
        InputError: with every difference.
    """
    written = checkpoint.header.get("config")
    changed = difference(
        _without_length(current_names(written if isinstance(written, Mapping) else {})),
        _without_length(config.model_dump(mode="json")),
    )
    if changed:
        raise InputError(
            f"{directory.config_path} does not match the checkpoint of generation {checkpoint.generation}: "
            f"{'; '.join(changed)}; undo the change, or evolve into another directory"
        )


def check_same_imports(config: Config, directory: RunDirectory) -> None:
    """Refuse modules of another content than those that a run was begun with.

    Raises:
        InputError: with each of them.
    """
    if difference := changed(config.imports):
        raise InputError(
            f"{directory.path} cannot go on: {difference}; restore it, or evolve into another directory"
        )


def prolonged(config: Config, generations: int, directory: RunDirectory) -> Config:
    """Return the config with more generations and without a budget of steps.

    Raises:
        InputError: fewer generations than the run has.
    """
    current = config.training.generations
    if generations < current:
        raise InputError(
            f"generations must be at least {current}, those of {directory.path}, got {generations}"
        )
    if generations > current or config.training.agent_steps is not None:
        keys = {**config.training.model_dump(), "generations": generations, "agent_steps": None}
        training = check_section("training", TrainingConfig, keys)
        return config.model_copy(update={"training": training})
    return config


def _without_length(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without the keys that end a run: no earlier generation depends on them."""
    training = config.get("training")
    if not isinstance(training, Mapping):
        return dict(config)
    kept = {key: value for key, value in training.items() if key not in ("generations", "agent_steps")}
    return {**config, "training": kept}
