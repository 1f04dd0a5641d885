"""A body ready to be simulated: the compiled model, where the parts are in it, and the initial pose.

A body is made from the intact one of its build, which stays the measure of what is sensed: joint positions are
scaled by the intact limits, as sensors do not know what happened to the joint; parts that are missing sense 0
and their actions do nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hebbevo.envs.morphologies.anatomy import Anatomy, anatomy_of
from hebbevo.envs.morphologies.catalogue import Morphology
from hebbevo.envs.morphologies.edits import POSE
from hebbevo.envs.physics import mujoco
from hebbevo.envs.robots.trim import compile_trimmed

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_SAME_HEIGHT = 1e-6
"""Poses whose lowest points differ by less (m) are the same: legs of equal length differ in their last bits."""


def compile_body(spec: mujoco.MjSpec, morphology: Morphology, trim: bool) -> mujoco.MjModel:
    """Compile the intact body in `spec` with the edits of `morphology`; `spec` is changed.

    The initial pose loses the joints that are gone, keeps to limits that are not the intact ones, and is
    raised or lowered until its lowest point is as high as the intact one's.
    """
    if morphology.edits:
        intact = spec.compile()
        morphology.apply(spec)
        _fit_pose(spec, intact)
    return compile_trimmed(spec) if trim else spec.compile()


def _fit_pose(spec: mujoco.MjSpec, intact: mujoco.MjModel) -> None:
    intact_pose = intact.numeric(POSE).data
    model, joints = spec.compile(), anatomy_of(spec).sensed_joints
    fitted = np.concatenate(
        [intact_pose[position_slice(intact, intact.joint(name).id)] for name in joint_names(model)]
    )
    addresses = _addresses(joints, model, model.jnt_qposadr)
    present = addresses >= 0
    low, high = _limits(joints, model, intact)
    fitted[addresses[present]] = np.clip(fitted[addresses[present]], low[present], high[present])
    rise = lowest_point(intact, intact_pose) - lowest_point(model, fitted)
    if abs(rise) > _SAME_HEIGHT:
        raise_pose(model, fitted, rise)
    numeric = spec.numeric(POSE)
    numeric.data, numeric.size = fitted, len(fitted)


def position_slice(model: mujoco.MjModel, joint: int) -> slice:
    """Return where a joint is in a pose."""
    return _joint_slice(model.jnt_qposadr, joint, model.nq)


def velocity_slice(model: mujoco.MjModel, joint: int) -> slice:
    """Return where a joint is in a generalised velocity."""
    return _joint_slice(model.jnt_dofadr, joint, model.nv)


def _joint_slice(addresses: npt.NDArray[np.int32], joint: int, end: int) -> slice:
    return slice(addresses[joint], addresses[joint + 1] if joint + 1 < len(addresses) else end)


def raise_pose(model: mujoco.MjModel, pose: Floats, rise: float) -> None:
    """Move a pose up by `rise` (m), where the root of the body can: it is free, or slides along z."""
    for joint in range(model.njnt):
        if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_FREE:
            pose[model.jnt_qposadr[joint] + 2] += rise
            return
        if model.jnt_type[joint] == mujoco.mjtJoint.mjJNT_SLIDE and abs(model.jnt_axis[joint, 2]) == 1:
            pose[model.jnt_qposadr[joint]] += rise * model.jnt_axis[joint, 2]
            return


def joint_names(model: mujoco.MjModel) -> list[str]:
    """Return the names of all joints, in the model's order."""
    return [model.joint(joint).name for joint in range(model.njnt)]


def _addresses(names: tuple[str, ...], model: mujoco.MjModel, addresses: npt.NDArray[np.int32]) -> Indices:
    """Return the address of each joint, ``(J,)``; -1 where it is missing."""
    indices = find_all(names, joint_names(model))
    return np.where(indices >= 0, addresses[indices], -1).astype(np.int64)


def _limits(names: tuple[str, ...], model: mujoco.MjModel, intact: mujoco.MjModel) -> tuple[Floats, Floats]:
    """Return the bounds of initial angles, ``(J,)`` each: a joint's limits where they are not the intact ones."""
    low, high = np.full(len(names), -np.inf), np.full(len(names), np.inf)
    known = joint_names(model)
    for place, name in enumerate(names):
        if name in known and (model.joint(name).range != intact.joint(name).range).any():
            low[place], high[place] = model.joint(name).range
    return low, high


def lowest_point(model: mujoco.MjModel, pose: Floats) -> float:
    """Return the height (m) of the lowest point of a pose above the floor."""
    data = mujoco.MjData(model)
    data.qpos[:] = pose
    mujoco.mj_kinematics(model, data)
    moving = np.flatnonzero(model.geom_bodyid).tolist()
    return min(float(data.geom_xpos[geom, 2] - _reach(model, data, geom)) for geom in moving)


def _reach(model: mujoco.MjModel, data: mujoco.MjData, geom: int) -> float:
    """Return how far a geom reaches below its center (m)."""
    vertical, size = np.abs(data.geom_xmat[geom, 6:9]), model.geom_size[geom]
    kind = model.geom_type[geom]
    if kind == mujoco.mjtGeom.mjGEOM_CAPSULE:
        return float(vertical[2] * size[1] + size[0])
    if kind == mujoco.mjtGeom.mjGEOM_BOX:
        return float(vertical @ size)
    return float(model.geom_rbound[geom])


@dataclass(frozen=True, eq=False)
class Body:
    """A body as a batch of lifetimes uses it.

    Attributes:
        model: compiled.
        intact: the model of its build with no edits.
        anatomy: names of its parts.
    """

    model: mujoco.MjModel
    intact: mujoco.MjModel
    anatomy: Anatomy

    @cached_property
    def layout(self) -> tuple[object, ...]:
        """What bodies that share a `mujoco.batch` have in common: the same tree of the same parts."""
        model = self.model
        sizes = (model.nq, model.nv, model.nu, model.nbody, model.njnt, model.ngeom, model.nsensordata)
        trees = (model.body_parentid, model.jnt_bodyid, model.geom_bodyid, model.actuator_trnid)
        parts = (self.joints, self.motors, self.feet)
        return (*sizes, model.nbvh, *(array.tobytes() for array in (*trees, *parts)))

    @cached_property
    def pose(self) -> Floats:
        """Initial pose before the noise, ``(nq,)``."""
        return np.array(self.model.numeric(POSE).data)

    @cached_property
    def joints(self) -> Indices:
        """Address of each sensed joint in a pose, ``(J,)``; -1 if missing."""
        return _addresses(self.anatomy.sensed_joints, self.model, self.model.jnt_qposadr)

    @cached_property
    def joint_velocities(self) -> Indices:
        """Address of each sensed joint in a generalised velocity, ``(J,)``; -1 if missing."""
        return _addresses(self.anatomy.sensed_joints, self.model, self.model.jnt_dofadr)

    @cached_property
    def motors(self) -> Indices:
        """Index of the control of each number of an action, ``(A,)``; -1 if missing."""
        model = self.model
        driven = [model.joint(joint).name for joint in model.actuator_trnid[:, 0]]
        return find_all(self.anatomy.motor_joints, driven)

    @cached_property
    def feet(self) -> Indices:
        """Indices of the geoms of the lower legs, ``(4,)``; -1 if missing."""
        return find_all(self.anatomy.feet, [self.model.geom(geom).name for geom in range(self.model.ngeom)])

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Initial angles are clipped to these, ``(J,)`` each."""
        return _limits(self.anatomy.sensed_joints, self.model, self.intact)

    @cached_property
    def constants(self) -> Floats:
        """Constants of the observation, ``(body_size,)``; see `hebbevo.envs.robots.observation`.

        A foot touches when the lowest point of its capsule is within the contact margin of the floor (the sum
        of both geoms' margins): center height - half length * |vertical part of the axis| <= contact height.
        """
        model = self.model
        low, high = np.array([self.intact.joint(name).range for name in self.anatomy.sensed_joints]).T
        floor = model.geom("floor").id
        radius, half_length = model.geom_size[self.feet, 0], model.geom_size[self.feet, 1]
        margins = model.geom_margin[self.feet] + model.geom_margin[floor]
        contact_height = model.geom_pos[floor, 2] + radius + margins
        return np.concatenate(
            [(low + high) / 2, 2 / (high - low), half_length, contact_height, self.pose[2:3]]
        )

    def initial_pose(self, noise: Floats) -> Floats:
        """Return the initial pose with `noise` (J,) on the joints, in the order they are sensed in."""
        pose, present = self.pose.copy(), self.joints >= 0
        low, high = self.limits
        noisy = pose[self.joints[present]] + noise[present]
        pose[self.joints[present]] = np.clip(noisy, low[present], high[present])
        return pose


def find_all(names: tuple[str, ...], among: list[str]) -> Indices:
    """Return the index of each name, -1 where it is missing."""
    return np.array([among.index(name) if name in among else -1 for name in names], np.int64)
