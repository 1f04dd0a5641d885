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

from hebbevo.envs.morphologies.anatomy import Anatomy
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
    model = spec.compile()
    pose = [*intact_pose[:7], *(intact_pose[intact.joint(name).qposadr[0]] for name in joint_names(model))]
    low, high = _limits(model, intact)
    fitted = np.array(pose)
    fitted[7:] = np.clip(fitted[7:], low, high)
    rise = lowest_point(intact, intact_pose) - lowest_point(model, fitted)
    if abs(rise) > _SAME_HEIGHT:
        fitted[2] += rise
    numeric = spec.numeric(POSE)
    numeric.data, numeric.size = fitted, len(fitted)


def joint_names(model: mujoco.MjModel) -> list[str]:
    """Return the names of the hinges, in the model's order; joint 0 is the free root."""
    return [model.joint(joint).name for joint in range(1, model.njnt)]


def _limits(model: mujoco.MjModel, intact: mujoco.MjModel) -> tuple[Floats, Floats]:
    """Return the bounds of initial angles, (joints,) each: the limits where they are not the intact ones."""
    intact_range = np.array([intact.joint(name).range for name in joint_names(model)]).reshape(-1, 2)
    edited = (model.jnt_range[1:] != intact_range).any(axis=1)
    low, high = model.jnt_range[1:].T
    return np.where(edited, low, -np.inf), np.where(edited, high, np.inf)


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
        """Index of each sensed joint among the model's hinges, ``(J,)``; -1 if missing."""
        return _indices(self.anatomy.sensed_joints, joint_names(self.model))

    @cached_property
    def motors(self) -> Indices:
        """Index of the control of each number of an action, ``(A,)``; -1 if missing."""
        model = self.model
        driven = [model.joint(joint).name for joint in model.actuator_trnid[:, 0]]
        return _indices(self.anatomy.motor_joints, driven)

    @cached_property
    def feet(self) -> Indices:
        """Indices of the geoms of the lower legs, ``(4,)``; -1 if missing."""
        return _indices(self.anatomy.feet, [self.model.geom(geom).name for geom in range(self.model.ngeom)])

    @cached_property
    def limits(self) -> tuple[Floats, Floats]:
        """Initial angles are clipped to these, ``(hinges,)`` each."""
        return _limits(self.model, self.intact)

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
        pose = self.pose.copy()
        present = self.joints >= 0
        pose[7 + self.joints[present]] += noise[present]
        pose[7:] = np.clip(pose[7:], *self.limits)
        return pose


def _indices(names: tuple[str, ...], among: list[str]) -> Indices:
    """Return the index of each name, -1 where it is missing."""
    return np.array([among.index(name) if name in among else -1 for name in names], np.int64)
