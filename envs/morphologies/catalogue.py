"""Bodies of the quadrupeds as declarative edits, by name.

A morphology is a name and a tuple of edits, each applied to the `mujoco.MjSpec` before it is compiled. A new
body is one entry of `MORPHOLOGIES`; a new kind of change is one frozen dataclass with `apply`
(`hebbevo.envs.morphologies.edits`, `hebbevo.envs.morphologies.world_edits`). Nothing is compiled before it is needed.
Source of the damaged legs: Najarro & Risi 2020, arXiv 2007.02686 (lower-leg capsule from 0.4 to 0.1 per axis).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

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
from hebbevo.envs.morphologies.sampler import SPLITS, describe, sample_edits
from hebbevo.envs.morphologies.world_edits import ScaleFriction, ScaleGravity, Slope
from hebbevo.errors import EnvError, unknown
from hebbevo.lazy import LazyDict

if TYPE_CHECKING:
    from hebbevo.envs.physics import mujoco

DAMAGED_LENGTH: Final = 0.25
"""Length of a damaged lower leg as a factor of the intact one (0.4 to 0.1 per axis)."""


@dataclass(frozen=True)
class Morphology:
    """A body: the intact one with `edits` applied in order."""

    name: str
    description: str
    edits: tuple[Edit, ...] = ()

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Turn the intact body in `spec` into this one."""
        for edit in self.edits:
            edit.apply(spec)


def _paper_bodies() -> Iterator[Morphology]:
    yield Morphology("intact", "the body as it is")
    for leg, corner in (("front_right", "(+x, -y)"), ("front_left", "(+x, +y)")):
        yield _damaged(leg, f"a quarter of the lower leg at {corner}")


def _damaged(leg: str, description: str) -> Morphology:
    return Morphology(
        f"{_side_first(leg)}_damaged", description, (ScaleSegment(leg, "lower", DAMAGED_LENGTH),)
    )


def _side_first(leg: str) -> str:
    """Return the paper's word order: right_front."""
    end, side = leg.split("_")
    return f"{side}_{end}"


def _hurt_legs() -> Iterator[Morphology]:
    yield _damaged("rear_right", "a quarter of the lower leg at (-x, -y)")
    yield _damaged("rear_left", "a quarter of the lower leg at (-x, +y)")
    for leg in CORNERS:
        name, words = _side_first(leg), leg.replace("_", " ")
        yield Morphology(f"{name}_amputated", f"no lower {words} leg", (RemoveSegment(leg, "lower"),))
    for leg in ("front_right", "front_left"):
        name, words = _side_first(leg), leg.replace("_", " ")
        yield Morphology(f"{name}_locked", f"lower {words} leg locked", (LockJoint(leg, "lower"),))
        dead = (ScaleMotor(leg, "upper", 0), ScaleMotor(leg, "lower", 0))
        yield Morphology(f"{name}_limp", f"both motors of the {words} leg dead", dead)


def _builds() -> Iterator[Morphology]:
    yield Morphology("long_legs", "all legs a quarter longer", (ScaleLegs(1.25, 1.25),))
    yield Morphology("short_legs", "all legs 30 % shorter", (ScaleLegs(0.7, 0.7),))
    yield Morphology("tall_front", "front legs 20 % longer, rear legs 20 % shorter", (ScaleLegs(1.2, 0.8),))
    yield Morphology("tall_rear", "front legs 20 % shorter, rear legs 20 % longer", (ScaleLegs(0.8, 1.2),))
    loose = tuple(ScaleRange(leg, "lower", 1.5) for leg in CORNERS)
    yield Morphology("loose_joints", "lower legs bend half as far again", loose)
    weak = tuple(ScaleMotor(leg, part, 0.6) for leg in CORNERS for part in ("upper", "lower"))
    yield Morphology("weak", "hips and knees with 60 % of their torque", weak)
    yield Morphology("heavy", "one and a half times the mass", (ScaleMass(1.5),))
    yield Morphology("light", "half the mass", (ScaleMass(0.5),))
    yield Morphology("loaded", "a box on the torso, 40 % of the body's mass", (Payload(0.4),))


def _worlds() -> Iterator[Morphology]:
    yield Morphology("slippery", "a floor with a third of the friction", (ScaleFriction(1 / 3),))
    yield Morphology("low_gravity", "60 % of gravity", (ScaleGravity(0.6),))
    yield Morphology("high_gravity", "140 % of gravity", (ScaleGravity(1.4),))
    yield Morphology("uphill", "ground that rises 6 degrees ahead", (Slope(6),))
    yield Morphology("downhill", "ground that falls 6 degrees ahead", (Slope(-6),))
    yield Morphology("sideslope", "ground that rises 6 degrees to the left", (Slope(6, heading=90),))


def _sampled(split: str, number: int) -> Morphology:
    edits = sample_edits(split, number)
    return Morphology(sample_name(split, number), describe(edits), edits)


def sample_name(split: str, number: int) -> str:
    """Return the name of a sampled body: `train_017`, `test_05`."""
    digits = len(str(SPLITS[split] - 1))
    return f"{split}_{number:0{digits}d}"


def _by_name(bodies: Iterator[Morphology]) -> dict[str, Morphology]:
    return {body.name: body for body in bodies}


NAMED: Final[dict[str, Morphology]] = {
    **_by_name(_paper_bodies()),
    **_by_name(_hurt_legs()),
    **_by_name(_builds()),
    **_by_name(_worlds()),
}
"""The bodies made by hand."""

MORPHOLOGIES: Final[LazyDict[Morphology]] = LazyDict(
    NAMED,
    makers={
        sample_name(split, number): partial(_sampled, split, number)
        for split, size in SPLITS.items()
        for number in range(size)
    },
)
"""All bodies: those made by hand and the sampled ones, `train_000` on and `test_00` on, each drawn when first used."""


def split_names(split: str) -> tuple[str, ...]:
    """Return the names of the sampled bodies of a split, `train` or `test`.

    Raises:
        EnvError: another split.
    """
    if split not in SPLITS:
        raise EnvError(unknown("split", split, SPLITS))
    return tuple(sample_name(split, number) for number in range(SPLITS[split]))


def is_sampled(name: str) -> bool:
    """Tell whether a body is one of the samplers'."""
    return any(name in split_names(split) for split in SPLITS)


def check_morphology(name: str, catalogue: Mapping[str, Morphology] = MORPHOLOGIES) -> None:
    """Raise `EnvError` with the nearest name where no morphology of a catalogue has this one."""
    if name not in catalogue:
        raise EnvError(unknown("morphology", name, catalogue))


def get_morphology(name: str) -> Morphology:
    """Return the registered morphology; see `check_morphology`."""
    check_morphology(name)
    return MORPHOLOGIES[name]
