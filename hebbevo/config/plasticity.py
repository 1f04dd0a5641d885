"""The section `plasticity`: rule, sharing of its coefficients, normaliser and initial values."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from pydantic import Field, field_validator, model_validator

from hebbevo.config.section import Section, optional
from hebbevo.errors import RuleError, unknown
from hebbevo.networks.layout import resolve_sharing
from hebbevo.networks.normalisers import NORMALISERS
from hebbevo.rules import Distribution, Rule, read
from hebbevo.rules.catalogue import defaults_of
from hebbevo.rules.distribution import parse_initial
from hebbevo.rules.signals import SIGNALS

RuleText = str | dict[str, str | dict[str, str]]
"""A name, an equation, or per state an equation or a mapping with `equation`, `axis`, `initial`."""


_OF_THE_RULE = ("sharing", "initial_coefficients", "coefficients", "signals", "blind")
"""Keys that another rule does not inherit where they name coefficients or signals, or were said of the rule."""


def for_another_rule(values: Mapping[str, Any], rule: Any) -> dict[str, Any]:
    """Return the keys of a section that stay where another rule comes in, and what suits that rule."""
    kept = {key: value for key, value in values.items() if key not in _OF_THE_RULE or isinstance(value, str)}
    return {**kept, **defaults_of(rule)}


class PlasticityConfig(Section):
    """The rule, the sharing of its coefficients, and the initial weights."""

    rule: RuleText = Field(default="ABCD_lr", description="a name, an equation, or an equation per state")
    coefficients: tuple[str, ...] | None = optional(
        None, description="all names in the rule that are meant as coefficients; null: those that are there"
    )
    blind: bool = optional(False, description="whether the rule is meant to read the activity of no neuron")
    sharing: str | dict[str, str] = Field(
        default="synapse", description="for all coefficients, or per coefficient"
    )
    normalise: str = Field(default="none", description="after every update")
    initial_weights: str = Field(
        default="uniform(-0.1, 0.1)",
        description="a distribution, new in every lifetime; or `evolved [from DISTRIBUTION]`: in the genome",
    )
    initial_coefficients: str | dict[str, str] = Field(
        default="normal(0, 1)",
        description="distribution of the first center, for all coefficients, or per coefficient and `default`",
    )
    signals: dict[str, str] = optional(
        {}, description="signal of the rule: population whose activation it is (m, or a name of yours)"
    )
    every: int = optional(
        1, ge=1, le=1_000_000, description="the rule changes the weights in every so many-th step"
    )
    offset: int = optional(0, ge=0, le=1_000_000, description="and in that step first")
    window: int = optional(1, ge=1, le=10_000, description="pre and post are means over so many steps")

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_the_rule(cls, data: Any) -> Any:
        """Fill what is left out with what suits a rule of the catalogue."""
        rule = data.get("rule") if isinstance(data, Mapping) else None
        return {**defaults_of(rule), **data} if isinstance(data, Mapping) else data

    @field_validator("normalise")
    @classmethod
    def _normaliser_is_known(cls, name: str) -> str:
        if name not in NORMALISERS:
            raise RuleError(unknown("normaliser", name, NORMALISERS))
        return name

    @model_validator(mode="after")
    def _fits_together(self) -> PlasticityConfig:
        _ = self.parsed_rule
        resolve_sharing(self.parsed_rule, self.sharing)
        self._check_distributions()
        return self

    @property
    def evolves(self) -> bool:
        """Whether a genome holds anything of such a projection."""
        rule = self.parsed_rule
        return bool(rule.coefficients) or self.weights_evolve or any(map(rule.evolves, rule.states))

    @cached_property
    def parsed_rule(self) -> Rule:
        """The rule."""
        return read(self.rule, bound=tuple(name for name in self.signals if name not in SIGNALS))

    def coefficient_distribution(self, coefficient: str) -> Distribution:
        """Return the distribution that a coefficient of the first center is drawn from."""
        given = self.initial_coefficients
        if isinstance(given, str):
            return Distribution.parse(given)
        return Distribution.parse(given.get(coefficient, given.get("default", "normal(0, 1)")))

    def _check_distributions(self) -> None:
        given = self.initial_coefficients
        texts = {"default": given} if isinstance(given, str) else given
        known = (*self.parsed_rule.coefficients, "default")
        for name, text in texts.items():
            if name not in known:
                raise RuleError(f"initial_coefficients: {unknown('coefficient', name, known)}")
            Distribution.parse(text)

    @property
    def weights_evolve(self) -> bool:
        """Whether the genome holds the initial weights."""
        return self._initial[1]

    @property
    def weight_distribution(self) -> Distribution:
        """Distribution of the initial weights, or of the first center's weights where they evolve."""
        return self._initial[0]

    @cached_property
    def _initial(self) -> tuple[Distribution, bool]:
        return parse_initial(self.initial_weights, evolved_from="uniform(-0.1, 0.1)")

    @field_validator("initial_weights")
    @classmethod
    def _distribution_parses(cls, text: str) -> str:
        parse_initial(text, evolved_from="uniform(-0.1, 0.1)")
        return text
