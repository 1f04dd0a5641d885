"""The grammar: what it refuses and where, and that it means what Python means by the same text."""

import random
import re
import warnings
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from random_expressions import PYTHON, random_expression, values_of

from hebbevo.errors import RuleError
from hebbevo.rules import parse
from hebbevo.rules.expression import Number, evaluate, names
from hebbevo.rules.functions import FUNCTIONS
from hebbevo.rules.grammar import parse_expression

REFUSED = [
    ("w + foo(pre)", 5, "unknown function 'foo'"),
    ("w + tanj(pre)", 5, "did you mean tanh?"),
    ("w + pre.real", 5, "attribute access"),
    ("__import__(os)", 1, "unknown function '__import__'"),
    ("__import__('os').system('ls')", 12, "not allowed"),
    ("w + eval(pre)", 5, "unknown function 'eval'"),
    ("w + eta*(pre*post", 9, "never closed"),
    ("w + eta*pre*post)", 17, "closes nothing"),
    ("(" * 10_000 + "w" + ")" * 10_000, 41, "nested deeper"),
    ("w = w + pre", 3, "right-hand side"),
    ("w + A**9", 8, "exponent"),
    ("w + A**1", 8, "exponent"),
    ("w + A**-2", 8, "exponent"),
    ("w + A**pre", 8, "exponent"),
    ("w + A**2.0", 8, "exponent"),
    ("w + pre^2", 8, "'^'"),
    ("w + 0x10", 5, "decimal"),
    ("w + 1_0", 5, "decimal"),
    ("w + 1j", 5, "decimal"),
    ("w + 1e39", 5, "decimal"),
    ("w + True", 5, "decimal"),
    ("w + 2 pre", 7, "operator is missing"),
    ("w + tanh", 5, "is a function"),
    ("w + tanh(pre, post)", 5, "takes 1"),
    ("w + max(*pre, post)", 9, "only names"),
    ("w + (pre, post)", 5, "only names"),
    ("w + pre % post", 9, "'%'"),
    ("w // pre", 1, "only names"),
    ("w + pre / 0", 11, "divides by zero"),
    ("w + pre / (2 - 2)", 12, "divides by zero"),
    ("w + sqrt(-1)", 5, "finite"),
    ("w + exp(1000)", 5, "finite"),
    ("w + [pre]", 5, "'['"),
    ("w + 'pre'", 5, "not allowed"),
    ("w + é", 5, "not allowed"),
    ("w +", 3, "does not read"),
    ("-" * 900 + "w", 162, "too many operations"),
    ("w" + "+w" * 499, None, "too many operations"),
    ("w" + " " * 1000, 1001, "longer than 1000"),
]


@pytest.mark.parametrize(("text", "position", "problem"), REFUSED, ids=[r[0][:24] for r in REFUSED])
def test_refused_with_the_position(text: str, position: int | None, problem: str) -> None:
    with pytest.raises(RuleError, match=re.escape(problem)) as caught:
        parse_expression(text)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 250
    assert ">>" in message
    if position is not None:
        assert f"character {position}:" in message


@pytest.mark.parametrize("text", ["", "   ", "\n\t"])
def test_empty_text_is_refused(text: str) -> None:
    with pytest.raises(RuleError, match="empty"):
        parse(text)


@settings(max_examples=400)
@given(st.text() | st.text("wprestoABeta01.+-*/(), \n_e%=[]:'\"", max_size=60))
@example("1if(pre)else(2)")
@example("yield(pre)")
@example("w\x00")
@example("1" * 4999)
@example("\x0cw")
@example("w\u3000+ pre")
def test_random_text_raises_nothing_else(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            expression, message = parse_expression(text), ""
        except RuleError as error:
            expression, message = Number(0.0), str(error)
    assert "\n" not in message
    assert all(re.fullmatch(r"[A-Za-z_]\w*", name) for name in names(expression))


@pytest.mark.parametrize("seed", range(200))
def test_means_what_python_means(seed: int) -> None:
    rng = random.Random(seed)
    text, values = random_expression(rng, 4), values_of(rng)
    try:
        expected = eval(text, {"__builtins__": {}}, {**PYTHON, **values})
        expression = parse_expression(text)
    except (ArithmeticError, RuleError):
        pytest.skip("numbers alone that have no value")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = evaluate(expression, values, PYTHON)
    assert result == pytest.approx(expected, rel=1e-12, abs=1e-12, nan_ok=True)


def test_numbers_alone_are_computed_once() -> None:
    assert parse_expression("(1 + 3) / 8 * tanh(0) + clip(3, -1, 2)") == parse_expression("2")


def test_the_documentation_lists_every_function() -> None:
    text = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
    for function in FUNCTIONS.values():
        assert f"`{function.signature}`" in text
