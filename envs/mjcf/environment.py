"""A batch of robots of a user's file: the simulations of hebbevo's own robots, with other senses, rewards and ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs.mjcf import observation
from hebbevo.envs.mjcf.config import MjcfConfig
from hebbevo.envs.mjcf.quantities import Program
from hebbevo.envs.mjcf.robot import TORSO_SENSORS, Robot, foot_sensor
from hebbevo.envs.physics import mujoco
from hebbevo.envs.robots.body import Body, find_all
from hebbevo.envs.robots.simulations import Simulations
from hebbevo.envs.robots.walker import BatchedQuadruped

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_KINDS = {"torso": observation.TORSO, "joints": observation.JOINTS, "contacts": observation.CONTACTS}


@dataclass(frozen=True, eq=False)
class MjcfBody(Body):
    """A body of the robot; parts that an edit took away sense 0."""

    robot: Robot

    @cached_property
    def layout(self) -> tuple[object, ...]:
        """As that of `Body`, with the sensors."""
        return (*super().layout, self.sensors(tuple(self.robot.sensors)).tobytes())

    @cached_property
    def motors(self) -> Indices:
        """Index of the control of each number of an action, ``(A,)``; -1 if missing."""
        return find_all(
            self.robot.motors, [self.model.actuator(motor).name for motor in range(self.model.nu)]
        )

    @cached_property
    def feet(self) -> Indices:
        """Addresses of the sensors of contacts, ``(F,)``; -1 if missing."""
        return self.sensors(tuple(foot_sensor(foot) for foot in self.robot.feet))

    @cached_property
    def torso(self) -> Indices:
        """Addresses of a free root's pose and velocity, else of the sensors of both, ``(5,)``; -1 for the others."""
        if self.robot.free:
            root = self.model.body_jntadr[self.model.body(self.anatomy.torso).id]
            state = (self.model.jnt_qposadr[root], self.model.jnt_dofadr[root])
            return np.array([*state, -1, -1, -1], np.int64)
        return np.array([-1, -1, *self.sensors(TORSO_SENSORS)], np.int64)

    def sensors(self, names: tuple[str, ...]) -> Indices:
        """Return the address of each sensor among the sensors' numbers, -1 where it is missing."""
        known = [self.model.sensor(sensor).name for sensor in range(self.model.nsensor)]
        indices = find_all(names, known)
        addresses = np.append(self.model.sensor_adr, -1)
        return addresses[indices].astype(np.int64)

    @cached_property
    def constants(self) -> Floats:
        """Middle and scale of each sensed joint, then the initial height, ``(2J + 1,)``."""
        names = self.anatomy.sensed_joints
        limited = np.array([self.intact.jnt_limited[self.intact.joint(name).id] for name in names], bool)
        low, high = np.array([self.intact.joint(name).range for name in names]).reshape(-1, 2).T
        with np.errstate(divide="ignore"):
            scales = np.where(limited, 2 / (high - low), 1.0)
        data = mujoco.MjData(self.model)
        data.qpos[:] = self.pose
        mujoco.mj_kinematics(self.model, data)
        height = data.xpos[self.model.body(self.anatomy.torso).id, 2]
        return np.concatenate([np.where(limited, (low + high) / 2, 0.0), scales, [height]])


class MjcfSimulations(Simulations):
    """The physics of the rows whose bodies have one layout."""

    _observed_stage = mujoco.mjtStage.mjSTAGE_ACC

    @override
    def _bind(self, body: Body) -> None:
        assert isinstance(body, MjcfBody)
        environment = cast(BatchedMjcf, self._environment)
        self._mjcf_body, self._scalars = body, body.sensors(body.robot.scalars)
        self._sensordata = self.batch.bind("sensordata")
        self._effort, self._metres = np.zeros(environment.batch_size), environment.metres
        self._observed, self._scales = _parts(environment.config.observe, body)
        self._programs = _joined(environment.config.programs)

    @override
    def _take(self, actions: npt.NDArray[np.float32], active: Indices) -> int:
        environment, body = self._environment, self._mjcf_body
        return observation.take_controls(
            actions,
            active,
            body.motors,
            body.robot.controls,
            self.qpos,
            self._sensordata,
            body.torso,
            self._ctrl,
            self._start_x,
            self._effort,
            environment.observations,
            environment.rewards,
            environment.terminated,
            environment.diverged,
            self._moving,
        )

    @override
    def _observe_part(self, rows: npt.NDArray[np.int32]) -> None:
        environment, body = self._environment, self._mjcf_body
        starts, steps, numbers, counts_equal = self._programs
        observation.sense(
            rows,
            self.qpos,
            self.qvel,
            self._sensordata,
            self._warnings,
            self._constants,
            body.torso,
            body.joints,
            body.joint_velocities,
            body.feet,
            self._observed,
            self._scales,
            starts,
            steps,
            numbers,
            self._scalars,
            counts_equal,
            self._start_x,
            self._effort,
            self._metres,
            environment.observations,
            environment.rewards,
            environment.terminated,
            environment.diverged,
        )

    def place(self, row: int) -> tuple[float, float]:
        """Return x and y (m) of the torso of a row."""
        torso = self._mjcf_body.torso
        if torso[0] >= 0:
            return self.qpos[row, torso[0]], self.qpos[row, torso[0] + 1]
        return self._sensordata[row, torso[2]], self._sensordata[row, torso[2] + 1]


def _parts(names: tuple[str, ...], body: MjcfBody) -> tuple[Indices, Floats]:
    """Return kind, address and length of each part of an observation, ``(P, 3)``, and its scale, ``(P,)``."""
    parts, scales = np.zeros((len(names), 3), np.int64), np.ones(len(names))
    for row, name in enumerate(names):
        if name in _KINDS:
            parts[row, 0] = _KINDS[name]
        else:
            size, scales[row] = body.robot.sensors[name]
            parts[row] = observation.SENSOR, body.sensors((name,))[0], size
    return parts, scales


def _joined(programs: tuple[Program, ...]) -> tuple[Indices, Indices, Floats, npt.NDArray[np.bool_]]:
    """Return where programs start, their steps and constants one after another, and what counts at 0."""
    starts, steps = [0], list[tuple[int, int]]()
    numbers: list[float] = []
    for program in programs:
        shift = len(numbers)
        steps += [(step, argument + (shift if step == 0 else 0)) for step, argument in program.steps]
        numbers += program.constants
        starts.append(len(steps))
    equal = [program.counts_equal for program in programs]
    return np.array(starts), np.array(steps), np.array([*numbers, 0.0]), np.array(equal, np.bool_)


class BatchedMjcf(BatchedQuadruped):
    """Robots of one file side by side; see `hebbevo.envs.mjcf.observation`."""

    simulations: ClassVar[type[Simulations]] = MjcfSimulations
    config: MjcfConfig

    def __init__(self, config: MjcfConfig, batch_size: int) -> None:
        self.metres = np.zeros(batch_size)
        super().__init__(config, batch_size)
        self.measures = dict.fromkeys(config.metrics, self.metres)

    @override
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        super().reset(seeds, morphologies)
        self.metres[: len(seeds)] = 0.0

    @override
    def _make_body(self, model: mujoco.MjModel, intact: mujoco.MjModel) -> Body:
        robot = self.config.robot
        return MjcfBody(model, intact, robot.anatomy, robot)

    @override
    def place(self, row: int) -> tuple[float, float]:
        return cast(MjcfSimulations, self._of_row[row]).place(row)
