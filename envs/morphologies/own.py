"""Bodies of a user's own, as a file says them: edits by name, splits of sampled ones, bodies drawn in every lifetime.

They travel as settings in configs, runs and genomes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any, Final, Self

from pydantic import Field, field_validator, model_validator

from hebbevo.envs.morphologies import edits, world_edits
from hebbevo.envs.morphologies.catalogue import Morphology
from hebbevo.envs.morphologies.edits import Edit
from hebbevo.errors import EnvError, unknown
from hebbevo.lazy import LazyDict
from hebbevo.seeding import own_body_stream
from hebbevo.settings import Settings

INTACT: Final = "intact"
"""The body without edits."""

EDITS: Final[Mapping[str, type[Any]]] = MappingProxyType(
    {
        re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind.__name__).lower(): kind
        for kind in (
            *(edits.ScaleSegment, edits.RemoveSegment, edits.ScaleLegs, edits.LockJoint, edits.ScaleRange),
            *(edits.ScaleMotor, edits.ScaleMass, edits.Payload),
            *(world_edits.ScaleFriction, world_edits.ScaleGravity, world_edits.Slope),
        )
    }
)
"""Kinds of edits, by the names that files have for them."""

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}", re.ASCII)
MOST: Final = 1000
"""Bodies in a file, and in a split."""

MOST_MEMBERS: Final = 10_000
"""Bodies in a file, those of splits included."""

Value = Annotated[str, Field(max_length=200)] | Annotated[float, Field(strict=True, ge=-1e6, le=1e6)]
WrittenEdit = dict[str, dict[str, Value | Annotated[list[Value], Field(max_length=100)]]]


@dataclass(frozen=True)
class DrawnMorphology(Morphology):
    """Another body in every lifetime.

    Attributes:
        choices: names of the bodies that it may be, all as likely.
        none: how likely it is the intact one instead.
    """

    choices: tuple[str, ...] = ()
    none: float = 0.0


class OwnBody(Settings):
    """A body, a split of sampled ones, or one drawn in every lifetime."""

    description: str = Field(default="", max_length=300, exclude_if=lambda text: not text)
    edits: tuple[WrittenEdit, ...] = Field(
        default=(),
        max_length=100,
        exclude_if=lambda value: not value,
        description="changes of the intact body, in order: {scale_motor: {joint: hip_1, factor: 0.5}}; in a split, a "
        "number may be [low, high] and a name a list to choose from",
    )
    count: int | None = Field(
        default=None,
        ge=1,
        le=MOST,
        exclude_if=lambda value: value is None,
        description="bodies of a split",
    )
    seed: int = Field(
        default=0,
        ge=0,
        lt=2**63,
        exclude_if=lambda value: not value,
        description="the split's bodies follow from it",
    )
    changes: int | None = Field(
        default=None,
        ge=1,
        le=100,
        exclude_if=lambda value: value is None,
        description="how many of the edits each body of a split has; null: all",
    )
    draw: tuple[str, ...] = Field(
        default=(),
        max_length=MOST,
        exclude_if=lambda value: not value,
        description="names of bodies or splits; every lifetime draws one from its seed",
    )
    none: float = Field(
        default=0.0,
        ge=0,
        le=1,
        exclude_if=lambda value: not value,
        description="how likely it draws the intact body",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_list_is_edits(cls, value: Any) -> Any:
        return {"edits": value} if isinstance(value, list | tuple) else value

    @field_validator("edits")
    @classmethod
    def _are_edits(cls, written: tuple[WrittenEdit, ...]) -> tuple[WrittenEdit, ...]:
        for edit in written:
            if len(edit) != 1:
                raise EnvError(f"an edit is one kind with its fields, got {', '.join(edit) or 'none'}")
            for kind, values in edit.items():
                if kind not in EDITS:
                    raise EnvError(unknown("edit", kind, EDITS))
                known = [field.name for field in fields(EDITS[kind])]
                for name in values.keys() - set(known):
                    raise EnvError(unknown(f"field of {kind}", name, known))
        return written

    @model_validator(mode="after")
    def _is_one_kind(self) -> Self:
        if bool(self.draw) == bool(self.edits):
            raise EnvError("a body has edits, or draws one of others: give `edits` or `draw`")
        if self.count is None and (self.changes is not None or self.seed):
            raise EnvError("`seed` and `changes` are of a split, which has a `count` of bodies")
        if self.draw and self.count is not None:
            raise EnvError("a split has edits; give `edits` with `count`, or `draw`")
        if self.none and not self.draw:
            raise EnvError("`none` is how likely a drawn body is the intact one; give `draw`")
        if self.changes is not None and self.changes > len(self.edits):
            raise EnvError(f"`changes` is {self.changes}, of {len(self.edits)} edits")
        if self.count is None:
            _built(self.edits)
        else:
            self.sampled("", 0)
        return self

    def members(self, name: str) -> tuple[str, ...]:
        """Return the names of the bodies that stand under one name in a file."""
        if self.count is None:
            return (name,)
        digits = max(2, len(str(self.count - 1)))
        return tuple(f"{name}_{number:0{digits}d}" for number in range(self.count))

    def sampled(self, name: str, number: int) -> Morphology:
        """Return a body of a split."""
        generator = own_body_stream(self.seed, number)
        chosen = list(range(len(self.edits)))
        if self.changes is not None:
            chosen = sorted(generator.choice(len(self.edits), self.changes, replace=False).tolist())
        drawn = [
            {
                kind: {key: _drawn(value, generator) for key, value in values.items()}
                for kind, values in edit.items()
            }
            for edit in (self.edits[index] for index in chosen)
        ]
        return Morphology(name, self.description or _described(drawn), _built(drawn))


def _drawn(value: Value | list[Value], generator: Any) -> Value:
    """Return one of the values that a list stands for: of numbers, one between the two; of names, one of them."""
    if not isinstance(value, list):
        return value
    if value and all(isinstance(one, str) for one in value):
        return value[int(generator.integers(len(value)))]
    if len(value) == 2 and all(_is_number(one) for one in value) and value[0] <= value[1]:  # type: ignore[operator]
        return round(float(generator.uniform(*value)), 3)
    raise EnvError(f"a list in a split is [low, high] or names to choose from, got {str(value)[:60]}")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _built(written: Iterable[Mapping[str, Mapping[str, Any]]]) -> tuple[Edit, ...]:
    """Return edits that a file has in words.

    Raises:
        EnvError: a value that a field cannot have.
    """
    built: list[Edit] = []
    for edit in written:
        for kind, values in edit.items():
            for field in fields(EDITS[kind]):
                value = values.get(field.name, field.default)
                fits = isinstance(value, str) if "str" in str(field.type) else _is_number(value)
                if not fits:
                    expected = "a name" if "str" in str(field.type) else "a number"
                    raise EnvError(
                        f"{kind}.{field.name} must be {expected}, got {str(values.get(field.name))[:60]}"
                    )
            built.append(EDITS[kind](**values))
    return tuple(built)


def _described(written: Iterable[Mapping[str, Mapping[str, Any]]]) -> str:
    """Return one line about edits."""
    return "; ".join(
        f"{kind.replace('_', ' ')} {', '.join(str(value) for value in values.values())}"
        for edit in written
        for kind, values in edit.items()
    )


def own_morphologies(own: Mapping[str, OwnBody]) -> LazyDict[Morphology]:
    """Return all bodies of a user's own by name, splits member by member; sampled ones are drawn when first used."""
    made: dict[str, Morphology] = {}
    makers = {}
    for name, body in own.items():
        if body.draw:
            about = body.description or f"in every lifetime one of {', '.join(body.draw)}"
            made[name] = DrawnMorphology(name, about, (), choices=expanded(body.draw, own), none=body.none)
        elif body.count is None:
            made[name] = Morphology(name, body.description or _described(body.edits), _built(body.edits))
        else:
            for number, member in enumerate(body.members(name)):
                makers[member] = partial(body.sampled, member, number)
    return LazyDict(made, makers=makers)


def expanded(names: Iterable[str], own: Mapping[str, OwnBody]) -> tuple[str, ...]:
    """Return names of bodies, with the members of each split in its place."""
    return tuple(member for name in names for member in (own[name].members(name) if name in own else (name,)))


def check_own(own: Mapping[str, OwnBody], catalogue: Mapping[str, Morphology]) -> None:
    """Refuse names that are taken or none, and draws from bodies that are none or drawn themselves.

    Args:
        own: by name.
        catalogue: bodies that the robot has besides.
    """
    if len(own) > MOST:
        raise EnvError(f"env.bodies has {len(own)} bodies; {MOST} at most")
    taken = Counter(member for name, body in own.items() for member in body.members(name))
    if taken.total() > MOST_MEMBERS:
        raise EnvError(
            f"env.bodies has {taken.total()} bodies, those of splits included; {MOST_MEMBERS} at most"
        )
    known = own_morphologies(own)
    for name in (*own, *taken):
        if not _NAME.fullmatch(name):
            raise EnvError(
                f"env.bodies: {name[:60]!r} is no name of a body; use letters, digits, '_', '-' and '.'"
            )
        if name in catalogue or taken[name] > 1:
            raise EnvError(f"env.bodies: a body called {name} is there already; give yours another name")
    for name, body in own.items():
        for choice in expanded(body.draw, own):
            if choice not in known and choice not in catalogue:
                raise EnvError(f"env.bodies.{name}: {unknown('morphology', choice, (*known, *catalogue))}")
            if choice in own and own[choice].draw:
                raise EnvError(f"env.bodies.{name} draws {choice}, which draws again; name its bodies")
