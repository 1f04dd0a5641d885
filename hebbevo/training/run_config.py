"""The config of a run directory: read, compared with the one of a checkpoint, given another length."""

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
        without_length(current_names(written if isinstance(written, Mapping) else {})),
        without_length(config.model_dump(mode="json")),
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


def prolonged(
    config: Config, generations: int | None, agent_steps: int | None, directory: RunDirectory
) -> Config:
    """Return the config with another length; with neither, as it is.

    Args:
        config: of the run.
        generations: in all; None: the least that leave it to the budget when the run ends.
        agent_steps: the budget; None: the generations end the run.
        directory: of the run.

    Raises:
        InputError: fewer than the run has.
    """
    if generations is None and agent_steps is None:
        return config
    training = config.training
    if generations is None:
        assert agent_steps is not None
        generations = max(training.generations, config.generations_within(agent_steps))
    for key, old, new in (
        ("generations", training.generations, generations),
        ("agent_steps", training.agent_steps, agent_steps),
    ):
        if old is not None and new is not None and new < old:
            raise InputError(f"{key} must be at least {old}, those of {directory.path}, got {new}")
    keys = {**training.model_dump(), "generations": generations, "agent_steps": agent_steps}
    return config.model_copy(update={"training": check_section("training", TrainingConfig, keys)})


def is_longer(old: Config, new: Config) -> bool:
    """Tell whether a config differs from another in nothing but the length of the run, and makes it no shorter."""
    before, after = old.training, new.training
    shorter = after.generations < before.generations or (
        after.agent_steps is not None
        and (before.agent_steps is None or after.agent_steps < before.agent_steps)
    )
    kept = [without_length(config.model_dump(mode="json")) for config in (old, new)]
    return not shorter and kept[0] == kept[1]


def without_length(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without the keys that end a run: no earlier generation depends on them."""
    training = config.get("training")
    if not isinstance(training, Mapping):
        return dict(config)
    kept = {key: value for key, value in training.items() if key not in ("generations", "agent_steps")}
    return {**config, "training": kept}
