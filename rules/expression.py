"""Expressions of the grammar as immutable trees.

`hebbevo.rules.grammar` reads them from text; rules, kernels and the torch reference are made from them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Number:
    """A finite constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """A local quantity (`pre`, `post`, ...), a state (`w`, ...) or a coefficient."""

    id: str


@dataclass(frozen=True)
class Operation:
    """`left operator right`, the operator one of ``+ - * /``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call:
    """A function of the grammar, by name, applied to its arguments."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Power:
    """A base multiplied by itself; the exponent is from 2 to 8."""

    base: Expression
    exponent: int


Expression = Number | Name | Operation | Call | Power


def names(expression: Expression) -> Iterator[str]:
    """Yield every name of the expression, in reading order, repeats included."""
    match expression:
        case Name(name):
            yield name
        case Operation(_, left, right):
            yield from names(left)
            yield from names(right)
        case Call(_, arguments):
            for argument in arguments:
                yield from names(argument)
        case Power(base, _):
            yield from names(base)


def evaluate(
    expression: Expression, values: Mapping[str, Any], functions: Mapping[str, Callable[..., Any]]
) -> Any:
    """Evaluate over anything that has arithmetic: floats, NumPy arrays, torch tensors.

    Args:
        expression: to evaluate.
        values: of every name in it.
        functions: every function in it, as `hebbevo.rules.implementations` has them.
    """
    match expression:
        case Number(value):
            return value
        case Name(name):
            return values[name]
        case Call(function, arguments):
            return functions[function](*(evaluate(argument, values, functions) for argument in arguments))
        case Power(base, exponent):
            factor = power = evaluate(base, values, functions)
            for _ in range(exponent - 1):
                power = power * factor
            return power
        case Operation(operator, left, right):
            a, b = evaluate(left, values, functions), evaluate(right, values, functions)
            match operator:
                case "+":
                    return a + b
                case "-":
                    return a - b
                case "*":
                    return a * b
            return a / b
