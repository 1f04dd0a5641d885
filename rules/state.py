"""States that a rule keeps: of every synapse, or of every neuron, and what they start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hebbevo.errors import RuleError, unknown
from hebbevo.rules.distribution import Distribution, parse_initial
from hebbevo.rules.expression import Expression
from hebbevo.rules.grammar import parse_expression
from hebbevo.rules.signals import POST, PRE

SYNAPSE = "synapse"
AXES = (SYNAPSE, POST, PRE)
_KEYS = ("equation", "axis", "initial")


@dataclass(frozen=True)
class State:
    """A state.

    Attributes:
        equation: its next value.
        axis: who has it: a synapse, a postsynaptic or a presynaptic neuron.
        initial: distribution that a lifetime draws it from, or a first genome where it evolves; None is zero.
        evolved: whether its initial values are part of the genome.
    """

    name: str
    equation: Expression
    axis: str = SYNAPSE
    initial: Distribution | None = None
    evolved: bool = False

    @classmethod
    def parse(cls, name: str, text: str | Mapping[str, str], where: str) -> State:
        """Read a state's equation, or a mapping with `equation`, and perhaps `axis` and `initial`.

        Raises:
            RuleError: one line with the place and the remedy.
        """
        if isinstance(text, str):
            return cls(name, parse_expression(text, where))
        if other := [key for key in text if key not in _KEYS]:
            raise RuleError(f"{where}: {unknown('key', other[0], _KEYS)}")
        if not isinstance(text.get("equation"), str):
            raise RuleError(
                f"{where}: `equation` is missing; write {{equation: ..., axis: post, initial: zeros}}"
            )
        axis, initial = text.get("axis", SYNAPSE), str(text.get("initial", "zeros"))
        if axis not in AXES:
            raise RuleError(f"{where}: {unknown('axis', axis, AXES)}")
        if name == "w" and (axis != SYNAPSE or "initial" in text):
            raise RuleError(
                f"{where}: w belongs to synapses and starts at plasticity.initial_weights; leave both out"
            )
        parsed, evolved = parse_initial(initial, evolved_from="zeros")
        zero = parsed == Distribution.parse("zeros") and not evolved
        return cls(name, parse_expression(text["equation"], where), axis, None if zero else parsed, evolved)
