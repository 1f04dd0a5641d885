"""The catalogue: one entry a rule. `x` in the papers is `pre` here, `y` is `post`.

A = correlation, B = presynaptic, C = postsynaptic, D = constant, eta = learning rate, alpha = plasticity of a synapse,
theta = sliding threshold, d = rate of a running mean, elig = eligibility trace.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import Any

from hebbevo.errors import RuleError, unknown
from hebbevo.lazy import LazyDict
from hebbevo.rules.intent import check_intent
from hebbevo.rules.rule import Rule

NAJARRO = "Najarro & Risi 2020, arXiv 2007.02686"
DIFFERENTIABLE = "Miconi et al. 2018, arXiv 1804.02464"
BACKPROPAMINE = "Miconi et al. 2019, arXiv 2002.10585"
MICONI = "Miconi 2017, eLife 6:e20899; the reward's running mean is a state"
ATTRACTOR = "Hebbian attractor networks, arXiv 2603.22512"

_BOUNDED = {"normalise": "clip", "initial_coefficients": "uniform(0, 0.1)"}
_TRACES = {
    "sharing": {"default": "synapse", "eta": "network"},
    "initial_coefficients": {"default": "normal(0, 0.1)", "eta": "uniform(0.2, 0.8)"},
}
_FIXED_AND_PLASTIC = {"initial_weights": "evolved from uniform(-0.1, 0.1)"}
_MODULATED = {"normalise": "clip", "initial_coefficients": "normal(0, 0.1)"}
_ABCD = "A*pre*post + B*pre + C*post + D"
_WEIGHT = "w + alpha*hebb"


def _rule(name: str, **settings: Any) -> tuple[str, Callable[[], Rule]]:
    return name, partial(Rule, name, **settings)


_TABLE = (
    _rule(
        "none",
        w="w",
        source="static weights: the genome is the weights themselves",
        defaults={"initial_weights": "evolved"},
    ),
    _rule("A", w="w + A*pre*post", source=NAJARRO),
    _rule("AD", w="w + A*pre*post + D", source=NAJARRO),
    _rule("AD_lr", w="w + eta*(A*pre*post + D)", source=NAJARRO),
    _rule("ABC", w="w + A*pre*post + B*pre + C*post", source=NAJARRO),
    _rule("ABC_lr", w="w + eta*(A*pre*post + B*pre + C*post)", source=NAJARRO),
    _rule("ABCD", w=f"w + {_ABCD}", source=NAJARRO),
    _rule("ABCD_lr", w=f"w + eta*({_ABCD})", source=NAJARRO),
    _rule("ABCD_lr_D_out", w="w + eta*(A*pre*post + B*pre + C*post) + D", source=NAJARRO),
    _rule("ABCD_lr_D_in_and_out", w="w + eta*(A*pre*post + B*pre + C*post + D1) + D2", source=NAJARRO),
    _rule(
        "ABCD_decay",
        w=f"0.95*w + eta*({_ABCD})",
        source=f"{NAJARRO}; 5 % of a weight decays per step",
    ),
    _rule(
        "ABCD_oja",
        w=f"w + eta*({_ABCD}) - eta*post**2*w",
        source=f"{ATTRACTOR}, published code",
        defaults=_BOUNDED,
    ),
    _rule(
        "HAN",
        w=f"w + eta*({_ABCD})",
        source=ATTRACTOR,
        defaults={"normalise": "max", "initial_coefficients": "uniform(-1, 1)"},
    ),
    _rule("hebb", w="w + eta*pre*post", source="Hebb 1949"),
    _rule("oja", w="w + eta*post*(pre - post*w)", source="Oja 1982", defaults=_BOUNDED),
    _rule(
        "oja_decay",
        w="0.95*w + eta*post*(pre - post*w)",
        source="Oja 1982; 5 % of a weight decays per step",
        defaults=_BOUNDED,
    ),
    _rule("instar", w="w + eta*post*(pre - w)", source="Grossberg 1976", defaults=_BOUNDED),
    _rule(
        "bcm",
        w="w + eta*pre*post*(post - theta)",
        theta={"equation": "(1 - d)*theta + d*post**2", "axis": "post"},
        source="Bienenstock, Cooper & Munro 1982",
        defaults={
            "normalise": "clip",
            "sharing": {"default": "synapse", "d": "layer"},
            "initial_coefficients": {"default": "uniform(0, 0.1)", "d": "uniform(0.2, 0.8)"},
        },
    ),
    _rule(
        "covariance",
        w="w + eta*(pre - pre_mean)*(post - post_mean)",
        pre_mean={"equation": "0.9*pre_mean + 0.1*pre", "axis": "pre"},
        post_mean={"equation": "0.9*post_mean + 0.1*post", "axis": "post"},
        source="Sejnowski 1977; means over about ten steps",
        defaults=_BOUNDED,
    ),
    _rule(
        "differentiable",
        hebb="(1 - eta)*hebb + eta*pre*post",
        weight=_WEIGHT,
        source=f"{DIFFERENTIABLE}: with decay",
        defaults={**_TRACES, **_FIXED_AND_PLASTIC},
    ),
    _rule(
        "differentiable_oja",
        hebb="hebb + eta*post*(pre - post*hebb)",
        weight=_WEIGHT,
        source=f"{DIFFERENTIABLE}: after Oja",
        defaults={**_TRACES, **_FIXED_AND_PLASTIC},
    ),
    _rule(
        "differentiable_clip",
        hebb="clip(hebb + eta*pre*post, -1, 1)",
        weight=_WEIGHT,
        source=f"{DIFFERENTIABLE}, published code: clipped",
        defaults={**_TRACES, **_FIXED_AND_PLASTIC},
    ),
    _rule(
        "differentiable_soft_clip",
        hebb="hebb + relu(eta*pre*post)*(1 - hebb) - relu(-eta*pre*post)*(1 + hebb)",
        weight=_WEIGHT,
        source=f"{DIFFERENTIABLE}, published code: clipped",
        defaults={**_TRACES, **_FIXED_AND_PLASTIC},
    ),
    _rule(
        "backpropamine",
        hebb="clip(hebb + m*pre*post, -1, 1)",
        weight=_WEIGHT,
        source=f"{BACKPROPAMINE}: simple modulation",
        defaults={"initial_coefficients": "normal(0, 0.1)", **_FIXED_AND_PLASTIC},
    ),
    _rule(
        "backpropamine_fan_out",
        hebb="clip(hebb + clip(f*m + b, -2, 2)*pre*post, -1, 1)",
        weight=_WEIGHT,
        source=f"{BACKPROPAMINE}, published code: the modulation of each neuron",
        defaults={
            "sharing": {"default": "synapse", "f": "post", "b": "post"},
            "initial_coefficients": "normal(0, 0.1)",
            **_FIXED_AND_PLASTIC,
        },
    ),
    _rule(
        "retroactive",
        hebb="clip(hebb + m*elig, -1, 1)",
        elig="(1 - eta)*elig + eta*pre*post",
        weight=_WEIGHT,
        source=f"{BACKPROPAMINE}: retroactive modulation",
        defaults={**_TRACES, **_FIXED_AND_PLASTIC},
    ),
    _rule(
        "modulated_ABCD",
        w=f"clip(w + tanh(0.5*m)*eta*({_ABCD}), -10, 10)",
        source="Soltoggio et al. 2008; m is the modulators' sum: give them the activation identity",
        defaults={"sharing": "network", "initial_coefficients": "uniform(-1, 1)"},
    ),
    _rule(
        "three_factor",
        w="w + eta*reward*pre*post",
        source="three-factor learning, Fremaux & Gerstner 2016",
        defaults=_MODULATED,
    ),
    _rule(
        "reward_ABCD",
        w=f"w + eta*reward*({_ABCD})",
        source=f"{NAJARRO}, times the reward as in Fremaux & Gerstner 2016",
        defaults=_MODULATED,
    ),
    _rule(
        "node_perturbation",
        w="w + clip(eta*elig*(reward - reward_mean), -0.0003, 0.0003)",
        elig="0.98*elig + pre*noise",
        reward_mean={"equation": "0.75*reward_mean + 0.25*reward", "axis": "post"},
        source=f"{MICONI}; the eligibility decays as in arXiv 2112.08588",
        defaults=_BOUNDED,
    ),
    _rule(
        "activity_perturbation",
        w="w + clip(eta*elig*(reward - reward_mean), -0.0003, 0.0003)",
        elig="0.98*elig + (pre*(drive - drive_mean))**3",
        drive_mean={"equation": "0.05*drive_mean + 0.95*drive", "axis": "post"},
        reward_mean={"equation": "0.75*reward_mean + 0.25*reward", "axis": "post"},
        source=f"{MICONI}; the eligibility decays as in arXiv 2112.08588",
        defaults=_BOUNDED,
    ),
    _rule(
        "delta",
        w="w + beta*(v - drive)*pre",
        bound=("v",),
        source="Widrow & Hoff 1960; fast weights, Schlag et al. 2021, arXiv 2102.11174",
        defaults=_BOUNDED,
    ),
    _rule(
        "neuron_centric",
        w="w + 0.5*(eta_pre + eta_post)*(A_pre*pre + B_post*post + C_pre*C_post*pre*post + D_pre*D_post)",
        source="neuron-centric Hebbian learning, Ferigo et al. 2024",
        defaults={"sharing": "neuron", "normalise": "max"},
    ),
)

RULES: LazyDict[Rule] = LazyDict(makers=dict(_TABLE))
"""By name; a rule is parsed when it is first asked for.

`Rule.defaults` are keys of `plasticity:` with which lifetimes of a first generation stay finite.
"""

PUBLISHED = ("A", "AD", "AD_lr", "ABC", "ABC_lr", "ABCD", "ABCD_lr", "ABCD_lr_D_out", "ABCD_lr_D_in_and_out")
"""The nine rules of Najarro & Risi 2020."""


def defaults_of(rule: Any) -> Mapping[str, Any]:
    """Return the keys of a config that suit what it has as its rule: none where that is no name of the catalogue."""
    name = rule.strip() if isinstance(rule, str) else ""
    return RULES[name].defaults if name in RULES else {}


def get(name: str) -> Rule:
    """Return a rule of the catalogue.

    Raises:
        RuleError: an unknown name; the message suggests the nearest.
    """
    if name not in RULES:
        raise RuleError(f"{unknown('rule', name, RULES)} (an equation reads like 'w + eta*pre*post')")
    return RULES[name]


def parse(
    text: str | Mapping[str, Any],
    *,
    bound: Collection[str] = (),
    blind: bool = False,
    coefficients: Collection[str] | None = None,
) -> Rule:
    """Return the rule that a user writes: `read`, then `check_intent`.

    Raises:
        RuleError: an unknown name, a malformed equation, or a rule that would not learn as its text suggests.
    """
    rule = read(text, bound=bound)
    check_intent(rule, blind=blind, coefficients=coefficients)
    return rule


def read(text: str | Mapping[str, Any], *, bound: Collection[str] = ()) -> Rule:
    """Return the rule of a text: a bare identifier other than ``w`` is a name, anything else an equation.

    A genome of any age opens with this; `parse` also asks whether a name was meant as a coefficient.

    Args:
        text: a name, an equation, or for rules with several states a mapping: an equation per state (or
            ``{equation, axis, initial}``), and ``weight``.
        bound: names that projections bind to populations, besides ``m``.

    Raises:
        RuleError: an unknown name or a malformed equation.
    """
    if isinstance(text, str):
        stripped = text.strip()
        if stripped == "w":
            return RULES["none"]
        if re.fullmatch(r"[A-Za-z_]\w*", stripped):
            return get(stripped)
        return Rule("custom", w=text, bound=bound)
    if not text or not all(isinstance(part, str | Mapping) for item in text.items() for part in item):
        raise RuleError(
            f"a rule is a name, an equation, or a mapping from state to equation, got {dict(text)!r}"
        )
    if reserved := _RESERVED & set(text):
        raise RuleError(f"a state cannot be called {sorted(reserved)[0]!r}; choose another name")
    if not isinstance(text.get("weight", ""), str):
        raise RuleError("weight is no state: write its equation alone, as 'w + alpha*hebb'")
    return Rule("custom", bound=bound, **text)


_RESERVED = {"name", "source", "self", "bound", "defaults"}
"""Arguments of `Rule` that are no states."""
