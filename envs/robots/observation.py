"""What the quadruped senses: two compiled loops over the rows of a batch, before physics and after.

Source of the observations: PyBullet's AntBulletEnv-v0, as used by Najarro & Risi 2020, arXiv 2007.02686. The
tables are in `hebbevo.envs.robots.quadruped` and `hebbevo.envs.robots.dog`. Each row is computed by itself in
float64 and rounded once to float32, so that its bits do not depend on its neighbours. Nothing is allocated.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled
from hebbevo.envs.robots.sizes import FEET, TORSO_SIZE

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]

LIMIT: Final = 5.0
"""Observations are clipped to [-LIMIT, LIMIT]."""

TARGET: Final = 1000.0
"""The target stands at (TARGET, 0), in metres."""

EXPLODED: Final = 1e10
"""Positions, velocities and actions beyond this count as diverged, as MuJoCo itself has it (mjMAXVAL)."""


def body_size(joints: int) -> int:
    """Return the length of a row of body constants.

    Joint middles and scales (J each), lower legs' half lengths and contact heights (FEET each), initial height.
    """
    return 2 * joints + 2 * FEET + 1


@compiled
def take_actions(
    actions: Singles,
    active: npt.NDArray[np.int64],
    motors: npt.NDArray[np.int64],
    qpos: Floats,
    ctrl: Floats,
    start_x: Floats,
    observations: Singles,
    rewards: Floats,
    diverged: Flags,
    moving: npt.NDArray[np.int32],
) -> int:
    """Copy the actions of the active rows to the controls and list in `moving` the rows that can step.

    `motors` (k,) is the control of each number of an action, -1 where the motor is missing. A row whose action
    is not finite diverges here, before MuJoCo would put zeros in its place. Writes `start_x`.

    Returns:
        How many rows move.

    Raises:
        IndexError: a row that the batch does not have; it may come from anybody's code.
    """
    count = 0
    for row in active:
        if not 0 <= row < rewards.shape[0]:
            raise IndexError("a row to step is none of the batch")
        rewards[row] = 0.0
        if diverged[row]:
            continue
        usable = True
        for j, motor in enumerate(motors):
            # `not <=` is true of NaN as well
            if not abs(actions[row, j]) <= EXPLODED:
                usable = False
            if motor >= 0:
                ctrl[row, motor] = actions[row, j]
        if usable:
            start_x[row] = qpos[row, 0]
            moving[count] = row
            count += 1
        else:
            ctrl[row, :] = 0.0
            diverged[row] = True
            observations[row, :] = 0.0
    return count


@compiled
def observe(
    moving: npt.NDArray[np.int32],
    qpos: Floats,
    qvel: Floats,
    geom_xpos: Floats,
    geom_xmat: Floats,
    warnings: npt.NDArray[np.int32],
    bodies: Floats,
    joints: npt.NDArray[np.int64],
    joint_velocities: npt.NDArray[np.int64],
    feet: npt.NDArray[np.int64],
    fallen_height: float,
    start_x: Floats,
    observations: Singles,
    rewards: Floats,
    done: Flags,
    diverged: Flags,
) -> None:
    """Write observation, reward, done and diverged of the rows in `moving`, from the state after physics.

    Shapes: qpos (n, nq), qvel (n, nv), geom_xpos (n, ngeom, 3), geom_xmat (n, ngeom, 9), warnings (n, kinds,
    2) with the counters last, bodies (n, body_size), joints and joint_velocities (J,) addresses of the sensed
    hinges in qpos and qvel, feet (FEET,) indices of geoms; -1 for a part that is missing, which senses 0.
    """
    for row in moving:
        if not diverged[row]:
            diverged[row] = has_diverged(qpos[row], qvel[row], warnings[row])
        if diverged[row]:
            rewards[row] = 0.0
            done[row] = False
            observations[row, :] = 0.0
            continue
        rewards[row] = qpos[row, 0] - start_x[row]
        done[row] = qpos[row, 2] <= fallen_height
        out = observations[row]
        observe_torso(qpos[row], qvel[row], bodies[row, bodies.shape[1] - 1], out)
        _observe_legs(
            qpos[row],
            qvel[row],
            geom_xpos[row],
            geom_xmat[row],
            bodies[row],
            joints,
            joint_velocities,
            feet,
            out,
        )
        for i in range(out.shape[0]):
            out[i] = min(max(out[i], -LIMIT), LIMIT)


@compiled
def has_diverged(qpos: Floats, qvel: Floats, warnings: npt.NDArray[np.int32]) -> bool:
    """Tell whether MuJoCo warned (it resets an exploded simulation by itself) or the state is not a state."""
    for kind in range(warnings.shape[0]):
        if warnings[kind, 1] != 0:
            return True
    for value in qpos:
        if not abs(value) <= EXPLODED:
            return True
    for value in qvel:  # noqa: SIM110  (numba compiles the loop, not the generator)
        if not abs(value) <= EXPLODED:
            return True
    return False


@compiled
def unit_quaternion(pose: Floats) -> tuple[float, float, float, float]:
    """Return w, x, y, z of a pose: position, then a quaternion of any length."""
    w, x, y, z = pose[3], pose[4], pose[5], pose[6]
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    return w / norm, x / norm, y / norm, z / norm


@compiled
def euler_angles(w: float, x: float, y: float, z: float) -> tuple[float, float, float]:
    """Return roll, pitch and yaw of a unit quaternion, Z-Y-X: R = Rz(yaw) Ry(pitch) Rx(roll)."""
    yaw = math.atan2(2 * (w * z + x * y), 1 - 2 * (y * y + z * z))
    roll = math.atan2(2 * (w * x + y * z), 1 - 2 * (x * x + y * y))
    pitch = math.asin(min(max(2 * (w * y - z * x), -1.0), 1.0))
    return roll, pitch, yaw


@compiled
def observe_torso(qpos: Floats, qvel: Floats, initial_height: float, out: Singles) -> None:
    """Write the first eight numbers: height, heading, velocity and tilt of the torso."""
    w, x, y, z = unit_quaternion(qpos)
    roll, pitch, yaw = euler_angles(w, x, y, z)
    heading = math.atan2(-qpos[1], TARGET - qpos[0]) - yaw
    cosine, sine = math.cos(yaw), math.sin(yaw)
    out[0] = qpos[2] - initial_height
    out[1] = math.sin(heading)
    out[2] = math.cos(heading)
    out[3] = 0.3 * (cosine * qvel[0] + sine * qvel[1])
    out[4] = 0.3 * (cosine * qvel[1] - sine * qvel[0])
    out[5] = 0.3 * qvel[2]
    out[6] = roll
    out[7] = pitch


@compiled
def _observe_legs(
    qpos: Floats,
    qvel: Floats,
    geom_xpos: Floats,
    geom_xmat: Floats,
    body: Floats,
    joints: npt.NDArray[np.int64],
    joint_velocities: npt.NDArray[np.int64],
    feet: npt.NDArray[np.int64],
    out: Singles,
) -> None:
    """Write the joints, position and velocity interleaved, and the foot contacts."""
    count = joints.shape[0]
    for j, joint in enumerate(joints):
        position, velocity = 0.0, 0.0
        if joint >= 0:
            position = (qpos[joint] - body[j]) * body[count + j]
            velocity = 0.1 * qvel[joint_velocities[j]]
        out[TORSO_SIZE + 2 * j] = position
        out[TORSO_SIZE + 1 + 2 * j] = velocity
    for foot, geom in enumerate(feet):
        touches = False
        if geom >= 0:
            reach = (
                abs(geom_xmat[geom, 8]) * body[2 * count + foot]
            )  # the capsule lies along the geom's z axis
            touches = geom_xpos[geom, 2] - reach <= body[2 * count + FEET + foot]
        out[TORSO_SIZE + 2 * count + foot] = 1.0 if touches else 0.0
