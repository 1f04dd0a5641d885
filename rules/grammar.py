"""Right-hand sides of plasticity equations: a small grammar, parsed and checked, never evaluated as Python.

The grammar is arithmetic: names, decimal numbers, ``+ - * /``, powers with a literal exponent from 2 to 8,
brackets, and the functions of `hebbevo.rules.functions`. Python's own parser builds the syntax tree; every node of it
is checked and translated into an expression of ours, and anything else is refused with its position.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from hebbevo.errors import RuleError, unknown
from hebbevo.rules.checks import LARGEST, MAXIMUM_DEPTH, check_text, error_at
from hebbevo.rules.expression import Call, Expression, Name, Number, Operation, Power, evaluate, names
from hebbevo.rules.functions import FUNCTIONS, Function

EXPONENTS = range(2, 9)

_OPERATORS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def parse_expression(text: str, where: str = "rule") -> Expression:
    """Parse one right-hand side.

    Args:
        text: the expression, at most `MAXIMUM_LENGTH` characters.
        where: name of the text in messages.

    Raises:
        RuleError: one line that names the position and the remedy.
    """
    check_text(text, where)
    try:
        # Line breaks are blanks to us, and leading ones would be indentation to Python.
        text = re.sub(r"\s", " ", text)
        tree = ast.parse(f"({text})", mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        offset = error.offset if isinstance(error, SyntaxError) else None
        position = max(0, min((offset or 2) - 2, len(text) - 1))
        raise error_at(text, position, "this does not read as an expression", where) from None
    return _Translator(text, where).translate(tree)


class _Translator:
    """Turn Python's syntax tree into ours, refusing every node that the grammar does not know."""

    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where

    def translate(self, node: ast.expr, depth: int = 0) -> Expression:
        """Translate a node; an expression of numbers alone becomes its value."""
        expression = self._translate(node, depth)
        if isinstance(expression, Number | Name) or next(names(expression), None) is not None:
            return expression
        try:
            value = float(evaluate(expression, {}, python_functions()))
        except (ArithmeticError, ValueError):
            value = math.nan
        if not abs(value) < LARGEST:
            raise self._error(node, "this is no finite number")
        return Number(value)

    def _translate(self, node: ast.expr, depth: int) -> Expression:
        if depth > 4 * MAXIMUM_DEPTH:
            raise self._error(node, "too many operations in a row; use brackets or fewer terms")
        match node:
            case ast.Constant():
                return self._number(node)
            case ast.Name(id=name):
                if name in FUNCTIONS:
                    raise self._error(
                        node,
                        f"{name!r} is a function; call it with {len(FUNCTIONS[name].arguments)} argument(s)",
                    )
                return Name(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                inner = self.translate(operand, depth + 1)
                return (
                    Number(-inner.value) if isinstance(inner, Number) else Operation("*", Number(-1.0), inner)
                )
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.translate(operand, depth + 1)
            case ast.BinOp(op=ast.Pow()):
                return self._power(node, depth)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                symbol = _OPERATORS[type(operator)]
                a, b = self.translate(left, depth + 1), self.translate(right, depth + 1)
                if symbol == "/" and b == Number(0.0):
                    raise self._error(right, "this divides by zero")
                return Operation(symbol, a, b)
            case ast.Call():
                return self._call(node, depth)
            case ast.Attribute():
                raise self._error(node.value, "attribute access is not allowed")
        raise self._error(node, "only names, numbers, + - * / **, brackets and functions are allowed")

    def _number(self, node: ast.Constant) -> Number:
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise self._error(node, "only decimal numbers are allowed")
        return Number(float(value))

    def _power(self, node: ast.BinOp, depth: int) -> Power:
        exponent = node.right
        value = exponent.value if isinstance(exponent, ast.Constant) else None
        if type(value) is not int or value not in EXPONENTS:
            raise self._error(exponent, "an exponent is an integer from 2 to 8")
        return Power(self.translate(node.left, depth + 1), value)

    def _call(self, node: ast.Call, depth: int) -> Call:
        if not isinstance(node.func, ast.Name):
            raise self._error(node.func, "only the functions by name can be called")
        name = node.func.id
        if name not in FUNCTIONS:
            raise self._error(node.func, unknown("function", name, FUNCTIONS))
        if node.keywords or len(node.args) != len(FUNCTIONS[name].arguments):
            raise self._error(
                node.func,
                f"{name!r} takes {len(FUNCTIONS[name].arguments)} argument(s), got {len(node.args)}",
            )
        return Call(name, tuple(self.translate(argument, depth + 1) for argument in node.args))

    def _error(self, node: ast.expr, problem: str) -> RuleError:
        return error_at(self._text, max(0, node.col_offset - 1), problem, self._where)


@dataclass(frozen=True)
class Definition:
    """The definition of a composite function, parsed.

    Attributes:
        intermediate: name and expression of each intermediate value, in order.
        value: over the arguments and the intermediate values.
    """

    intermediate: tuple[tuple[str, Expression], ...]
    value: Expression


@cache
def definition_of(function: Function) -> Definition:
    """Return the parsed definition of a composite function."""
    *assignments, value = (part.strip() for part in function.definition.split(";"))
    pairs = (assignment.split("=") for assignment in assignments)
    return Definition(
        tuple((name.strip(), parse_expression(text, function.name)) for name, text in pairs),
        parse_expression(value, function.name),
    )


def completed(own: Mapping[str, Callable[..., Any]]) -> dict[str, Callable[..., Any]]:
    """Return every function of the grammar over the values of a library.

    Args:
        own: the functions that the library computes by its own means; the others follow their definitions.
    """
    functions = dict(own)
    for name, function in FUNCTIONS.items():
        if name not in own:
            functions[name] = _composite(function, functions)
    return functions


def _composite(function: Function, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        definition, values = definition_of(function), dict(zip(function.arguments, arguments, strict=True))
        for name, expression in definition.intermediate:
            values[name] = evaluate(expression, values, functions)
        return evaluate(definition.value, values, functions)

    return call


def python_functions() -> Mapping[str, Callable[..., float]]:
    """Return the functions over floats."""
    return completed({name: f.python for name, f in FUNCTIONS.items() if f.python is not None})
