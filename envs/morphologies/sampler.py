"""Random bodies, the same on every machine: a fixed `train` and a fixed `test` split.

Body number k of a split follows from (split, k) alone (`hebbevo.seeding`). Each has legs of other
lengths, one of `SHAPES`, and up to two different changes of `OTHERS`; the ranges are such that a body still
stands. The two splits come from the same distribution. Published results name bodies, so that neither the seed
nor the draws may change: add a split instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import MappingProxyType
from typing import Final

from hebbevo.envs.morphologies.anatomy import CORNERS
from hebbevo.envs.morphologies.edits import (
    Edit,
    LockJoint,
    Payload,
    RemoveSegment,
    ScaleLegs,
    ScaleMass,
    ScaleMotor,
    ScaleRange,
    ScaleSegment,
)
from hebbevo.envs.morphologies.world_edits import ScaleFriction, ScaleGravity, Slope
from hebbevo.seeding import sampled_body_stream

SPLITS: Final = MappingProxyType({"train": 120, "test": 30})
"""How many bodies each split has."""

_MOST_OTHERS: Final = 2


class Draw:
    """Numbers for one body, rounded so that its description is complete."""

    def __init__(self, split: str, number: int) -> None:
        self.generator = sampled_body_stream(split, number)

    def leg(self) -> str:
        """Return one of the four legs."""
        return CORNERS[self.generator.integers(len(CORNERS))]

    def segment(self) -> str:
        """Return a segment that every build can move."""
        return ("upper", "lower")[self.generator.integers(2)]

    def number(self, low: float, high: float) -> float:
        """Return a number of three decimals, uniform between the bounds."""
        return round(float(self.generator.uniform(low, high)), 3)

    def factor(self, low: float, high: float) -> float:
        """Return a number of three decimals between the bounds that makes a difference of at least 8 %."""
        while abs((factor := self.number(low, high)) - 1) < 0.08:
            pass
        return factor

    def sign(self) -> int:
        """Return 1 or -1."""
        return (1, -1)[self.generator.integers(2)]


SHAPES: Final[tuple[Callable[[Draw], Edit], ...]] = (
    lambda draw: ScaleSegment(draw.leg(), "lower", draw.number(0.25, 0.85)),
    lambda draw: ScaleSegment(draw.leg(), "upper", draw.factor(0.5, 1.3)),
    lambda draw: RemoveSegment(draw.leg(), "lower"),
    lambda draw: ScaleLegs(front=draw.factor(0.75, 1.2), rear=draw.factor(0.75, 1.2)),
    lambda draw: ScaleLegs(**{("left", "right")[draw.generator.integers(2)]: draw.number(0.8, 0.92)}),
)
"""Changes of the legs' lengths, of which every body has one."""

OTHERS: Final[tuple[Callable[[Draw], Edit], ...]] = (
    lambda draw: LockJoint(draw.leg(), draw.segment()),
    lambda draw: ScaleRange(draw.leg(), draw.segment(), draw.factor(0.4, 1.5)),
    lambda draw: ScaleMotor(draw.leg(), draw.segment(), draw.number(0.0, 0.7)),
    lambda draw: Payload(draw.number(0.1, 0.5)),
    lambda draw: ScaleMass(draw.factor(0.6, 1.6)),
    lambda draw: ScaleFriction(draw.factor(0.4, 1.2)),
    lambda draw: ScaleGravity(draw.factor(0.7, 1.3)),
    lambda draw: Slope(draw.sign() * draw.number(1, 5)),
)
"""Other changes, of which a body has none to two."""


def sample_edits(split: str, number: int) -> tuple[Edit, ...]:
    """Return the edits of body `number` of a split; a removed segment comes last, as it can no longer be edited."""
    draw = Draw(split, number)
    edits: list[Edit] = []
    while not _makes_a_body(edits):
        shape = SHAPES[draw.generator.integers(len(SHAPES))]
        count = int(draw.generator.integers(_MOST_OTHERS + 1))
        others = sorted(draw.generator.choice(len(OTHERS), count, replace=False))
        edits = [change(draw) for change in (shape, *(OTHERS[other] for other in others))]
    return tuple(sorted(edits, key=lambda edit: isinstance(edit, RemoveSegment)))


def _makes_a_body(edits: Sequence[Edit]) -> bool:
    """Tell whether there is a number among the changes, so that bodies differ, and no removed segment is edited."""
    parts = [(edit.leg, edit.segment) for edit in edits if isinstance(edit, _OF_A_SEGMENT)]
    removed = [(edit.leg, edit.segment) for edit in edits if isinstance(edit, RemoveSegment)]
    counted = any(not isinstance(edit, LockJoint | RemoveSegment) for edit in edits)
    return counted and all(parts.count(part) == 1 for part in removed)


_OF_A_SEGMENT: Final = (ScaleSegment, RemoveSegment, LockJoint, ScaleRange, ScaleMotor)


def describe(edits: Sequence[Edit]) -> str:
    """Return one line about the edits of the sampler."""
    return "; ".join(_describe(edit) for edit in edits)


def _describe(edit: Edit) -> str:
    match edit:
        case ScaleSegment(leg, segment, factor):
            return f"{segment} {_words(leg)} leg x {factor:g}"
        case RemoveSegment(leg, segment):
            return f"no {segment} {_words(leg)} leg"
        case ScaleLegs(front, rear, left, right):
            sides = {"front": front, "rear": rear, "left": left, "right": right}
            return ", ".join(f"{side} legs x {factor:g}" for side, factor in sides.items() if factor != 1)
        case LockJoint(leg, segment):
            return f"{segment} {_words(leg)} joint locked"
        case ScaleRange(leg, segment, factor):
            return f"{segment} {_words(leg)} joint's range x {factor:g}"
        case ScaleMotor(leg, segment, factor):
            return f"{segment} {_words(leg)} motor x {factor:g}"
        case Payload(share):
            return f"load of {share:g} of the mass"
        case ScaleMass(factor):
            return f"mass x {factor:g}"
        case ScaleFriction(factor):
            return f"friction x {factor:g}"
        case ScaleGravity(factor):
            return f"gravity x {factor:g}"
        case Slope(degrees):
            return f"slope {degrees:+g} degrees"
    raise AssertionError(edit)


def _words(leg: str) -> str:
    return leg.replace("_", " ")
