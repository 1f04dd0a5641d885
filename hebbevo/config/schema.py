"""The sections of a configuration, and all of them together."""

from __future__ import annotations

import typing
from collections.abc import Mapping
from functools import cached_property
from typing import Any, Literal

import yaml
from pydantic import Field, SerializeAsAny, field_validator, model_validator

from hebbevo.config.section import Section, optional
from hebbevo.config.training import EvaluationConfig, RunConfig, TrainingConfig
from hebbevo.envs import EnvConfig
from hebbevo.errors import RuleError, unknown
from hebbevo.networks.kernel_spec import ACTIVATIONS
from hebbevo.networks.layout import resolve_sharing
from hebbevo.networks.normalisers import NORMALISERS
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rules import Distribution, Rule, parse
from hebbevo.search import SearchConfig

_EVOLVED = "evolved"


class ConvolutionConfig(Section):
    """A convolution without bias or padding, then tanh, then the maximum of every `pool` x `pool` window."""

    channels: int = Field(ge=1, le=1024)
    kernel: int = Field(ge=1, le=31)
    stride: int = Field(default=1, ge=1, le=31)
    pool: int = Field(default=1, ge=1, le=31)


class EncoderConfig(Section):
    """The encoder of images into features for the plastic layers; static, evolved. Najarro & Risi's by default."""

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
        default="normal(0, 1)", description="distribution of the first center's convolutions"
    )

    @field_validator("weights")
    @classmethod
    def _distribution_parses(cls, text: str) -> str:
        Distribution.parse(text)
        return text


class NetworkConfig(Section):
    """A multilayer perceptron without biases, behind an encoder where the environment observes images."""

    hidden: tuple[typing.Annotated[int, Field(ge=1, le=100_000)], ...] = Field(
        default=(128, 64), description="neurons of each hidden layer"
    )
    activation: str = Field(default="tanh", description="of the hidden layers")
    output: Literal["tanh", "raw"] = optional(
        "tanh",
        description="`post` in the last layer: the action, or the sum, which tanh (sigmoid where an action has "
        "one sign) bounds only for the environment",
    )
    encoder: EncoderConfig | None = optional(
        None, description="for images; null is Najarro & Risi's there, and none elsewhere"
    )

    @field_validator("activation")
    @classmethod
    def _activation_is_known(cls, name: str) -> str:
        if name not in ACTIVATIONS:
            raise RuleError(unknown("activation", name, ACTIVATIONS))
        return name


class PlasticityConfig(Section):
    """The rule, the sharing of its coefficients, and the initial weights."""

    rule: str | dict[str, str] = Field(
        default="ABCD_lr", description="a name, an equation, or an equation per state"
    )
    sharing: str | dict[str, str] = Field(
        default="synapse", description="for all coefficients, or per coefficient"
    )
    normalise: str = Field(default="none", description="after every update")
    initial_weights: str = Field(
        default="uniform(-0.1, 0.1)",
        description="a distribution, new in every lifetime; or `evolved [from DISTRIBUTION]`: in the genome",
    )
    initial_coefficients: str = Field(default="normal(0, 1)", description="distribution of the first center")

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

    @field_validator("normalise")
    @classmethod
    def _normaliser_is_known(cls, name: str) -> str:
        if name not in NORMALISERS:
            raise RuleError(unknown("normaliser", name, NORMALISERS))
        return name

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
        """Whether the genome holds the initial weights."""
        return self.initial_weights.split()[:1] == [_EVOLVED]

    @cached_property
    def weight_distribution(self) -> Distribution:
        """Distribution of the initial weights, or of the first center's weights where they evolve."""
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


class Config(Section):
    """The configuration of a run."""

    env: SerializeAsAny[EnvConfig]
    network: NetworkConfig = NetworkConfig()
    plasticity: PlasticityConfig = PlasticityConfig()
    search: SerializeAsAny[SearchConfig]
    training: TrainingConfig
    evaluation: EvaluationConfig = EvaluationConfig()
    run: RunConfig = RunConfig()
    perturbations: tuple[SerializeAsAny[Perturbation], ...] = optional(())

    def to_yaml(self) -> str:
        """Return the resolved configuration."""
        return yaml.safe_dump(self.model_dump(mode="json"), sort_keys=False, width=100)

    def search_settings(self) -> dict[str, Any]:
        """Return the keys of `search` and `training` in one mapping, as genome files hold them."""
        return {**self.search.model_dump(mode="json"), **self.training.model_dump(mode="json")}
