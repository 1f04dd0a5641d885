"""Edits of a body: segments, joints, motors, mass, payload. Each is a frozen dataclass with `apply`.

Edits compose: they are applied in the order given, each to what those before it have left. Lengths, torques
and masses are factors of what is there. A part is a leg and its segment, which fits every build of quadruped, or the
name of a joint, geom or body, which fits any robot. Those of the world (gravity, floor) are in
`hebbevo.envs.morphologies.world_edits`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from hebbevo.envs.morphologies.anatomy import (
    CORNERS,
    SEGMENTS,
    anatomy_of,
    find_joint,
    find_part,
    find_segment,
)
from hebbevo.errors import EnvError, unknown

if TYPE_CHECKING:
    import numpy as np

    from hebbevo.envs.physics import mujoco

LOCK_PLAY: Final = math.radians(1.0)
"""A locked joint keeps this much play (rad) to either side, within which MuJoCo's soft limits hold it."""

POSE: Final = "init_qpos"
"""Name of the model's numeric with the initial pose: the root (torso's position and quaternion), then the joints."""


class Edit(Protocol):
    """One change of the body."""

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Change `spec` in place."""


@dataclass(frozen=True)
class ScaleSegment:
    """Scale the length of one segment; its mass follows, its radius stays, what hangs on it moves along."""

    leg: str = ""
    segment: str = ""
    factor: float = 1.0
    geom: str = ""

    def __post_init__(self) -> None:
        check_part(self, "geom")
        check_range(self, "factor", 0.05, 3)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Move the far end of the capsule, and the next segment with it; a part of another shape is scaled whole."""
        if self.geom:
            geom = find_part(spec, "geom", self.geom)
        else:
            geom, _ = find_segment(spec, self.leg, self.segment)
        scale_length(spec, geom, self.factor)


@dataclass(frozen=True)
class RemoveSegment:
    """Cut off a segment and all that hangs on it, joints and motors included."""

    leg: str = ""
    segment: str = ""
    body: str = ""

    def __post_init__(self) -> None:
        check_part(self, "body")

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Delete the segment's body; MuJoCo deletes the motors of its joints."""
        if not self.body:
            capsule, _ = find_segment(spec, self.leg, self.segment)
            spec.delete(capsule.parent)
            return
        body = find_part(spec, "body", self.body)
        if self.body in ("world", anatomy_of(spec).torso):
            raise EnvError(f"body {self.body!r} holds all others; remove one that hangs on it")
        spec.delete(body)


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

    leg: str = ""
    segment: str = ""
    joint: str = ""

    def __post_init__(self) -> None:
        check_part(self, "joint")

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Narrow the joint's limits."""
        joint = _joint_of(spec, self)
        angle = initial_angle(spec, joint.name)
        _set_limits(spec, joint, angle - LOCK_PLAY, angle + LOCK_PLAY)


@dataclass(frozen=True)
class ScaleRange:
    """Loosen (factor above 1) or stiffen the joint of a segment: scale its limits about their middle."""

    leg: str = ""
    segment: str = ""
    factor: float = 1.0
    joint: str = ""

    def __post_init__(self) -> None:
        check_part(self, "joint")
        check_range(self, "factor", 0.05, 3)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Move both limits."""
        joint = _joint_of(spec, self)
        low, high = joint.range
        if low == high:
            raise EnvError(f"joint {joint.name!r} turns without limits; it has no range to scale")
        middle, half = (low + high) / 2, self.factor * (high - low) / 2
        joint.range = [middle - half, middle + half]


@dataclass(frozen=True)
class ScaleMotor:
    """Weaken (factor below 1), kill (0) or strengthen the motor of a segment."""

    leg: str = ""
    segment: str = ""
    factor: float = 1.0
    joint: str = ""

    def __post_init__(self) -> None:
        check_part(self, "joint")
        check_range(self, "factor", 0, 3)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Scale the motor's gear."""
        joint = _joint_of(spec, self)
        motors = [motor for motor in spec.actuators if motor.target == joint.name]
        if not motors:
            raise EnvError(f"joint {joint.name!r} has no motor; name one that has")
        for motor in motors:
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
        for body in spec.bodies:
            if body.explicitinertial:
                body.mass *= self.factor
                body.inertia = [self.factor * inertia for inertia in body.inertia]
                body.fullinertia = [
                    self.factor * inertia for inertia in body.fullinertia
                ]  # NaN where not given


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
        torso, model = spec.body(anatomy.torso), spec.copy().compile()
        torso.add_geom(
            type=mujoco.mjtGeom.mjGEOM_BOX,
            size=anatomy.load_size,
            pos=[0, 0, anatomy.load_height],
            mass=self.share * model.body_subtreemass[model.body(anatomy.torso).id],
            rgba=[0.35, 0.2, 0.1, 1],
        )


def moving_geoms(spec: mujoco.MjSpec) -> Iterator[mujoco.MjsGeom]:
    """Yield the geoms of the robot, those of the world left out."""
    yield from (geom for geom in spec.geoms if geom.parent.name != "world")


def scale_length(spec: mujoco.MjSpec, geom: mujoco.MjsGeom, factor: float) -> None:
    """Scale a capsule or cylinder along its axis, from its end at the joint; another shape in all directions."""
    import numpy as np

    from hebbevo.envs.physics import mujoco

    kind, near = mujoco.mjtGeom, np.zeros(3)
    if geom.type in (kind.mjGEOM_MESH, kind.mjGEOM_HFIELD, kind.mjGEOM_PLANE, kind.mjGEOM_SDF):
        raise EnvError(f"geom {geom.name!r} is no capsule, cylinder, box, sphere or ellipsoid; scale another")
    if geom.parent.name == "world":
        raise EnvError(f"geom {geom.name!r} is part of the world; scale one of the robot")
    if not np.isnan(geom.fromto[0]):
        near = geom.fromto[:3].copy()
        geom.fromto = [*near, *(near + factor * (geom.fromto[3:] - near))]
    elif geom.type in (kind.mjGEOM_CAPSULE, kind.mjGEOM_CYLINDER):
        half = np.empty(3)
        mujoco.mju_rotVecQuat(half, np.array([0.0, 0.0, geom.size[1]]), _orientation(spec, geom))
        near = min(geom.pos - half, geom.pos + half, key=lambda end: float(end @ end))
        geom.pos = near + factor * (geom.pos - near)
        geom.size = [geom.size[0], factor * geom.size[1], geom.size[2]]
    else:
        geom.pos, geom.size = factor * geom.pos, factor * geom.size
    for child in geom.parent.bodies:
        child.pos = near + factor * (child.pos - near)


def _orientation(spec: mujoco.MjSpec, geom: mujoco.MjsGeom) -> np.ndarray:
    """Return the orientation of a geom in its body, a unit quaternion, however the file gives it."""
    import numpy as np

    from hebbevo.envs.physics import mujoco

    quat = np.array(geom.quat)
    if geom.alt.type != mujoco.mjtOrientation.mjORIENTATION_QUAT:
        degree, sequence = bool(spec.compiler.degree), spec.compiler.eulerseq
        quat[:] = mujoco.MjSpec.resolve_orientation(degree=degree, sequence=sequence, orientation=geom.alt)
    mujoco.mju_normalize4(quat)
    return quat


def initial_angle(spec: mujoco.MjSpec, joint: str) -> float:
    """Return the angle (rad) or position (m) of a joint in the initial pose of the intact body."""
    anatomy = anatomy_of(spec)
    check_name("joint", joint, anatomy.sensed_joints)
    return float(spec.numeric(POSE).data[anatomy.root_size + anatomy.sensed_joints.index(joint)])


def _set_limits(spec: mujoco.MjSpec, joint: mujoco.MjsJoint, low: float, high: float) -> None:
    """Limit a joint to angles in rad; the spec has its own unit."""
    unit = math.degrees(1) if spec.compiler.degree else 1.0
    joint.range = [low * unit, high * unit]


def check_part(edit: object, kind: str) -> None:
    """Refuse legs and segments that no quadruped has; a part of this `kind` may be named instead."""
    if getattr(edit, kind):
        if getattr(edit, "leg") or getattr(edit, "segment"):  # noqa: B009
            raise EnvError(f"{type(edit).__name__} takes leg and segment, or {kind} alone")
        return
    for field, known in (("leg", CORNERS), ("segment", SEGMENTS)):
        check_name(field, getattr(edit, field), known)


def _joint_of(spec: mujoco.MjSpec, edit: LockJoint | ScaleRange | ScaleMotor) -> mujoco.MjsJoint:
    return find_part(spec, "joint", edit.joint) if edit.joint else find_joint(spec, edit.leg, edit.segment)


def check_name(field: str, name: str, known: Iterable[str]) -> None:
    """Refuse a name that is none of `known`."""
    if name not in (known := tuple(known)):
        raise EnvError(unknown(field, name, known))


def check_range(edit: object, field: str, low: float, high: float) -> None:
    """Refuse a field of an edit outside [low, high]; NaN is outside."""
    value = getattr(edit, field)
    if not low <= value <= high:
        raise EnvError(f"{type(edit).__name__}.{field} must be from {low:g} to {high:g}, got {value}")
