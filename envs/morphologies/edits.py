"""Edits of a body: segments, joints, motors, mass, payload. Each is a frozen dataclass with `apply`.

Edits compose: they are applied in the order given, each to what those before it have left. Lengths, torques
and masses are factors of what is there, so that an edit fits every build of quadruped. Those of the world
(gravity, floor) are in `hebbevo.envs.morphologies.world_edits`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from hebbevo.envs.morphologies.anatomy import CORNERS, SEGMENTS, anatomy_of, find_joint, find_segment
from hebbevo.errors import EnvError, unknown

if TYPE_CHECKING:
    from hebbevo.envs.physics import mujoco

LOCK_PLAY: Final = math.radians(1.0)
"""A locked joint keeps this much play (rad) to either side, within which MuJoCo's soft limits hold it."""

POSE: Final = "init_qpos"
"""Name of the model's numeric with the initial pose: torso's position and quaternion, then the joints."""


class Edit(Protocol):
    """One change of the body."""

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Change `spec` in place."""


@dataclass(frozen=True)
class ScaleSegment:
    """Scale the length of one segment; its mass follows, its radius stays, what hangs on it moves along."""

    leg: str
    segment: str
    factor: float

    def __post_init__(self) -> None:
        check_part(self)
        check_range(self, "factor", 0.05, 3)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Move the far end of the capsule, and the next segment with it."""
        capsule, _ = find_segment(spec, self.leg, self.segment)
        near, far = capsule.fromto[:3].copy(), capsule.fromto[3:].copy()
        capsule.fromto = [*near, *(near + self.factor * (far - near))]
        for child in capsule.parent.bodies:
            child.pos = near + self.factor * (child.pos - near)


@dataclass(frozen=True)
class RemoveSegment:
    """Cut off a segment and all that hangs on it, joints and motors included."""

    leg: str
    segment: str

    def __post_init__(self) -> None:
        check_part(self)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Delete the segment's body; MuJoCo deletes the motors of its joints."""
        capsule, _ = find_segment(spec, self.leg, self.segment)
        spec.delete(capsule.parent)


@dataclass(frozen=True)
class ScaleLegs:
    """Families of leg lengths: scale upper and lower segments; a leg's factor is the product of its two sides'."""

    front: float = 1.0
    rear: float = 1.0
    left: float = 1.0
    right: float = 1.0

    def __post_init__(self) -> None:
        for side in ("front", "rear", "left", "right"):
            check_range(self, side, 0.3, 2)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Scale the legs one by one; segments that an earlier edit has removed stay so."""
        for leg in CORNERS:
            end, side = leg.split("_")
            factor = getattr(self, end) * getattr(self, side)
            for segment in ("upper", "lower"):
                if spec.geom(anatomy_of(spec).legs[leg].segment(segment).geom) is not None:
                    ScaleSegment(leg, segment, factor).apply(spec)


@dataclass(frozen=True)
class LockJoint:
    """Hold the joint of a segment at its initial angle, within `LOCK_PLAY`."""

    leg: str
    segment: str

    def __post_init__(self) -> None:
        check_part(self)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Narrow the joint's limits."""
        joint = find_joint(spec, self.leg, self.segment)
        angle = initial_angle(spec, joint.name)
        _set_limits(spec, joint, angle - LOCK_PLAY, angle + LOCK_PLAY)


@dataclass(frozen=True)
class ScaleRange:
    """Loosen (factor above 1) or stiffen the joint of a segment: scale its limits about their middle."""

    leg: str
    segment: str
    factor: float

    def __post_init__(self) -> None:
        check_part(self)
        check_range(self, "factor", 0.05, 3)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Move both limits."""
        joint = find_joint(spec, self.leg, self.segment)
        low, high = joint.range
        middle, half = (low + high) / 2, self.factor * (high - low) / 2
        joint.range = [middle - half, middle + half]


@dataclass(frozen=True)
class ScaleMotor:
    """Weaken (factor below 1), kill (0) or strengthen the motor of a segment."""

    leg: str
    segment: str
    factor: float

    def __post_init__(self) -> None:
        check_part(self)
        check_range(self, "factor", 0, 3)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Scale the motor's gear."""
        joint = find_joint(spec, self.leg, self.segment)
        for motor in spec.actuators:
            if motor.target == joint.name:
                motor.gear = [self.factor * gear for gear in motor.gear]


@dataclass(frozen=True)
class ScaleMass:
    """Scale the mass and inertia of all that moves, what it carries so far included."""

    factor: float

    def __post_init__(self) -> None:
        check_range(self, "factor", 0.1, 10)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Scale densities, and masses where they are given."""
        for geom in moving_geoms(spec):
            geom.density *= self.factor
            geom.mass *= self.factor  # NaN where the density decides


@dataclass(frozen=True)
class Payload:
    """Strap a box on the torso that weighs `share` of the body's mass; it can touch the floor."""

    share: float

    def __post_init__(self) -> None:
        check_range(self, "share", 0.01, 2)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Add the box to the torso."""
        from hebbevo.envs.physics import mujoco

        anatomy = anatomy_of(spec)
        torso, model = spec.body("torso"), spec.copy().compile()
        torso.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=anatomy.load_size,
            pos=[0, 0, anatomy.load_height],
            mass=self.share * model.body_subtreemass[model.body("torso").id],
            rgba=[0.35, 0.2, 0.1, 1],
        )


def moving_geoms(spec: mujoco.MjSpec) -> Iterator[mujoco.MjsGeom]:
    """Yield the geoms of the quadruped, those of the world left out."""
    yield from (geom for geom in spec.geoms if geom.parent.name != "world")


def initial_angle(spec: mujoco.MjSpec, joint: str) -> float:
    """Return the angle (rad) of a joint in the initial pose of the intact body."""
    index = anatomy_of(spec).sensed_joints.index(joint)
    return float(spec.numeric(POSE).data[7 + index])


def _set_limits(spec: mujoco.MjSpec, joint: mujoco.MjsJoint, low: float, high: float) -> None:
    """Limit a joint to angles in rad; the spec has its own unit."""
    unit = math.degrees(1) if spec.compiler.degree else 1.0
    joint.range = [low * unit, high * unit]


def check_part(edit: object) -> None:
    """Refuse legs and segments that no quadruped has."""
    for field, known in (("leg", CORNERS), ("segment", SEGMENTS)):
        check_name(field, getattr(edit, field), known)


def check_name(field: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is none of `known`."""
    if name not in (known := tuple(known)):
        raise EnvError(unknown(field, name, known))


def check_range(edit: object, field: str, low: float, high: float) -> None:
    """Refuse a field of an edit outside [low, high]; NaN is outside."""
    value = getattr(edit, field)
    if not low <= value <= high:
        raise EnvError(f"{type(edit).__name__}.{field} must be from {low:g} to {high:g}, got {value}")
