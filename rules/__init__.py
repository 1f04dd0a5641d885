"""Plasticity rules as equations: the grammar, rules as data, the catalogue, distributions."""

from hebbevo.errors import RuleError
from hebbevo.rules.catalogue import PUBLISHED, RULES, get, parse, read
from hebbevo.rules.distribution import Distribution
from hebbevo.rules.intent import check_intent
from hebbevo.rules.rule import Rule
from hebbevo.rules.signals import SIGNALS

__all__ = [
    "PUBLISHED",
    "RULES",
    "SIGNALS",
    "Distribution",
    "Rule",
    "RuleError",
    "check_intent",
    "get",
    "parse",
    "read",
]
