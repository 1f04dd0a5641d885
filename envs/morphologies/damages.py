"""Bodies of a robot of any build: each joint limp or locked, each part cut off or short, and the worlds that fit all.

Names follow those of hebbevo's own bodies: the part, then what happened to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hebbevo.envs.morphologies.catalogue import MORPHOLOGIES, Morphology, is_sampled
from hebbevo.envs.morphologies.edits import (
    Edit,
    LockJoint,
    RemoveSegment,
    ScaleLegs,
    ScaleMotor,
    ScaleSegment,
)

DAMAGED_LENGTH = 0.25
"""Length of a damaged part as a factor of the intact one."""


def bodies_of_any_robot(
    motor_joints: Iterable[str], joints: Iterable[str], bodies: Iterable[str], geoms: Iterable[str]
) -> dict[str, Morphology]:
    """Return the bodies of a robot, by name.

    Args:
        motor_joints: joints that a motor drives.
        joints: all that can be locked.
        bodies: all that can be cut off.
        geoms: all that can be shortened.
    """
    registered = (MORPHOLOGIES[name] for name in MORPHOLOGIES if not is_sampled(name))
    general = [one for one in registered if not any(map(_is_of_a_leg, one.edits))]
    damaged = _damaged(motor_joints, joints, bodies, geoms)
    return {one.name: one for one in (*general, *damaged)}


def _is_of_a_leg(edit: Edit) -> bool:
    return isinstance(edit, ScaleLegs) or bool(getattr(edit, "leg", ""))


def _damaged(
    motor_joints: Iterable[str], joints: Iterable[str], bodies: Iterable[str], geoms: Iterable[str]
) -> Iterator[Morphology]:
    for joint in motor_joints:
        yield Morphology(f"{joint}_limp", f"no torque at {joint}", (ScaleMotor(joint=joint, factor=0),))
    for joint in joints:
        yield Morphology(f"{joint}_locked", f"{joint} held as it is at first", (LockJoint(joint=joint),))
    for body in bodies:
        yield Morphology(f"{body}_amputated", f"without {body}", (RemoveSegment(body=body),))
    for geom in geoms:
        shorter = (ScaleSegment(geom=geom, factor=DAMAGED_LENGTH),)
        yield Morphology(f"{geom}_damaged", f"a quarter of {geom}", shorter)
