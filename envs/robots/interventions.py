"""Interventions in the lifetimes of robots: a push, other friction, gravity or body; neighbours stay untouched.

An edited world is a copy of the row's model; bodies of the same layout swap models under the same state. A body of
another layout takes over the pose and the velocities of the parts that both have; parts that come back are in their
initial pose, at rest. If the new body would reach deeper into the floor than the old one, it is raised by as much.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs.cameras import HasBody
from hebbevo.envs.interventions import NO_VELOCITY, Change, Interventions, Vector
from hebbevo.envs.physics import mujoco
from hebbevo.envs.robots.body import (
    Body,
    joint_names,
    lowest_point,
    position_slice,
    raise_pose,
    velocity_slice,
)

Floats = npt.NDArray[np.float64]


class Bodies(HasBody, Protocol):
    """A batch of bodies that can be changed row by row."""

    @override
    def model(self, row: int) -> mujoco.MjModel: ...

    def velocity(self, row: int) -> Floats:
        """Return the generalised velocity of a lifetime, ``(nv,)``; what is written into it counts."""

    def body(self, morphology: str) -> Body:
        """Return the body of this name; `EnvError` if there is none."""

    def set_body(self, row: int, body: Body, *, reshape: bool) -> None:
        """Let a lifetime go on in another body, or under an edited model of its own one unless it is to `reshape`."""


class RobotInterventions(Interventions):
    """The changes that are in force in the rows of a batch of quadrupeds."""

    def __init__(self, bodies: Bodies) -> None:
        self._bodies = bodies
        self._initial: dict[int, str] = {}
        self._changes: dict[int, dict[int, Change]] = {}
        self._edited: dict[tuple[str, float, float], Body] = {}

    @override
    def reset(self, morphologies: Iterable[str]) -> None:
        for row, morphology in enumerate(morphologies):
            self._initial[row] = morphology
            self._changes.pop(row, None)

    @override
    def apply(self, rows: Iterable[int], key: int, change: Change | None) -> None:
        for row in rows:
            changes, before = self._changes.setdefault(row, {}), self._morphology(row)
            if change is None:
                changes.pop(key, None)
            else:
                changes[key] = change
            self._bodies.set_body(row, self._body(row), reshape=self._morphology(row) != before)

    @override
    def push(self, row: int, *, velocity: Vector = NO_VELOCITY, impulse: Vector | None = None) -> None:
        moving, model = self._bodies.velocity(row), self._bodies.model(row)
        if impulse is None:
            add_velocity(model, moving, velocity)
        else:
            torso = self._bodies.body(self._initial[row]).anatomy.torso
            moving += impulse_response(model, self._bodies.position(row), impulse, torso)

    def _morphology(self, row: int) -> str:
        """Return the name of the body that a row has now."""
        switches = [
            change.morphology for _, change in sorted(self._changes[row].items()) if change.morphology
        ]
        return switches[-1] if switches else self._initial[row]

    def _body(self, row: int) -> Body:
        """Return the body of a row with all that is in force."""
        morphology, friction, gravity = self._morphology(row), 1.0, 1.0
        for _, change in sorted(self._changes[row].items()):
            friction, gravity = friction * change.friction, gravity * change.gravity
        body = self._bodies.body(morphology)
        if friction == gravity == 1.0:
            return body
        key = (morphology, friction, gravity)
        if key not in self._edited:
            self._edited[key] = replace(body, model=edited(body.model, friction, gravity))
        return self._edited[key]


def edited(model: mujoco.MjModel, friction: float, gravity: float) -> mujoco.MjModel:
    """Return a copy of a model with the friction of all contacts, and gravity, times these factors."""
    other = copy.copy(model)
    other.opt.gravity[:] *= gravity
    other.pair_friction[:] *= friction
    other.geom_friction[:] *= friction  # where contacts are not listed as pairs
    return other


def add_velocity(model: mujoco.MjModel, moving: Floats, velocity: Vector) -> None:
    """Add a velocity (m/s) to a generalised one: of a free root all of it, else along the root's slides."""
    for joint in range(model.njnt):
        kind, start = model.jnt_type[joint], model.jnt_dofadr[joint]
        if kind == mujoco.mjtJoint.mjJNT_FREE:
            moving[start : start + 3] += velocity
            return
        if kind != mujoco.mjtJoint.mjJNT_SLIDE or model.body_parentid[model.jnt_bodyid[joint]] != 0:
            return
        moving[start] += model.jnt_axis[joint] @ np.array(velocity)


def impulse_response(
    model: mujoco.MjModel, pose: Floats, impulse: Vector, torso_name: str = "torso"
) -> Floats:
    """Return the change of the generalised velocity ``(nv,)``: M^-1 J' impulse, J of the torso's center of mass."""
    data, force, response = mujoco.MjData(model), np.zeros(model.nv), np.zeros((1, model.nv))
    data.qpos[:] = pose
    mujoco.mj_fwdPosition(model, data)
    torso = model.body(torso_name).id
    mujoco.mj_applyFT(model, data, np.array(impulse), np.zeros(3), data.xipos[torso], torso, force)
    mujoco.mj_solveM(model, data, response, force[None, :])
    change: Floats = response[0]
    return change


def transplant(old: Body, new: Body, pose: Floats, velocity: Floats) -> tuple[Floats, Floats]:
    """Return the state of the new body, ``(nq,)`` and ``(nv,)``, that carries on that of the old one."""
    qpos, qvel = new.pose.copy(), np.zeros(new.model.nv)
    known = joint_names(old.model)
    for there, name in enumerate(joint_names(new.model)):
        if name in known:
            here = known.index(name)
            qpos[position_slice(new.model, there)] = pose[position_slice(old.model, here)]
            qvel[velocity_slice(new.model, there)] = velocity[velocity_slice(old.model, here)]
    rise = lowest_point(old.model, pose) - lowest_point(new.model, qpos)
    raise_pose(new.model, qpos, max(0.0, rise))
    return qpos, qvel
