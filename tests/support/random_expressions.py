"""Random valid expressions of the grammar, and its functions over Python floats."""

import math
import random

from hebbevo.rules.functions import FUNCTIONS

VARIABLES = ("w", "pre", "post", "A", "B")
PYTHON = {
    "abs": abs,
    "clip": lambda x, low, high: min(max(x, low), high),
    "exp": lambda x: math.exp(x) if x < 700 else math.inf,
    "max": max,
    "min": min,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + math.exp(-x)) if x > -700 else 0.0,
    "sign": lambda x: float((x > 0) - (x < 0)),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "tanh": math.tanh,
}


def random_expression(rng: random.Random, depth: int, functions: bool = True) -> str:
    """Return the text of a valid expression."""
    if depth == 0 or rng.random() < 0.15:
        return rng.choice([*VARIABLES, *VARIABLES, "2", "0.5", "1e-2", ".25", "3."])

    def inner() -> str:
        return random_expression(rng, depth - 1, functions)

    kind = rng.random()
    if kind < 0.2 and functions:
        name = rng.choice(sorted(FUNCTIONS))
        return f"{name}({', '.join(inner() for _ in FUNCTIONS[name].arguments)})"
    if kind < 0.3:
        return f"({inner()})**{rng.randint(2, 4)}"
    if kind < 0.4:
        return f"-{inner()}"
    if kind < 0.5:
        return f"({inner()}) / {rng.choice(['2', '(1 + A*A)'])}"
    return rng.choice(["({} + {})", "{} - {}", "({} - {}) ", "({})*({})", " {} * {}"]).format(
        inner(), inner()
    )


def values_of(rng: random.Random) -> dict[str, float]:
    return {name: rng.uniform(-1.5, 1.5) for name in VARIABLES}
