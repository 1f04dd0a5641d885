"""The configuration of a run: presets and YAML files, overrides as `key=value`, all checked against the schema.

Layers, later ones win: schema defaults, a preset, a YAML file (which may name its `preset:`), overrides. A layer
that changes `env.name` or `search.algorithm` drops keys of earlier layers that belong to the former kind.
"""

from __future__ import annotations

import copy
import difflib
import reprlib
import typing
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializeAsAny,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
    model_validator,
)

from hebbevo import envs, search
from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.perturbation import Perturbation
from hebbevo.rules import Distribution, Rule, RuleError, parse, resolve_sharing
from hebbevo.search import SearchConfig

KINDS = {"env": "name", "search": "algorithm"}
"""Sections whose schema depends on one of their keys."""

PERTURBATIONS = "perturbations"
"""The one section that is a list."""

_TEXT_KEYS = {"plasticity.rule", "plasticity.initial_weights", "plasticity.initial_coefficients", "env.name"}
_EVOLVED = "evolved"
_YAML_ERRORS = (
    yaml.YAMLError,
    RecursionError,  # deep nesting
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),  # `!!bool x`, `2020-13-45`, ...
)
_SHORT = reprlib.Repr()
_SHORT.maxlevel, _SHORT.maxstring, _SHORT.maxother = 2, 60, 60


class _Section(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, allow_inf_nan=False, ignored_types=(cached_property,)
    )


class ConvolutionConfig(_Section):
    """A convolution without bias or padding, then tanh, then the maximum of every `pool` x `pool` block."""

    channels: int = Field(ge=1, le=1024)
    kernel: int = Field(ge=1, le=31)
    stride: int = Field(default=1, ge=1, le=31)
    pool: int = Field(default=1, ge=1, le=31)


class EncoderConfig(_Section):
    """How images become the features that the plastic layers see; static, evolved. Najarro & Risi's by default."""

    image_size: int | None = Field(
        default=84,
        ge=1,
        description="frames are resized to so many pixels a side by area averaging; null: not",
    )
    convolutions: tuple[ConvolutionConfig, ...] = Field(
        default=(
            ConvolutionConfig(channels=6, kernel=3, stride=1, pool=2),
            ConvolutionConfig(channels=8, kernel=5, stride=2, pool=2),
        ),
        description="each with tanh and max pooling",
    )
    weights: str = Field(
        default="normal(0, 1)", description="distribution of the first centre's convolutions"
    )

    @field_validator("weights")
    @classmethod
    def _distribution_parses(cls, text: str) -> str:
        Distribution.parse(text)
        return text


class NetworkConfig(_Section):
    """A multilayer perceptron without biases, behind an encoder where the environment observes images."""

    hidden: tuple[typing.Annotated[int, Field(ge=1, le=100_000)], ...] = Field(
        default=(128, 64), description="neurons of each hidden layer"
    )
    activation: Literal["tanh", "relu", "sigmoid", "identity"] = Field(
        default="tanh", description="of the hidden layers"
    )
    output: Literal["tanh", "raw"] = Field(
        default="tanh",
        description="what `post` is in the last layer: the action, or the sum, which tanh (sigmoid where an action has "
        "one sign) bounds only for the environment",
    )
    encoder: EncoderConfig | None = Field(
        default=None, description="for images; null is Najarro & Risi's there, and none elsewhere"
    )

    @model_serializer(mode="wrap")
    def _without_defaults(self, handler: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
        """Leave out what runs and genomes of older versions do not know, where it says nothing."""
        data = handler(self)
        unsaid = {"output": "tanh", "encoder": None}
        return {key: value for key, value in data.items() if key not in unsaid or value != unsaid[key]}


class PlasticityConfig(_Section):
    """The rule, who shares its coefficients, and the weights at birth."""

    rule: str | dict[str, str] = Field(
        default="ABCD_lr", description="a name, an equation, or an equation per state"
    )
    sharing: str | dict[str, str] = Field(
        default="synapse", description="for all coefficients, or per coefficient"
    )
    normalise: Literal["none", "max", "var", "clip"] = Field(default="none", description="after every update")
    initial_weights: str = Field(
        default="uniform(-0.1, 0.1)",
        description="a distribution, new in every lifetime; or `evolved [from DISTRIBUTION]`: in the genome",
    )
    initial_coefficients: str = Field(default="normal(0, 1)", description="distribution of the first centre")

    @model_validator(mode="before")
    @classmethod
    def _static_weights_evolve(cls, data: Any) -> Any:
        if isinstance(data, Mapping) and data.get("rule") == "none" and "initial_weights" not in data:
            return {**data, "initial_weights": _EVOLVED}
        return data

    @field_validator("rule")
    @classmethod
    def _rule_parses(cls, rule: str | dict[str, str]) -> str | dict[str, str]:
        parse(rule)
        return rule

    @model_validator(mode="after")
    def _fits_together(self) -> PlasticityConfig:
        resolve_sharing(self.parsed_rule, self.sharing)
        Distribution.parse(self.initial_coefficients)
        if not self.parsed_rule.coefficients and not self.weights_evolve:
            raise RuleError(
                f"rule {self.parsed_rule.name!r} has no coefficients, so there is nothing to evolve; "
                "use initial_weights: evolved"
            )
        return self

    @cached_property
    def parsed_rule(self) -> Rule:
        """The rule."""
        return parse(self.rule)

    @property
    def weights_evolve(self) -> bool:
        """Whether the genome holds the weights at birth."""
        return self.initial_weights.split()[:1] == [_EVOLVED]

    @cached_property
    def weight_distribution(self) -> Distribution:
        """Distribution of the weights at birth, or of the first centre's weights where they evolve."""
        text = self.initial_weights
        if self.weights_evolve:
            text = (
                text.strip().removeprefix(_EVOLVED).strip().removeprefix("from").strip()
                or "uniform(-0.1, 0.1)"
            )
        return Distribution.parse(text)

    @field_validator("initial_weights")
    @classmethod
    def _distribution_parses(cls, text: str) -> str:
        _ = cls.model_construct(initial_weights=text).weight_distribution
        return text


class EvaluationConfig(_Section):
    """How the centre is measured on fresh seeds."""

    every: int = Field(
        default=10, ge=1, description="generations between evaluations; the last one always is"
    )
    episodes: int = Field(default=16, ge=1, description="lifetimes per morphology, full length")


class RunConfig(_Section):
    """The rest."""

    seed: int = Field(default=0, ge=0, lt=2**63, description="every random number of the run follows from it")


class Config(_Section):
    """A whole run."""

    env: SerializeAsAny[EnvConfig]
    network: NetworkConfig = NetworkConfig()
    plasticity: PlasticityConfig = PlasticityConfig()
    search: SerializeAsAny[SearchConfig]
    evaluation: EvaluationConfig = EvaluationConfig()
    run: RunConfig = RunConfig()
    perturbations: tuple[SerializeAsAny[Perturbation], ...] = ()

    @model_serializer(mode="wrap")
    def _without_empty_perturbations(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave the section out where nothing happens, as runs had it before there was one."""
        data: dict[str, Any] = serialize(self)
        if not self.perturbations:
            del data["perturbations"]
        return data

    def to_yaml(self) -> str:
        """Return the resolved configuration."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, width=100)


def preset_names() -> list[str]:
    """Return the names of the shipped presets, sorted."""
    files = (resources.files("hebbevo") / "presets").iterdir()
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
    merged: dict[str, Any] = {}
    for layer in (*_base_layers(str(source)), *typed):
        merged = _merge(merged, layer)
    return build_config(merged)


def build_config(data: Mapping[str, Any]) -> Config:
    """Check a nested mapping against the schema.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    for key in data:
        if key not in Config.model_fields:
            raise InputError(_unknown("config section", str(key), Config.model_fields))
    from hebbevo.perturbations import check_perturbations

    sections = build_sections({**dict.fromkeys(Config.model_fields), **data})
    check_perturbations(sections["perturbations"], sections["env"])
    return Config(**sections)


def build_sections(data: Mapping[str, Any]) -> dict[str, Any]:
    """Check each section of a config by itself.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    return {name: _build_section(name, values) for name, values in data.items()}


def _build_section(name: str, values: Any) -> BaseModel | tuple[Perturbation, ...]:
    if name == PERTURBATIONS:
        from hebbevo.perturbations import build_perturbations

        return build_perturbations(values, name)
    return check_section(name, _schema(name, values or {}), values or {})


def _schema(section: str, values: Any) -> type[BaseModel]:
    if not isinstance(values, Mapping):
        raise InputError(
            f"{section}: expected keys and values, got {_shown(values)}; write {section}.KEY=VALUE"
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
        raise InputError(f"{section}.{KINDS[section]} must be a name, got {_shown(kind)}")
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


def read_yaml(text: str, where: str) -> Any:
    """Return what a YAML text holds.

    Raises:
        InputError: it is not YAML; one line with the place.
    """
    try:
        return yaml.safe_load(text)
    except _YAML_ERRORS as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise InputError(f"{where}{place}: {problem}; correct the YAML".replace("\n", " ")) from None


def _read_preset(name: str) -> dict[str, Any]:
    if name not in preset_names():
        raise InputError(_unknown("preset", name, preset_names()) + " (a config file ends in .yaml)")
    text = (resources.files("hebbevo") / "presets" / f"{name}.yaml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


def _override(text: str) -> dict[str, Any]:
    """Turn ``a.b=value`` into ``{"a": {"b": value}}``; the value is YAML, or as it stands for text keys."""
    key, separator, raw = text.partition("=")
    parts = key.strip().split(".")
    if separator and parts == [PERTURBATIONS]:
        return {PERTURBATIONS: read_yaml(raw, PERTURBATIONS) if raw.lstrip().startswith("[") else raw}
    if not separator or len(parts) < 2 or not all(parts):
        raise InputError(
            f"cannot read the override {_shown(text)}; write SECTION.KEY=VALUE, as search.population=64"
        )
    value: Any = raw
    if ".".join(parts) not in _TEXT_KEYS or raw.lstrip().startswith("{"):
        try:
            value = yaml.safe_load(raw)
        except _YAML_ERRORS:
            raise InputError(
                f"cannot read the value of {_shown(key)}: {_shown(raw)} is not YAML; quote it"
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


def check_section(name: str, schema: type[BaseModel], values: Mapping[str, Any]) -> BaseModel:
    """Check one section; a single value where a list is expected is a list of one.

    Raises:
        InputError: one line with the key, the value and the remedy.
    """
    listed = dict(values)
    for key, value in values.items():
        field = schema.model_fields.get(key)
        if field is not None and typing.get_origin(field.annotation) is tuple:
            if isinstance(value, str):
                listed[key] = [part.strip() for part in value.split(",")]
            elif not isinstance(value, (list, tuple)):
                listed[key] = [value]
    try:
        return schema.model_validate(listed)
    except ValidationError as error:
        raise InputError(_first_problem(name, schema, error)) from None


def _first_problem(section: str, schema: type[BaseModel], error: ValidationError) -> str:
    """Return one line for the first problem; unknown keys come first, with the nearest known one."""
    problems = sorted(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
    first = problems[0]
    place = ".".join([section, *(str(part) for part in first["loc"])])
    if first["type"] == "extra_forbidden" and len(first["loc"]) == 1:
        return _unknown(f"key in {section}", str(first["loc"][0]), schema.model_fields, prefix=f"{section}.")
    message = first["msg"].removeprefix("Value error, ").replace("\n", " ")
    if first["type"] == "value_error":
        return message if message.startswith(place) else f"{place}: {message}"
    return f"{place}: {message[:1].lower()}{message[1:]}, got {_shown(first['input'])}"


def _unknown(kind: str, name: str, known: Iterable[str], prefix: str = "") -> str:
    names = list(known)
    near = difflib.get_close_matches(name, names, 1, cutoff=0.5)
    hint = f"did you mean {prefix}{near[0]}?" if near else f"known: {', '.join(names)}"
    return f"unknown {kind}: {prefix}{name}; {hint}"


def _shown(value: Any) -> str:
    """Return the start of a value's text: a small YAML file can hold gigabytes of it, by aliases."""
    return _SHORT.repr(value)
