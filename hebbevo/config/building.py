"""Nested mappings checked against the schema: the sections of `Config`, each by itself, then together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from hebbevo import envs, search
from hebbevo.config.aliases import current_names
from hebbevo.config.schema import Config
from hebbevo.config.wiring import network_spec, planned_projections
from hebbevo.errors import InputError, unknown
from hebbevo.imports import Import, require
from hebbevo.networks.network_spec import NetworkSpec
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.search import SearchConfig
from hebbevo.validation import check_section, shown

PERTURBATIONS, IMPORTS = "perturbations", "imports"
"""The sections that are lists."""


@dataclass(frozen=True)
class KindOfSection:
    """The dependence of a section's schema on one of the keys.

    Attributes:
        key: names the kind.
        default: kind of a section that does not name one.
        schema: kind -> schema.
        kept: kind -> keys that survive a change to that kind.
    """

    key: str
    default: str
    schema: Callable[[str], type[BaseModel]]
    kept: Callable[[str], Collection[str]]

    def of(self, section: str, values: Mapping[str, Any]) -> str:
        """Return the kind of a section.

        Raises:
            InputError: it is not a text.
        """
        kind = values.get(self.key, self.default)
        if not isinstance(kind, str):
            raise InputError(f"{section}.{self.key} must be a name, got {shown(kind)}")
        return kind


KINDS = {
    # A hopeless lifetime is another one in each environment.
    "env": KindOfSection(
        "name",
        "quadruped",
        envs.config_class,
        lambda name: envs.config_class(name).model_fields.keys() - envs.config_class(name).own_keys,
    ),
    # Algorithms share what the base class has; a learning rate does not mean the same in any two.
    "search": KindOfSection(
        "algorithm", "openai_es", search.config_class, lambda _: SearchConfig.model_fields.keys()
    ),
}
"""Sections whose schema depends on one of the keys."""


def build_config(data: Mapping[str, Any]) -> Config:
    """Check a nested mapping against the schema.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    for key in data:
        if key not in Config.model_fields:
            raise InputError(unknown("config section", str(key), Config.model_fields))
    sections = {**dict.fromkeys(Config.model_fields), **current_names(data)}
    require(build_imports(sections[IMPORTS]), "the config needs more than hebbevo")
    training = sections.pop("training")
    built = build_sections(sections)
    built |= build_sections({"training": _with_penalty(training, built["search"])})
    config = Config(**built)
    _check_perturbations(config)
    _check_levels(config)
    _check_merging(config)
    _check_network(config)
    return config


def build_sections(data: Mapping[str, Any]) -> dict[str, Any]:
    """Check sections of a config, each by itself.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    return {name: _build_section(name, values) for name, values in data.items()}


def _build_section(name: str, values: Any) -> BaseModel | tuple[BaseModel, ...]:
    if name == PERTURBATIONS:
        return _build_perturbations(values)
    if name == IMPORTS:
        return build_imports(values)
    return check_section(name, _schema(name, values or {}), values or {})


def _build_perturbations(values: Any) -> tuple[Perturbation, ...]:
    if values in (None, (), []):
        return ()
    # Few configs perturb: only they load every kind.
    from hebbevo.perturbations.catalogue import build_perturbations

    return build_perturbations(values, PERTURBATIONS)


def build_imports(values: Any) -> tuple[Import, ...]:
    """Check the modules that a run or a genome was made with; nothing is imported.

    Raises:
        InputError: one line with the place.
    """
    if not isinstance(values or (), list | tuple):
        raise InputError(f"{IMPORTS}: expected a list, got {shown(values)}")
    built = []
    for index, item in enumerate(values or ()):
        if not isinstance(item, Mapping):
            raise InputError(f"{IMPORTS}[{index}]: expected name and sha256, got {shown(item)}")
        record = check_section(f"{IMPORTS}[{index}]", Import, item)
        assert isinstance(record, Import)
        built.append(record)
    return tuple(built)


def _schema(section: str, values: Any) -> type[BaseModel]:
    if not isinstance(values, Mapping):
        raise InputError(
            f"{section}: expected keys and values, got {shown(values)}; write {section}.KEY=VALUE"
        )
    if section in KINDS:
        return KINDS[section].schema(KINDS[section].of(section, values))
    schema = Config.model_fields[section].annotation
    assert isinstance(schema, type)
    return schema


def _with_penalty(training: Any, search: SearchConfig) -> Any:
    """Return the keys of `training`, with the algorithm's penalty where they name none."""
    if training is None or (isinstance(training, Mapping) and training.get("penalty") is None):
        return {**(training or {}), "penalty": search.default_penalty}
    return training


def _check_network(config: Config) -> None:
    """Refuse populations and projections that do not fit together, before anything runs."""
    if config.network.actions == "sample" and not config.env.interface.discrete_actions:
        raise InputError(
            f"network.actions: sample needs discrete actions, and those of {config.env.name} are numbers; leave it out"
        )
    if config.network.normalise_observations and config.env.interface.image_shape is not None:
        raise InputError(
            f"network.normalise_observations needs numbers to observe, and {config.env.name} has images; leave it out"
        )
    _check_normalisation(config)
    planned = planned_projections(config.network, config.plasticity)
    if config.network.is_perceptron and config.network.actions == "argmax":
        return
    spec = network_spec(config.network, planned, config.env.interface)
    if config.network.actions == "sample":
        _check_means(spec)


def _check_normalisation(config: Config) -> None:
    training = config.training
    keys = ("normalise_until", "normalise_share", "normalise_except")
    asked = [key for key in keys if getattr(training, key) != type(training).model_fields[key].default]
    if asked and not config.network.normalise_observations:
        raise InputError(
            f"training.{asked[0]} says what network.normalise_observations measures, which is off; set it to true"
        )
    if not training.normalise_except or not config.network.normalise_observations:
        return  # the environment's interface would load NumPy
    size = config.env.interface.observation_size
    if other := [i for i in training.normalise_except if i >= size]:
        raise InputError(
            f"training.normalise_except: {config.env.name} has observations 0 to {size - 1}, got {other[0]}"
        )


def _check_means(spec: NetworkSpec) -> None:
    """Refuse means of an output whose actions are sampled: they are taken before."""
    for projection in spec.projections:
        if projection.window > 1 and spec.output in (projection.source, projection.target):
            raise InputError(
                f"projection {projection.name} has window {projection.window}, and actions are sampled after the "
                "means of the output are taken; leave out plasticity.window there, or network.actions"
            )


def _check_perturbations(config: Config) -> None:
    if config.perturbations:
        from hebbevo.perturbations.catalogue import check_perturbations

        check_perturbations(config.perturbations, config.env)


def _check_merging(config: Config) -> None:
    if config.training.merge_to is not None and not config.search.can_move:
        raise InputError(
            f"training.merge_to changes how many numbers evolve, which search.algorithm {config.search.algorithm} "
            "cannot; use openai_es"
        )


def _check_levels(config: Config) -> None:
    training = config.training
    asks = {
        "training.level_replay": bool(training.level_replay),
        "training.lifetime_seeds: level": training.lifetime_seeds == "level",
    }
    for key, asked in asks.items():
        if asked and not config.env.has_levels:
            raise InputError(
                f"{key} needs an environment with levels, got env.name {config.env.name}; leave it out"
            )
