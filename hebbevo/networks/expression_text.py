"""Write expressions, and the functions of the grammar, as text of a language that kernels are generated in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hebbevo.rules.expression import Call, Expression, Name, Number, Operation, Power
from hebbevo.rules.functions import FUNCTIONS, Function
from hebbevo.rules.grammar import EXPONENTS, definition_of

Naming = Callable[[str], str]
"""From a name of the grammar to that of the variable that holds it."""


@dataclass(frozen=True)
class Language:
    """A language of kernels.

    Attributes:
        decorator: of a function that kernels call.
        primitive: text that computes a primitive function from its arguments.
        number: text of a constant, finite or not.
        fused: function that computes ``x * y + z`` and rounds once; empty where the compiler fuses by itself.
    """

    decorator: str
    primitive: Callable[[Function], str]
    number: Callable[[float], str]
    fused: str = ""

    def expression(self, expression: Expression, naming: Naming = str) -> str:
        """Return the text of an expression; calls go to `functions`."""
        match expression:
            case Number(value):
                return self.number(value)
            case Name(name):
                return naming(name)
            case Call(function, arguments):
                return f"_{function}({', '.join(self.expression(a, naming) for a in arguments)})"
            case Power(base, exponent):
                return f"_power{exponent}({self.expression(base, naming)})"
            case Operation(operator, left, right):
                if self.fused and (text := self._multiply_add(expression, naming)):
                    return text
                return f"({self.expression(left, naming)} {operator} {self.expression(right, naming)})"

    def _multiply_add(self, operation: Operation, naming: Naming) -> str:
        """Return the text of a sum with a product in it as one fused multiply-add; empty if it is none."""
        match operation:
            case Operation("+", Operation("*", a, b), c) | Operation("+", c, Operation("*", a, b)):
                signs = "", ""
            case Operation("-", Operation("*", a, b), c):
                signs = "", "-"
            case Operation("-", c, Operation("*", a, b)):
                signs = "-", ""
            case _:
                return ""
        x, y, z = (self.expression(part, naming) for part in (a, b, c))
        return f"{self.fused}({signs[0]}{x}, {y}, {signs[1]}{z})"

    def functions(self) -> str:
        """Return the text of every function: ``_abs``, ``_clip``, ..., and the powers ``_power2``, ..."""
        powers = [self._function(f"power{n}", ("x",), [" * ".join("x" * n)]) for n in EXPONENTS]
        return "\n\n\n".join([*map(self._of_the_grammar, FUNCTIONS.values()), *powers])

    def _of_the_grammar(self, function: Function) -> str:
        if not function.definition:
            return self._function(function.name, function.arguments, [self.primitive(function)])
        definition = definition_of(function)
        intermediate = [f"{name} = {self.expression(value)}" for name, value in definition.intermediate]
        return self._function(
            function.name, function.arguments, [*intermediate, self.expression(definition.value)]
        )

    def _function(self, name: str, arguments: tuple[str, ...], lines: list[str]) -> str:
        *body, value = lines
        head = [self.decorator, f"def _{name}({', '.join(arguments)}):"]
        return "\n".join([*head, *(f"    {line}" for line in body), f"    return {value}"])
