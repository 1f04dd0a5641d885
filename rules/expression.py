"""Right-hand sides of plasticity equations: a small grammar, parsed and checked, never evaluated as Python.

The grammar is arithmetic: names, decimal numbers, ``+ - * /``, powers with a literal exponent from 2 to 8,
brackets, and the functions of `FUNCTIONS`. Python's own parser builds the syntax tree; every node of it is
checked and translated into the immutable nodes below, and anything else is refused with the place.
"""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hebbevo.errors import RuleError, unknown

FUNCTIONS: Mapping[str, int] = {
    "abs": 1,
    "clip": 3,
    "exp": 1,
    "max": 2,
    "min": 2,
    "relu": 1,
    "sigmoid": 1,
    "sign": 1,
    "sqrt": 1,
    "tanh": 1,
}
"""Known functions and how many arguments each takes; ``clip(x, low, high)``."""

MAXIMUM_LENGTH = 1000
MAXIMUM_DEPTH = 40
EXPONENTS = range(2, 9)

_OPERATORS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}
_FOREIGN = re.compile(r"[^A-Za-z0-9_+\-*/().,\s]")
_JUXTAPOSED = re.compile(r"(?<=[\w)])\s+(?=[\w(])")
_LARGEST = 3.4e38
"""Constants must fit into float32."""

_NUMBER_LIKE = re.compile(r"(?<![\w.])\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


_MATH: Mapping[str, Callable[..., float]] = {
    "abs": abs,
    "clip": lambda x, low, high: min(max(x, low), high),
    "exp": math.exp,
    "max": max,
    "min": min,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 0.5 + 0.5 * math.tanh(0.5 * x),
    "sign": lambda x: float((x > 0) - (x < 0)),
    "sqrt": math.sqrt,
    "tanh": math.tanh,
}


@dataclass(frozen=True)
class Number:
    """A finite constant."""

    value: float


@dataclass(frozen=True)
class Name:
    """A local quantity (`pre`, `post`, `w`, ...) or a coefficient."""

    id: str


@dataclass(frozen=True)
class Operation:
    """`left operator right`, the operator one of ``+ - * /``."""

    operator: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Call:
    """One of `FUNCTIONS` applied to its arguments."""

    function: str
    arguments: tuple[Expression, ...]


@dataclass(frozen=True)
class Power:
    """A base multiplied by itself; the exponent is from 2 to 8."""

    base: Expression
    exponent: int


Expression = Number | Name | Operation | Call | Power


def parse_expression(text: str, where: str = "rule") -> Expression:
    """Parse one right-hand side.

    Args:
        text: the expression, at most `MAXIMUM_LENGTH` characters.
        where: what the text is, for the message.

    Raises:
        RuleError: one line that names the place and the remedy.
    """
    _check_text(text, where)
    try:
        # Line breaks are blanks to us, and leading ones would be indentation to Python.
        text = re.sub(r"\s", " ", text)
        tree = ast.parse(f"({text})", mode="eval").body
    except (SyntaxError, RecursionError, MemoryError) as error:
        offset = error.offset if isinstance(error, SyntaxError) else None
        place = max(0, min((offset or 2) - 2, len(text) - 1))
        raise _error(text, place, "this does not read as an expression", where) from None
    return _Translator(text, where).translate(tree)


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
    """Evaluate over anything that has arithmetic: floats, NumPy arrays, torch tensors."""
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


def _check_text(text: str, where: str) -> None:
    """Refuse what must not reach Python's parser: foreign characters, length, deep or unbalanced brackets."""
    if not text.strip():
        raise RuleError(f"{where} is empty; write an expression such as 'w + eta*pre*post'")
    if foreign := _FOREIGN.search(text):
        hint = "write only the right-hand side" if foreign[0] == "=" else "use names, numbers, + - * / ( ) ,"
        raise _error(text, foreign.start(), f"character {foreign[0]!r} is not allowed; {hint}", where)
    if gap := _JUXTAPOSED.search(text):
        raise _error(text, gap.end(), "an operator is missing before this", where)
    for number in _NUMBER_LIKE.finditer(text):
        if not _NUMBER.fullmatch(number[0]) or not float(number[0]) < _LARGEST:
            raise _error(text, number.start(), "a number is decimal, without suffix, below 3.4e38", where)
    open_brackets: list[int] = []
    for place, character in enumerate(text):
        if character == "(":
            open_brackets.append(place)
            if len(open_brackets) > MAXIMUM_DEPTH:
                raise _error(text, place, f"brackets are nested deeper than {MAXIMUM_DEPTH}", where)
        elif character == ")":
            if not open_brackets:
                raise _error(text, place, "this bracket closes nothing", where)
            open_brackets.pop()
    if open_brackets:
        raise _error(text, open_brackets[-1], "this bracket is never closed", where)
    if len(text) > MAXIMUM_LENGTH:
        raise _error(text, MAXIMUM_LENGTH, f"longer than {MAXIMUM_LENGTH} characters", where)


def _error(text: str, place: int, what: str, where: str) -> RuleError:
    """Point at a character: its position, and the text around it with the place marked."""
    before, at, after = (
        text[max(0, place - 24) : place],
        text[place : place + 1],
        text[place + 1 : place + 25],
    )
    head, tail = ("..." if place > 24 else ""), ("..." if place + 25 < len(text) else "")
    excerpt = "".join(c if c.isprintable() else " " for c in f"{head}{before}>>{at}<<{after}{tail}")
    return RuleError(f"{where}, character {place + 1}: {what}: {excerpt}")


class _Translator:
    """Turn Python's syntax tree into ours, refusing every node that the grammar does not know."""

    def __init__(self, text: str, where: str) -> None:
        self._text = text
        self._where = where

    def translate(self, node: ast.expr, depth: int = 0) -> Expression:
        """Translate a node, computing what holds numbers alone."""
        expression = self._translate(node, depth)
        if isinstance(expression, Number | Name) or next(names(expression), None) is not None:
            return expression
        try:
            value = float(evaluate(expression, {}, _MATH))
        except (ArithmeticError, ValueError):
            value = math.nan
        if not abs(value) < _LARGEST:
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
                        node, f"{name!r} is a function; call it with {FUNCTIONS[name]} argument(s)"
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
        if node.keywords or len(node.args) != FUNCTIONS[name]:
            raise self._error(
                node.func, f"{name!r} takes {FUNCTIONS[name]} argument(s), got {len(node.args)}"
            )
        return Call(name, tuple(self.translate(argument, depth + 1) for argument in node.args))

    def _error(self, node: ast.expr, what: str) -> RuleError:
        return _error(self._text, max(0, node.col_offset - 1), what, self._where)
