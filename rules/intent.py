"""Whether a rule's text says what its author meant: the refusals that a malformed text does not need.

Evolution would find a number for every name that is neither a signal nor a state. A reader of
``w + eta*r*pre*post`` takes `r` for the reward, so such names are refused where a user writes a rule. Genomes and run
directories that exist already are opened without these questions.
"""

from __future__ import annotations

from collections.abc import Collection

from hebbevo.errors import RuleError
from hebbevo.rules.rule import Rule
from hebbevo.rules.signals import meant

_ACTIVITY = frozenset({"pre", "post", "pre_last", "post_last", "drive"})


def check_intent(rule: Rule, *, blind: bool = False, coefficients: Collection[str] | None = None) -> None:
    """Refuse a rule that would not learn as its text suggests.

    Args:
        rule: the rule.
        blind: whether it is meant to change weights without reading the activity of a neuron.
        coefficients: all names that are meant as coefficients; None where the author does not say.

    Raises:
        RuleError: a coefficient that a reader would take for a signal or that is not among `coefficients`, one of those
            that the rule lacks, or a rule without activity that is not said to be blind.
    """
    for name in rule.coefficients:
        if remedy := meant(name):
            raise RuleError(f"rule {rule.name!r}: {name!r} would be a coefficient that evolves; {remedy}")
    if coefficients is not None:
        _check_coefficients(rule, coefficients)
    if not (blind or rule.is_static or rule.signals & _ACTIVITY):
        raise RuleError(
            f"rule {rule.name!r} reads neither pre nor post, so weights change whatever the neurons do; correct it, or "
            "say blind: true"
        )


def _check_coefficients(rule: Rule, coefficients: Collection[str]) -> None:
    has = ", ".join(rule.coefficients) or "none"
    if more := sorted(set(rule.coefficients) - set(coefficients)):
        raise RuleError(
            f"rule {rule.name!r} has the coefficient {more[0]!r}, which coefficients: leaves out; add it, or correct "
            f"the equation (its coefficients are {has})"
        )
    if fewer := sorted(set(coefficients) - set(rule.coefficients)):
        raise RuleError(
            f"coefficients: names {fewer[0]!r}, which rule {rule.name!r} does not have (its coefficients are {has})"
        )
