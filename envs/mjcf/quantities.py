"""What rewards and ends are made of: expressions of the rules' grammar over quantities of a control step.

An expression becomes a short program for a stack, run for every row by one compiled loop: no text is ever evaluated as
code, and no expression costs a compilation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from hebbevo.errors import EnvError, RuleError, hint
from hebbevo.rules.expression import Call, Expression, Name, Number, Operation, Power
from hebbevo.rules.functions import FUNCTIONS
from hebbevo.rules.grammar import definition_of, parse_expression

QUANTITIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "progress": "m that the torso moved along +x in this step",
        "x": "m, position of the torso along +x",
        "y": "m, position of the torso along +y",
        "height": "m, position of the torso along +z",
        "velocity_x": "m/s, velocity of the torso along +x",
        "velocity_y": "m/s, velocity of the torso along +y",
        "velocity_z": "m/s, velocity of the torso along +z",
        "roll": "rad, of the torso's Z-Y-X Euler angles",
        "pitch": "rad",
        "yaw": "rad",
        "upright": "1 where the torso stands as its own z axis does, 0 on its side, -1 on its back",
        "control": "sum of the squares of the action's numbers",
        "contacts": "feet that touch something",
    }
)
"""Name and meaning, in the order in which they are computed; named sensors of one number are quantities too."""

_INDEX: Final = {name: index for index, name in enumerate(QUANTITIES)}

CONSTANT, QUANTITY, SENSOR, ADD, SUBTRACT, MULTIPLY, DIVIDE, POWER = range(8)
_CALLS: Final = {
    name: number for number, name in enumerate(("abs", "exp", "max", "min", "sign", "sqrt", "tanh"), 8)
}
ABS, EXP, MAX, MIN, SIGN, SQRT, TANH = _CALLS.values()
_OPERATORS: Final = {"+": ADD, "-": SUBTRACT, "*": MULTIPLY, "/": DIVIDE}

MOST_STACKED: Final = 64
"""Values that an expression may hold at once."""
_COMPARISON: Final = re.compile(r"<=|>=|<|>")


@dataclass(frozen=True)
class Program:
    """An expression as steps of a stack machine.

    Attributes:
        steps: operation and argument each; a constant's is its place in `constants`, a sensor's its place in `sensors`.
        constants: numbers.
        sensors: names.
        counts_equal: of a condition, whether it holds at 0 as well.
    """

    steps: tuple[tuple[int, int], ...]
    constants: tuple[float, ...]
    sensors: tuple[str, ...]
    counts_equal: bool = False


def reward_program(text: str, sensors: Iterable[str] = ()) -> Program:
    """Return the program of a reward.

    Raises:
        EnvError: one line with the position and the remedy.
    """
    return _program(_parsed(text, "env.reward"), "env.reward", tuple(sensors))


def end_program(text: str, sensors: Iterable[str] = ()) -> Program:
    """Return the program of a condition, ``height < 0.3``: it holds where the program is above 0.

    Raises:
        EnvError: one line with the remedy.
    """
    where, sides = "env.end", _COMPARISON.split(text)
    if len(sides) != 2:
        raise EnvError(f"env.end is one comparison, as 'height < 0.3', or a list of them; got {text[:80]!r}")
    comparison = _COMPARISON.findall(text)[0]
    low, high = (_parsed(side, where) for side in (sides if "<" in comparison else reversed(sides)))
    return _program(Operation("-", high, low), where, tuple(sensors), counts_equal="=" in comparison)


def _parsed(text: str, where: str) -> Expression:
    try:
        return parse_expression(text, where)
    except RuleError as error:
        raise EnvError(str(error).replace("'w + eta*pre*post'", "'progress'")) from None


def _program(
    expression: Expression, where: str, sensors: tuple[str, ...], *, counts_equal: bool = False
) -> Program:
    steps: list[tuple[int, int]] = []
    constants: list[float] = []
    deepest = _write(expression, where, sensors, steps, constants)
    if deepest > MOST_STACKED:
        raise EnvError(f"{where} holds {deepest} values at once, {MOST_STACKED} at most; use fewer brackets")
    return Program(tuple(steps), tuple(constants), sensors, counts_equal)


def _write(
    expression: Expression,
    where: str,
    sensors: tuple[str, ...],
    steps: list[tuple[int, int]],
    constants: list[float],
) -> int:
    """Write the steps of an expression; return how many values it holds at once."""

    def write(part: Expression) -> int:
        return _write(part, where, sensors, steps, constants)

    match expression:
        case Number(value):
            constants.append(value)
            steps.append((CONSTANT, len(constants) - 1))
            return 1
        case Name(name):
            steps.append(_operand(name, where, sensors))
            return 1
        case Power(base, exponent):
            deepest = write(base)
            steps.append((POWER, exponent))
            return deepest
        case Operation(operator, left, right):
            deepest = max(write(left), 1 + write(right))
            steps.append((_OPERATORS[operator], 0))
            return deepest
        case Call(function, arguments) if function in _CALLS:
            deepest = max(place + write(argument) for place, argument in enumerate(arguments))
            steps.append((_CALLS[function], 0))
            return deepest
        case Call(function, arguments):
            return write(_unfolded(function, arguments))
    raise AssertionError(expression)


def _operand(name: str, where: str, sensors: tuple[str, ...]) -> tuple[int, int]:
    if name in _INDEX:
        return QUANTITY, _INDEX[name]
    if name in sensors:
        return SENSOR, sensors.index(name)
    raise EnvError(
        f"{where}: {name[:60]!r} is no quantity and no sensor of one number; {hint(name, (*QUANTITIES, *sensors))}"
    )


def _unfolded(function: str, arguments: tuple[Expression, ...]) -> Expression:
    """Return a function's definition with these arguments."""
    definition = definition_of(FUNCTIONS[function])
    values = dict(zip(FUNCTIONS[function].arguments, arguments, strict=True))
    for name, intermediate in definition.intermediate:
        values[name] = _substituted(intermediate, values)
    return _substituted(definition.value, values)


def _substituted(expression: Expression, values: Mapping[str, Expression]) -> Expression:
    match expression:
        case Name(name):
            return values[name]
        case Operation(operator, left, right):
            return Operation(operator, _substituted(left, values), _substituted(right, values))
        case Power(base, exponent):
            return Power(_substituted(base, values), exponent)
        case Call(function, arguments):
            return Call(function, tuple(_substituted(argument, values) for argument in arguments))
    return expression
