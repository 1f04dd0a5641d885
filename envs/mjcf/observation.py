"""What a robot of a user's file senses, is paid and ends by: two compiled loops over the rows of a batch.

As `hebbevo.envs.robots.observation`, whose numbers of a free torso these are to the bit. A torso that is not free, and
all contacts, are sensors that were put into the model, one physics substep old as all that MuJoCo derives.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled
from hebbevo.envs.mjcf import quantities as q
from hebbevo.envs.robots.observation import (
    EXPLODED,
    LIMIT,
    euler_angles,
    has_diverged,
    observe_torso,
    unit_quaternion,
)

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]
Flags = npt.NDArray[np.bool_]
Indices = npt.NDArray[np.int64]

TORSO, JOINTS, CONTACTS, SENSOR = range(4)
"""Kinds of parts of an observation."""
TORSO_SIZE: Final = 8
POSE_SIZE: Final = 13
"""Position, quaternion, velocity of the torso, and room for angles."""

_QUANTITIES: Final = len(q.QUANTITIES)
_STACK: Final = q.MOST_STACKED
_CONSTANT, _QUANTITY, _SENSOR, _ADD, _SUBTRACT, _MULTIPLY, _DIVIDE, _POWER = range(8)
_ABS, _EXP, _MAX, _MIN, _SIGN, _SQRT = q.ABS, q.EXP, q.MAX, q.MIN, q.SIGN, q.SQRT


@compiled
def take_controls(
    actions: Singles,
    active: Indices,
    motors: Indices,
    controls: Floats,
    qpos: Floats,
    sensordata: Floats,
    torso: Indices,
    ctrl: Floats,
    start_x: Floats,
    effort: Floats,
    observations: Singles,
    rewards: Floats,
    terminated: Flags,
    diverged: Flags,
    moving: npt.NDArray[np.int32],
) -> int:
    """Turn the actions of the active rows into controls and list in `moving` the rows that can step.

    `motors` (A,) is the control of each number of an action, -1 where the motor is missing; `controls` (A, 3) the
    control at action 0, and what is added at action 1 and at -1. Writes `start_x` and the action's squares, `effort`.

    Raises:
        IndexError: a row that the batch does not have; it may come from anybody's code.
    """
    count = 0
    for row in active:
        if not 0 <= row < rewards.shape[0]:
            raise IndexError("a row to step is none of the batch")
        rewards[row] = 0.0
        if diverged[row] or terminated[row]:
            continue
        usable, squares = True, 0.0
        for j, motor in enumerate(motors):
            action = np.float64(actions[row, j])
            if not abs(action) <= EXPLODED:
                usable = False
            squares += action * action
            if motor >= 0:
                ctrl[row, motor] = controls[j, 0] + action * (
                    controls[j, 1] if action >= 0 else controls[j, 2]
                )
        if usable:
            effort[row] = squares
            start_x[row] = qpos[row, torso[0]] if torso[0] >= 0 else sensordata[row, torso[2]]
            moving[count] = row
            count += 1
        else:
            ctrl[row, :] = 0.0
            diverged[row] = True
            observations[row, :] = 0.0
    return count


@compiled
def sense(
    moving: npt.NDArray[np.int32],
    qpos: Floats,
    qvel: Floats,
    sensordata: Floats,
    warnings: npt.NDArray[np.int32],
    constants: Floats,
    torso: Indices,
    joints: Indices,
    joint_velocities: Indices,
    feet: Indices,
    parts: Indices,
    scales: Floats,
    starts: Indices,
    steps: Indices,
    numbers: Floats,
    program_sensors: Indices,
    counts_equal: Flags,
    start_x: Floats,
    effort: Floats,
    metres: Floats,
    observations: Singles,
    rewards: Floats,
    terminated: Flags,
    diverged: Flags,
) -> None:
    """Write observation, reward, terminated, diverged of the rows in `moving` after physics; add to `metres`.

    Shapes: constants (n, 2J + 1): joint middles, joint scales, initial height; torso (5,): addresses of a free root in
    qpos and qvel, else of position, quaternion and velocity in sensordata; feet (F,) addresses in sensordata; parts
    (P, 3): kind, address, length; scales (P,). Programs, the reward's first: starts (programs + 1,) in steps (n, 2).
    An address of -1 is a part that is missing, which senses 0.
    """
    values, stack, pose = np.empty(_QUANTITIES), np.empty(_STACK), np.empty(POSE_SIZE)
    for row in moving:
        if not diverged[row]:
            diverged[row] = has_diverged(qpos[row], qvel[row], warnings[row])
        if not diverged[row]:
            _measure(
                qpos[row], qvel[row], sensordata[row], torso, feet, start_x[row], effort[row], pose, values
            )
            metres[row] += values[0]
            out, start = observations[row], 0
            for part in range(parts.shape[0]):
                start = _write_part(
                    parts[part], scales[part], qpos[row], qvel[row], sensordata[row], constants[row], joints,
                    joint_velocities, feet, pose, out, start,
                )  # fmt: skip
            for i in range(out.shape[0]):
                out[i] = min(max(out[i], -LIMIT), LIMIT)
            rewards[row] = _run(0, starts, steps, numbers, program_sensors, values, sensordata[row], stack)
            for end in range(1, starts.shape[0] - 1):
                value = _run(end, starts, steps, numbers, program_sensors, values, sensordata[row], stack)
                terminated[row] |= value > 0 or (value == 0 and counts_equal[end])
            diverged[row] = not abs(rewards[row]) <= EXPLODED
        if diverged[row]:
            rewards[row] = 0.0
            observations[row, :] = 0.0


@compiled
def _measure(
    qpos: Floats,
    qvel: Floats,
    sensordata: Floats,
    torso: Indices,
    feet: Indices,
    start_x: float,
    effort: float,
    pose: Floats,
    values: Floats,
) -> None:
    """Write the torso's pose and velocity, and the quantities."""
    if torso[0] >= 0:
        pose[0:7] = qpos[torso[0] : torso[0] + 7]
        pose[7:10] = qvel[torso[1] : torso[1] + 3]
    else:
        pose[0:3] = sensordata[torso[2] : torso[2] + 3]
        pose[3:7] = sensordata[torso[3] : torso[3] + 4]
        pose[7:10] = sensordata[torso[4] : torso[4] + 3]
    w, x, y, z = unit_quaternion(pose)
    roll, pitch, yaw = euler_angles(w, x, y, z)
    touching = 0.0
    for address in feet:
        if address >= 0 and sensordata[address] > 0:
            touching += 1.0
    values[0] = pose[0] - start_x
    values[1:4] = pose[0:3]
    values[4:7] = pose[7:10]
    values[7], values[8], values[9] = roll, pitch, yaw
    values[10] = 1 - 2 * (x * x + y * y)
    values[11] = effort
    values[12] = touching


@compiled
def _write_part(
    part: Indices,
    scale: float,
    qpos: Floats,
    qvel: Floats,
    sensordata: Floats,
    constants: Floats,
    joints: Indices,
    joint_velocities: Indices,
    feet: Indices,
    pose: Floats,
    out: Singles,
    start: int,
) -> int:
    """Write one part of an observation from `start` on; return where the next one starts."""
    kind, length, count = int(part[0]), int(part[2]), len(joints)
    if kind == TORSO:
        observe_torso(pose, pose[7:10], constants[2 * count], out[start : start + TORSO_SIZE])
        return start + TORSO_SIZE
    if kind == JOINTS:
        for j, joint in enumerate(joints):
            position, velocity = 0.0, 0.0
            if joint >= 0:
                position = (qpos[joint] - constants[j]) * constants[count + j]
                velocity = 0.1 * qvel[joint_velocities[j]]
            out[start + 2 * j] = position
            out[start + 2 * j + 1] = velocity
        return start + 2 * count
    if kind == CONTACTS:
        for foot, address in enumerate(feet):
            out[start + foot] = 1.0 if address >= 0 and sensordata[address] > 0 else 0.0
        return start + len(feet)
    for i in range(length):
        out[start + i] = scale * sensordata[part[1] + i] if part[1] >= 0 else 0.0
    return start + length


@compiled
def _run(
    program: int,
    starts: Indices,
    steps: Indices,
    numbers: Floats,
    sensors: Indices,
    values: Floats,
    sensordata: Floats,
    stack: Floats,
) -> float:
    """Return the value of a program; what has none, as a division by zero, is NaN."""
    top = -1
    for step in range(starts[program], starts[program + 1]):
        operation, argument = steps[step, 0], steps[step, 1]
        if operation == _CONSTANT:
            top += 1
            stack[top] = numbers[argument]
        elif operation == _QUANTITY:
            top += 1
            stack[top] = values[argument]
        elif operation == _SENSOR:
            top += 1
            stack[top] = sensordata[sensors[argument]] if sensors[argument] >= 0 else 0.0
        elif operation == _POWER:
            factor = stack[top]
            for _ in range(argument - 1):
                stack[top] *= factor
        elif operation <= _DIVIDE or operation in (_MAX, _MIN):
            top -= 1
            stack[top] = _combined(operation, stack[top], stack[top + 1])
        else:
            stack[top] = _applied(operation, stack[top])
    return float(stack[0])


@compiled
def _combined(operation: int, a: float, b: float) -> float:
    """Return the value of an operation of two arguments."""
    if operation == _ADD:
        return a + b
    if operation == _SUBTRACT:
        return a - b
    if operation == _MULTIPLY:
        return a * b
    if operation == _DIVIDE:
        return a / b if b != 0 else math.nan
    if a != a or b != b:
        return math.nan
    if operation == _MAX:
        return max(a, b)
    return min(a, b)


@compiled
def _applied(operation: int, x: float) -> float:
    """Return the value of a function of one argument."""
    if operation == _ABS:
        return abs(x)
    if operation == _EXP:
        return math.exp(x)
    if operation == _SIGN:
        return 1.0 if x > 0 else (-1.0 if x < 0 else x)
    if operation == _SQRT:
        return math.sqrt(x) if x >= 0 else math.nan
    return math.tanh(x)
