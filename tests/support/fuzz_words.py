"""Texts that are nearly right, each drawn from a seeded generator: overrides, rules, perturbations and their parts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from pydantic import BaseModel

from hebbevo import load_config, rules
from hebbevo.config.schema import Config
from hebbevo.envs.registry import ENVIRONMENTS
from hebbevo.envs.registry import config_class as env_class
from hebbevo.perturbations.catalogue import PERTURBATIONS
from hebbevo.rules.functions import FUNCTIONS
from hebbevo.rules.signals import SIGNALS
from hebbevo.search import SEARCHERS
from hebbevo.search import config_class as search_class

_VALUES = json.loads(Path(__file__).with_name("fuzz_values.json").read_text(encoding="utf-8"))
NUMBERS = [*_VALUES["numbers"], "1" + "0" * 400, "9" * 5000]
WORDS = [*_VALUES["words"], "x" * 300]
YAMLS = [*_VALUES["yaml"], "[" * 2000, "{a: " * 500]
FORMS = _VALUES["forms"]
"""Forms of rules, the common ones first."""
PRESETS = ("quick-quadruped", "quick-association", "quick-dog", "tuned-carracing", "quick-quadruped-static")
BODIES = """
limp: [{scale_motor: {joint: hip, factor: 0.5}}, {scale_mass: {factor: 2}}]
weak: {count: 5, seed: 3, changes: 1, edits: [{scale_range: {joint: [hip], factor: [0.5, 2]}}, {slope: {degrees: 3}}]}
hurt: {draw: [limp, weak, heavy], none: 0.4}
"""
USUAL = load_config("quick-quadruped").model_dump(mode="json")
USUAL_KEYS = [
    f"{section}.{name}" for section, keys in USUAL.items() if isinstance(keys, dict) for name in keys
]
NAMES = [*WORDS, *_VALUES["names"], "a" * 255, "b" * 256]


def key_paths(schema: type[BaseModel], prefix: str) -> Iterator[str]:
    """Yield `section.key`, and those of sections inside."""
    for name, field in schema.model_fields.items():
        yield f"{prefix}{name}"
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from key_paths(field.annotation, f"{prefix}{name}.")


KEYS = sorted(
    {
        *(key for key in key_paths(Config, "") if "." in key),
        *(key for name in ENVIRONMENTS for key in key_paths(env_class(name), "env.")),
        *(key for name in SEARCHERS for key in key_paths(search_class(name), "search.")),
        *(
            "env.early_stop.after",
            "env.early_stop.negative_rewards",
            "plasticity.sharing.eta",
            "search.generations",
        ),
        *("network.encoder.image_size", "network.encoder.convolutions", "perturbations", "plasticity.rule.w"),
    }
)


def scalar(random: Random) -> str:
    """Return a value, as people, machines and enemies write it."""
    pool = random.choice((NUMBERS, WORDS, YAMLS, tuple(rules.RULES), tuple(ENVIRONMENTS), tuple(SEARCHERS)))
    return random.choice(pool)


def mutated(random: Random, text: str) -> str:
    """Return a text with a few characters or lines dropped, repeated, moved or replaced."""
    for _ in range(random.choice((1, 1, 2, 5))):
        lines = text.split("\n")
        start, length = random.randrange(len(text) + 1), random.choice((1, 1, 3, 20))
        way = random.randrange(5)
        if way == 0:
            text = text[:start] + text[start + length :]
        elif way == 1:
            text = text[:start] + scalar(random)[:400] + text[start + length * random.randrange(2) :]
        elif way == 2:
            text = text[:start] + text[start : start + length] + text[start:]
        elif way == 3:
            text = "\n".join([*lines, random.choice(lines)])
        else:
            random.shuffle(lines)
            text = "\n".join(lines)
    return text


def key(random: Random) -> str:
    """Return a key, at times misspelt."""
    name = random.choice(KEYS if random.random() < 0.4 else USUAL_KEYS)
    return mutated(random, name) if random.random() < 0.15 else name


def override(random: Random) -> str:
    """Return `key=value`, most of the time; often a number for a number, a text for a text."""
    name = key(random)
    value = scalar(random)
    if random.random() < 0.6:
        usual: Any = USUAL
        for part in name.split("."):
            usual = usual.get(part) if isinstance(usual, dict) else None
        text = json.dumps(usual)
        number = isinstance(usual, int | float)
        value = (
            random.choice(NUMBERS[:26])
            if number
            else mutated(random, text)
            if random.random() < 0.5
            else text
        )
    return f"{name}{'=' if random.random() < 0.9 else random.choice(('==', ' ', ''))}{value}"


LEAVES = [
    "w",
    "pre",
    "post",
    "eta",
    "A",
    "B",
    "1",
    "0.5",
    "pre",
    "post",
    *SIGNALS,
    "r",
    "dw",
    "1e39",
    "0",
    "x" * 200,
]


def expression(random: Random, depth: int, common: float) -> str:
    """Return the right-hand side of a rule; from the `common` forms and names with that probability each."""
    leaf = depth == 0 or random.random() < 0.15
    pool = LEAVES if leaf else FORMS
    form = random.choice(pool[:10] if random.random() < common else pool)
    if leaf:
        return form
    inner = [expression(random, depth - 1, common) for _ in range(form.count("{") - form.count("{f}"))]
    return form.format(
        *inner, f=random.choice((*FUNCTIONS, "exec") if random.random() > common else tuple(FUNCTIONS))
    )


def perturbation(random: Random) -> str:
    """Return a perturbation in the short form, nearly right."""
    kind = random.choice(tuple(PERTURBATIONS))
    fields = [*PERTURBATIONS[kind].model_fields, "at", "at", "from", "to"]
    values = (random.choice(("1", "0", "0.5", "[0]", "[0, 1]", *NUMBERS[:12])) for _ in range(3))
    text = f"{kind}:" + ",".join(f"{random.choice(fields)}={value}" for value in values)
    return mutated(random, text) if random.random() < 0.3 else text
