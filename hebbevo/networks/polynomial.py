"""Equations for kernels: polynomials collected, terms of coefficients alone computed once per lifetime.

``w + eta*(A*pre*post + B*pre + C*post + D)`` becomes ``w + k0*pre*post + k1*pre + k2*post + k3`` in Horner
form, with ``k0 = eta*A`` and so on: four numbers a synapse stream from memory at each step instead of five.
An equation that is no polynomial of the local quantities keeps its form; its largest subexpressions of
coefficients alone become constants likewise.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice

from hebbevo.rules.expression import Call, Expression, Name, Number, Operation, Power, names

Monomial = tuple[int, ...]
"""Exponent of each local quantity."""

MAXIMUM_TERMS = 64
MAXIMUM_DEGREE = 32
MAXIMUM_SIZE = 512
"""Polynomials with more monomials, a higher degree or a factor of more names keep their written form."""


class _NotPolynomial(Exception):
    """The expression is no polynomial of the local quantities, a huge one, or one that loses digits expanded."""


@dataclass
class Constants:
    """Expressions of coefficients alone, each to be computed once per lifetime; equal ones share a slot."""

    expressions: list[Expression] = field(default_factory=list)

    def slot(self, expression: Expression) -> Name:
        """Return the name that stands for an expression: ``k0``, ``k1``, ... with a leading ``$``."""
        if expression not in self.expressions:
            self.expressions.append(expression)
        return Name(f"$k{self.expressions.index(expression)}")


def prepare(expression: Expression, variables: Sequence[str], constants: Constants) -> Expression:
    """Rewrite an expression over `variables` and constants.

    Args:
        expression: right-hand side of a rule.
        variables: local quantities, the outermost of the Horner form first.
        constants: collects the expressions of coefficients alone.
    """
    try:
        collected = _collect(expression, tuple(variables))
    except _NotPolynomial:
        return _hoist(expression, frozenset(variables), constants)
    terms = {
        monomial: _hoist(factor, frozenset(variables), constants) for monomial, factor in collected.items()
    }
    return _horner(terms, tuple(variables))


def _hoist(expression: Expression, variables: Collection[str], constants: Constants) -> Expression:
    """Replace each largest subexpression that holds coefficients but no variable by a constant's name."""
    used = set(names(expression))
    if not used:
        return expression
    if used.isdisjoint(variables):
        return _constant(expression, constants)
    match expression:
        case Operation(operator, left, right):
            return Operation(
                operator, _hoist(left, variables, constants), _hoist(right, variables, constants)
            )
        case Call(function, arguments):
            return Call(function, tuple(_hoist(argument, variables, constants) for argument in arguments))
        case Power(base, exponent):
            return Power(_hoist(base, variables, constants), exponent)
    return expression


def _constant(expression: Expression, constants: Constants) -> Expression:
    """Return a constant's name; a number in front stays outside, so that eta and -eta are one constant."""
    match expression:
        case Operation("*", Number(_) as number, rest) | Operation("*", rest, Number(_) as number):
            return Operation("*", number, _constant(rest, constants))
    return constants.slot(expression)


def _collect(expression: Expression, variables: tuple[str, ...]) -> dict[Monomial, Expression]:
    """Return the factor of each monomial of the variables."""
    one = (0,) * len(variables)
    if set(names(expression)).isdisjoint(variables):
        return {one: expression}
    match expression:
        case Name(name):
            return {tuple(int(variable == name) for variable in variables): Number(1.0)}
        case Power(base, exponent):
            collected = _collect(base, variables)
            product = collected
            for _ in range(exponent - 1):
                product = _multiply(product, collected)
            return product
        case Operation("+" | "-" as operator, left, right):
            terms = dict(_collect(left, variables))
            for monomial, factor in _collect(right, variables).items():
                terms[monomial] = _sum(terms.get(monomial), factor, operator)
            return terms
        case Operation("*", left, right):
            return _multiply(_collect(left, variables), _collect(right, variables))
        case Operation("/", left, right) if set(names(right)).isdisjoint(variables):
            terms = _collect(left, variables)
            return {monomial: Operation("/", factor, right) for monomial, factor in terms.items()}
    raise _NotPolynomial


def _multiply(
    left: dict[Monomial, Expression], right: dict[Monomial, Expression]
) -> dict[Monomial, Expression]:
    if len(left) > 1 and len(right) > 1:
        raise _NotPolynomial  # (w - 10)**4 around 10: its terms are large, and their sum small
    terms: dict[Monomial, Expression] = {}
    for a, factor_a in left.items():
        for b, factor_b in right.items():
            monomial = tuple(x + y for x, y in zip(a, b, strict=True))
            terms[monomial] = _sum(terms.get(monomial), _product(factor_a, factor_b), "+")
            too_large = len(terms) > MAXIMUM_TERMS or sum(monomial) > MAXIMUM_DEGREE
            if too_large or not _within(terms[monomial], MAXIMUM_SIZE):
                raise _NotPolynomial
    return terms


def _within(expression: Expression, limit: int) -> bool:
    """Whether an expression has at most `limit` names."""
    return next(islice(names(expression), limit, None), None) is None


def _sum(left: Expression | None, right: Expression, operator: str) -> Expression:
    if left is None:
        return right if operator == "+" else _product(Number(-1.0), right)
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value + right.value if operator == "+" else left.value - right.value)
    return Operation(operator, left, right)


def _product(left: Expression, right: Expression) -> Expression:
    if isinstance(left, Number) and isinstance(right, Number):
        return Number(left.value * right.value)
    if left == Number(1.0):
        return right
    return left if right == Number(1.0) else Operation("*", left, right)


def _horner(terms: dict[Monomial, Expression], variables: tuple[str, ...]) -> Expression:
    """Return ``(... (p_n x + p_(n-1)) x + ...) x + p_0`` for the first variable x, its p_i likewise."""
    if not variables:
        return terms.get((), Number(0.0))
    by_power: dict[int, dict[Monomial, Expression]] = {}
    for monomial, factor in terms.items():
        by_power.setdefault(monomial[0], {})[monomial[1:]] = factor
    result: Expression = Number(0.0)
    for power in range(max(by_power, default=0), -1, -1):
        inner = _horner(by_power[power], variables[1:]) if power in by_power else Number(0.0)
        if power < max(by_power):
            result = _product(result, Name(variables[0]))
        result = (
            inner
            if result == Number(0.0)
            else result
            if inner == Number(0.0)
            else Operation("+", result, inner)
        )
    return result
