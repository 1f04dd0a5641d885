"""Plasticity rules as equations: the grammar, rules as data, the catalogue, distributions."""

from hebbevo.errors import RuleError
from hebbevo.rules.catalogue import PUBLISHED, RULES, get, parse
from hebbevo.rules.distribution import Distribution
from hebbevo.rules.rule import Rule

__all__ = [
    "PUBLISHED",
    "RULES",
    "Distribution",
    "Rule",
    "RuleError",
    "get",
    "parse",
]
