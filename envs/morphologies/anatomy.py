"""Where the parts of a robot are in its model; of a quadruped, legs by the corner of the body, segments from the trunk.

Edits, observation and actions name parts by leg and segment, so that the same edit fits bodies of another build.
A segment stands for its capsule and for the joint and the motor that move it. Front is +x, left is +y.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from hebbevo.errors import EnvError, unknown

if TYPE_CHECKING:
    from hebbevo.envs.physics import mujoco

CORNERS: Final = ("front_left", "front_right", "rear_left", "rear_right")
"""The legs, in the order of the foot contacts of the observation."""

SEGMENTS: Final = ("shoulder", "upper", "lower")
"""The parts of a leg, from the trunk to the foot."""


@dataclass(frozen=True)
class Segment:
    """One link of a leg: names of its capsule and of the hinge that it hangs by, if it has one."""

    geom: str
    joint: str | None


@dataclass(frozen=True)
class Leg:
    """The segments of a leg; the lower one ends in the foot."""

    shoulder: Segment
    upper: Segment
    lower: Segment

    def segment(self, name: str) -> Segment:
        """Return the segment called `name`, one of `SEGMENTS`."""
        segment = getattr(self, name)
        assert isinstance(segment, Segment)
        return segment


@dataclass(frozen=True)
class Anatomy:
    """The parts of one build of robot.

    Attributes:
        name: of the MJCF model.
        legs: by corner, in the order of `CORNERS`; none where the robot is no quadruped of hebbevo's own.
        sensed_joints: joints in the order of the observation, which is the intact model's.
        motor_joints: joints in the order of the action; empty where motors go by their own names.
        fallen_height: a torso at or below this (m) has fallen.
        load_size: half lengths (m) of a box that the torso can carry.
        load_height: where the middle of that box is, above the torso's origin (m).
        torso: name of the body that is pushed, loaded and followed.
        root_size: numbers of a pose before those of the sensed joints: 7 of a free body, 3 of one held in a plane.
    """

    name: str
    legs: Mapping[str, Leg]
    sensed_joints: tuple[str, ...]
    motor_joints: tuple[str, ...]
    fallen_height: float
    load_size: tuple[float, float, float]
    load_height: float
    torso: str = "torso"
    root_size: int = 7

    @cached_property
    def feet(self) -> tuple[str, ...]:
        """Names of the capsules that end in the feet, in the order of `CORNERS`."""
        return tuple(self.legs[corner].lower.geom for corner in CORNERS if corner in self.legs)


def _ant_leg(capsules: tuple[str, str, str], number: int) -> Leg:
    shoulder, upper, lower = capsules
    return Leg(Segment(shoulder, None), Segment(upper, f"hip_{number}"), Segment(lower, f"ankle_{number}"))


ANT: Final = Anatomy(
    name="ant",
    legs=MappingProxyType(  # the names in the XML file say something else
        {
            "front_left": _ant_leg(("aux_1_geom", "left_leg_geom", "left_ankle_geom"), 1),
            "front_right": _ant_leg(("aux_4_geom", "rightback_leg_geom", "fourth_ankle_geom"), 4),
            "rear_left": _ant_leg(("aux_2_geom", "right_leg_geom", "right_ankle_geom"), 2),
            "rear_right": _ant_leg(("aux_3_geom", "back_leg_geom", "third_ankle_geom"), 3),
        }
    ),
    sensed_joints=tuple(f"{joint}_{leg}" for leg in (1, 2, 3, 4) for joint in ("hip", "ankle")),
    motor_joints=tuple(f"{joint}_{leg}" for leg in (4, 1, 2, 3) for joint in ("hip", "ankle")),
    fallen_height=0.26,
    load_size=(0.16, 0.16, 0.08),
    load_height=0.3,
)
"""Gymnasium's Ant: the shoulders are fixed, the hips turn about the vertical, the ankles bend the lower legs."""


def _dog_leg(corner: str) -> Leg:
    return Leg(*(Segment(f"{corner}_{segment}", f"{corner}_{joint}") for segment, joint in _DOG_LINKS))


_DOG_LINKS: Final = (("shoulder", "abduction"), ("upper", "hip"), ("lower", "knee"))
_DOG_JOINTS: Final = tuple(f"{corner}_{joint}" for corner in CORNERS for _, joint in _DOG_LINKS)

DOG: Final = Anatomy(
    name="dog",
    legs=MappingProxyType({corner: _dog_leg(corner) for corner in CORNERS}),
    sensed_joints=_DOG_JOINTS,
    motor_joints=_DOG_JOINTS,
    fallen_height=0.15,
    load_size=(0.12, 0.07, 0.04),
    load_height=0.1,
)
"""The dog of `hebbevo.envs.robots.dog`: shoulders turn about the trunk's axis, hips and knees about the cross axis."""

ANATOMIES: Final[dict[str, Anatomy]] = {anatomy.name: anatomy for anatomy in (ANT, DOG)}
"""By model name; the config of a robot adds its own."""


def add_anatomy(anatomy: Anatomy) -> None:
    """Let edits find the parts of models of this name.

    Raises:
        EnvError: models of this name have other parts.
    """
    if ANATOMIES.setdefault(anatomy.name, anatomy) != anatomy:
        raise EnvError(
            f"another anatomy is called {anatomy.name!r}; give this model and its anatomy a new name"
        )


def anatomy_of(spec: mujoco.MjSpec) -> Anatomy:
    """Return the anatomy of the body in `spec`, known by its model name.

    Raises:
        EnvError: no anatomy names the parts of this model.
    """
    if spec.modelname not in ANATOMIES:
        raise EnvError(f"no anatomy for model {spec.modelname!r}; edits know {', '.join(ANATOMIES)}")
    return ANATOMIES[spec.modelname]


def find_part(spec: mujoco.MjSpec, kind: str, name: str) -> Any:
    """Return the element of a `kind` ("body", "geom" or "joint") with this name.

    Raises:
        EnvError: there is none, or an earlier edit has removed it.
    """
    element = getattr(spec, kind)(name)
    if element is None:
        elements = spec.bodies if kind == "body" else getattr(spec, f"{kind}s")
        raise EnvError(unknown(f"{kind} of the robot", name, (one.name for one in elements if one.name)))
    return element


def find_segment(spec: mujoco.MjSpec, leg: str, segment: str) -> tuple[mujoco.MjsGeom, Segment]:
    """Return a segment's capsule and its names.

    Raises:
        EnvError: the robot has no such legs, or an earlier edit has removed it.
    """
    legs = anatomy_of(spec).legs
    if leg not in legs:
        raise EnvError(f"{spec.modelname} has no leg {leg}; name a joint, geom or body of it instead")
    names = legs[leg].segment(segment)
    geom = spec.geom(names.geom)
    if geom is None:
        raise EnvError(f"the {segment} segment of leg {leg} has been removed; edit it before, or not at all")
    return geom, names


def find_joint(spec: mujoco.MjSpec, leg: str, segment: str) -> mujoco.MjsJoint:
    """Return the joint that a segment hangs by.

    Raises:
        EnvError: it has none, or an earlier edit has removed it.
    """
    _, names = find_segment(spec, leg, segment)
    if names.joint is None:
        raise EnvError(
            f"the {segment} segment of the {spec.modelname} is fixed: it has no joint and no motor"
        )
    return spec.joint(names.joint)
