"""The catalogue: one line a rule. `x` in the papers is `pre` here, `y` is `post`.

A = correlation, B = presynaptic, C = postsynaptic, D = constant, eta = learning rate.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from hebbevo.errors import RuleError, unknown
from hebbevo.rules.rule import Rule

NAJARRO = "Najarro & Risi 2020, arXiv 2007.02686"

RULES: dict[str, Rule] = {
    rule.name: rule
    for rule in (
        Rule("none", w="w", source="static weights: the genome is the weights themselves"),
        Rule("A", w="w + A*pre*post", source=NAJARRO),
        Rule("AD", w="w + A*pre*post + D", source=NAJARRO),
        Rule("AD_lr", w="w + eta*(A*pre*post + D)", source=NAJARRO),
        Rule("ABC", w="w + A*pre*post + B*pre + C*post", source=NAJARRO),
        Rule("ABC_lr", w="w + eta*(A*pre*post + B*pre + C*post)", source=NAJARRO),
        Rule("ABCD", w="w + A*pre*post + B*pre + C*post + D", source=NAJARRO),
        Rule("ABCD_lr", w="w + eta*(A*pre*post + B*pre + C*post + D)", source=NAJARRO),
        Rule("ABCD_lr_D_out", w="w + eta*(A*pre*post + B*pre + C*post) + D", source=NAJARRO),
        Rule("ABCD_lr_D_in_and_out", w="w + eta*(A*pre*post + B*pre + C*post + D1) + D2", source=NAJARRO),
        Rule("hebb", w="w + eta*pre*post", source="Hebb 1949"),
        Rule("oja", w="w + eta*post*(pre - post*w)", source="Oja 1982"),
        Rule("instar", w="w + eta*post*(pre - w)", source="Grossberg 1976"),
    )
}

PUBLISHED = ("A", "AD", "AD_lr", "ABC", "ABC_lr", "ABCD", "ABCD_lr", "ABCD_lr_D_out", "ABCD_lr_D_in_and_out")
"""The nine rules of Najarro & Risi 2020."""


def get(name: str) -> Rule:
    """Return a rule of the catalogue.

    Raises:
        RuleError: an unknown name; the message suggests the nearest.
    """
    if name not in RULES:
        raise RuleError(f"{unknown('rule', name, RULES)} (an equation reads like 'w + eta*pre*post')")
    return RULES[name]


def parse(text: str | Mapping[str, str]) -> Rule:
    """Return the rule of a text: a bare identifier other than ``w`` is a name, anything else an equation.

    A mapping gives one equation per state, and ``weight``, for rules with several states.

    Raises:
        RuleError: an unknown name or a malformed equation.
    """
    if isinstance(text, str):
        stripped = text.strip()
        if stripped == "w":
            return RULES["none"]
        return get(stripped) if re.fullmatch(r"[A-Za-z_]\w*", stripped) else Rule("custom", w=text)
    if not text or not all(isinstance(part, str) for item in text.items() for part in item):
        raise RuleError(
            f"a rule is a name, an equation, or a mapping from state to equation, got {dict(text)!r}"
        )
    if reserved := {"name", "source", "self"} & set(text):
        raise RuleError(f"a state cannot be called {sorted(reserved)[0]!r}; choose another name")
    return Rule("custom", **text)
