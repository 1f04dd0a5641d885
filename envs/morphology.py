"""Bodies of the quadruped as declarative edits of Gymnasium's Ant.

A morphology is a name and a tuple of edits, each applied to the `mujoco.MjSpec` before it is compiled. A new
body is one entry of `MORPHOLOGIES`; a new kind of change is one frozen dataclass with `apply`. Front is +x,
left is +y. Source of the damaged legs: Najarro & Risi 2020, arXiv 2007.02686 (lower-leg capsule from 0.4 to
0.1 per axis).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

import mujoco

from hebbevo.envs.errors import unknown_name


@dataclass(frozen=True)
class Leg:
    """Where one leg of Gymnasium's Ant is in the MJCF, whose own geom names do not say so."""

    lower_leg: str
    """Name of the capsule that ends in the foot."""
    hip: str
    ankle: str


LEGS = MappingProxyType(
    {
        "front_left": Leg("left_ankle_geom", "hip_1", "ankle_1"),
        "front_right": Leg("fourth_ankle_geom", "hip_4", "ankle_4"),
        "rear_left": Leg("right_ankle_geom", "hip_2", "ankle_2"),
        "rear_right": Leg("third_ankle_geom", "hip_3", "ankle_3"),
    }
)
"""The legs by the corner of the body they stand at, in the order of the four foot contacts."""


class Edit(Protocol):
    """One change of the body."""

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Change `spec` in place."""


@dataclass(frozen=True)
class ScaleLowerLeg:
    """Scale the length of one lower leg; its mass follows, its radius stays."""

    leg: str
    factor: float

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Move the foot's end of the capsule towards the ankle."""
        capsule = spec.geom(LEGS[self.leg].lower_leg)
        ankle, foot = capsule.fromto[:3].copy(), capsule.fromto[3:].copy()
        capsule.fromto = [*ankle, *(ankle + self.factor * (foot - ankle))]


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


DAMAGED_LENGTH = 0.25
"""What is left of a damaged lower leg (0.4 to 0.1 per axis)."""

MORPHOLOGIES: dict[str, Morphology] = {
    morphology.name: morphology
    for morphology in (
        Morphology("intact", "Gymnasium's Ant as it is"),
        Morphology(
            "right_front_damaged",
            "a quarter of the lower leg at (+x, -y)",
            (ScaleLowerLeg("front_right", DAMAGED_LENGTH),),
        ),
        Morphology(
            "left_front_damaged",
            "a quarter of the lower leg at (+x, +y)",
            (ScaleLowerLeg("front_left", DAMAGED_LENGTH),),
        ),
    )
}


def get_morphology(name: str) -> Morphology:
    """Return the registered morphology, or raise `EnvError` with the nearest name."""
    if name not in MORPHOLOGIES:
        raise unknown_name("morphology", name, MORPHOLOGIES)
    return MORPHOLOGIES[name]
