"""Preparing an equation for kernels keeps its value, and never grows it without bound."""

import random

import pytest
from random_expressions import PYTHON, random_expression, values_of

from hebbevo.errors import RuleError
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.numba.kernel_text import source
from hebbevo.networks.polynomial import Constants, prepare
from hebbevo.rules import RULES
from hebbevo.rules.expression import evaluate, names
from hebbevo.rules.grammar import parse_expression
from hebbevo.rules.rule import Rule

LOCAL = ("w", "post", "pre")


@pytest.mark.parametrize("functions", [False, True])
@pytest.mark.parametrize("seed", range(150))
def test_keeps_the_value(seed: int, functions: bool) -> None:
    rng = random.Random(seed)
    text, values = random_expression(rng, 4, functions), values_of(rng)
    try:
        expression = parse_expression(text)
    except RuleError:
        pytest.skip("numbers alone that have no value")
    expected = evaluate(expression, values, PYTHON)
    constants = Constants()
    prepared = prepare(expression, LOCAL, constants)
    slots = {f"$k{i}": evaluate(c, values, PYTHON) for i, c in enumerate(constants.expressions)}
    local = {name: values[name] for name in LOCAL}
    assert set(names(prepared)) <= {*slots, *local}, "coefficients must have become constants"
    size = max(1.0, abs(expected)) if expected == expected else 1.0
    assert evaluate(prepared, {**local, **slots}, PYTHON) == pytest.approx(
        expected, rel=1e-9, abs=1e-9 * size, nan_ok=True
    )


def test_abcd_streams_four_constants_and_oja_one() -> None:
    def constants(name: str) -> int:
        rule = RULES[name]
        return len(KernelSpec(rule, (3, 4), dict.fromkeys(rule.coefficients, "synapse")).constants)

    assert constants("ABCD_lr") == 4
    assert constants("oja") == 1
    assert constants("instar") == 1
    assert constants("none") == 0


@pytest.mark.parametrize(
    "text",
    [
        "((A+pre)**8)**7",
        "(" * 6 + "pre" + "**8)" * 6 + "**8",
        "(" * 30 + "A+pre" + "**8)" * 30 + "**8",
        "(A+B*pre+C*post+D*w)**8",
        "w+tanh(pre)" + "+pre" * 150,
        "-" * 150 + "w",
    ],
)
def test_text_of_kernels_stays_short(text: str) -> None:
    rule = Rule("large", w=text)
    kernel = source(KernelSpec(rule, (3, 4), dict.fromkeys(rule.coefficients, "synapse")))
    compile(kernel, "kernel", "exec")
    assert len(kernel) < 100_000
