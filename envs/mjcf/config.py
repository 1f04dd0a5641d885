"""The settings of a robot of a user's file, `mjcf`. MuJoCo is imported when its parts are asked for.

The file is read once, on the user's word (`resolve`); from then on the robot is a text, which configs, runs, workers
and genomes carry, and which is parsed from memory alone.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping, MutableMapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.metrics import Metric
from hebbevo.envs.mjcf.limits import MOST_PACKED
from hebbevo.envs.mjcf.quantities import Program, end_program, reward_program
from hebbevo.envs.morphologies.anatomy import Anatomy
from hebbevo.envs.morphologies.catalogue import Morphology
from hebbevo.envs.morphologies.own import INTACT
from hebbevo.envs.robots.config import Integrator, RobotConfig
from hebbevo.errors import EnvError, unknown

if TYPE_CHECKING:
    from hebbevo.envs.mjcf.robot import Robot
    from hebbevo.envs.physics import mujoco

CONTROL_RATE = 60.0
"""Control steps in a second, about, where the config does not say how many substeps one has."""
METRES = "metres"
"""Name of the measure of a lifetime whose fitness is another."""
_METRES = Metric(float, METRES, "progress along +x", decimals=2, measured=True, quantity="progress", unit="m")
GROUPS = ("torso", "joints", "contacts")
"""Parts of an observation besides named sensors."""


class MjcfConfig(RobotConfig):
    """A robot of your own, from an MJCF file."""

    environment: ClassVar[str] = "hebbevo.envs.mjcf.environment:BatchedMjcf"
    own_keys: ClassVar[frozenset[str]] = frozenset(
        ("early_stop", "morphologies", "gear", "integrator", "timestep", "substeps")
    )

    name: Literal["mjcf"] = "mjcf"
    torso: str | None = Field(
        default=None, description="body that is observed; null: 'torso', else the one that carries the others"
    )
    feet: tuple[str, ...] | None = Field(
        default=None, description="geoms or bodies whose contacts are observed; null: the ends of the legs"
    )
    observe: tuple[str, ...] = Field(
        default=GROUPS,
        min_length=1,
        description="parts of an observation: torso, joints, contacts, names of sensors",
    )
    reward: str = Field(
        default="progress", description="of a control step, an expression over its quantities"
    )
    end: str | tuple[str, ...] = Field(
        default=(), description="conditions, as 'height < 0.3', any of which ends a lifetime under early stop"
    )
    morphologies: tuple[str, ...] = Field(default=(INTACT,), min_length=1)
    gear: float | None = Field(
        default=None, gt=0, le=10_000, description="torque of a motor at action 1, N m; null: the file's"
    )
    integrator: Integrator | None = Field(default=None, description="null: the file's")
    timestep: float | None = Field(
        default=None, ge=1e-5, le=0.1, description="seconds of one physics substep; null: the file's"
    )
    substeps: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="physics substeps in a control step; null: about a 60th of a second",
    )
    mjcf: str = Field(
        default="", description="the robot, as MJCF; env.file=FILE.xml reads it, with all that it names"
    )
    assets: dict[str, str] = Field(
        default={},
        exclude_if=operator.not_,
        description="meshes and pictures by path, packed; env.file reads them",
    )

    @classmethod
    @override
    def resolve(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        if "file" not in values:
            return dict(values)
        from hebbevo.envs.mjcf.files import read_robot

        if not isinstance(path := values["file"], str | Path):
            raise EnvError("env.file must be the path of an MJCF file")
        text, assets = read_robot(Path(path))
        rest = {key: value for key, value in values.items() if key not in ("file", "assets")}
        return {**rest, "mjcf": text, **({"assets": assets} if assets else {})}

    @field_validator("mjcf")
    @classmethod
    def _is_given(cls, text: str) -> str:
        if not text.strip():
            raise EnvError("env.mjcf is empty; name your robot's file, env.file=FILE.xml")
        if len(text) > MOST_PACKED:
            raise EnvError(f"env.mjcf has {len(text):,} characters; {MOST_PACKED:,} at most")
        return text

    @model_validator(mode="before")
    @classmethod
    def _has_a_robot(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and "mjcf" not in values:
            raise EnvError("env.name mjcf needs your robot; name its file, env.file=FILE.xml")
        return values

    @model_validator(mode="after")
    def _reads(self) -> MjcfConfig:
        _ = self.programs
        for part in self.observe:
            if part not in GROUPS and part not in self.robot.sensors:
                raise EnvError(
                    f"env.observe: {unknown('part or sensor', part, (*GROUPS, *self.robot.sensors))}"
                )
        return self

    @property
    def robot(self) -> Robot:
        """The robot's parts; read once per process."""
        from hebbevo.envs.mjcf.robot import read_robot

        return read_robot(self.mjcf, tuple(self.assets.items()), self.torso, self.feet)

    @property
    def programs(self) -> tuple[Program, ...]:
        """The reward and the ends, ready to be run."""
        sensors, ends = self.robot.scalars, (self.end,) if isinstance(self.end, str) else self.end
        return (reward_program(self.reward, sensors), *(end_program(end, sensors) for end in ends))

    @property
    @override
    def quantity(self) -> str:  # type: ignore[override]  # depends on the reward
        return "progress" if self._walks else "reward"

    @property
    @override
    def unit(self) -> str:  # type: ignore[override]
        return "m" if self._walks else "reward"

    @property
    @override
    def metrics(self) -> Mapping[str, Metric]:  # type: ignore[override]
        return {} if self._walks else {METRES: _METRES}

    @property
    def _walks(self) -> bool:
        """Whether the fitness is metres."""
        return self.reward.strip() == "progress"

    @property
    @override
    def known_bodies(self) -> MutableMapping[str, Morphology]:
        return self.robot.bodies

    @property
    @override
    def study_bodies(self) -> tuple[str, ...]:
        return tuple(name for name in self.catalogue if name in self.drawn or self._can_be(name))

    def _can_be(self, body: str) -> bool:
        """Tell whether a body can be made: a tendon or a constraint may need what it lacks."""
        try:
            self.compile(body)
        except EnvError:
            return False
        return True

    @property
    @override
    def parts(self) -> Anatomy:
        return self.robot.anatomy

    @property
    @override
    def control_substeps(self) -> int:
        return self.substeps or max(1, round(1 / CONTROL_RATE / (self.timestep or self.robot.timestep)))

    @property
    @override
    def seconds_per_step(self) -> float:
        return self.control_substeps * (self.timestep or self.robot.timestep)

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        import numpy as np

        robot = self.robot
        sizes = {"torso": 8, "joints": 2 * len(robot.anatomy.sensed_joints), "contacts": len(robot.feet)}
        size = sum(sizes[part] if part in sizes else robot.sensors[part][0] for part in self.observe)
        if size == 0:
            raise EnvError("env.observe: the robot has nothing of it to observe; add 'joints' or a sensor")
        return EnvironmentInterface(size, np.ones(len(robot.motors), np.float32))

    @property
    @override
    def about(self) -> str:
        robot, anatomy = self.robot, self.parts
        held = (
            "no free joint" if not robot.free else "free, over no floor: it falls" if robot.falls else "free"
        )
        feet = f"feet {', '.join(robot.feet)}" if robot.feet else "no feet"
        return (
            f"robot {anatomy.name.rpartition('-')[0]}: torso {anatomy.torso} ({held}), {feet}; "
            f"{len(anatomy.sensed_joints)} joints and {len(robot.motors)} motors, "
            f"{self.interface.observation_size} numbers observed, {1 / self.seconds_per_step:.4g} steps in a second"
        )

    @property
    @override
    def camera_spec(self) -> CameraSpec | None:
        reach, height = self.robot.extent
        return CameraSpec("body", distance=1.6 * reach, height=height)

    @override
    def intact_spec(self) -> mujoco.MjSpec:
        from hebbevo.envs.physics import mujoco

        spec = self.robot.spec.copy()
        if self.timestep is not None:
            spec.option.timestep = self.timestep
        if self.integrator is not None:
            spec.option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{self.integrator.upper()}")
        if self.gear is not None:
            for motor in spec.actuators:
                if motor.biastype == mujoco.mjtBias.mjBIAS_NONE:
                    motor.gear = [self.gear, 0, 0, 0, 0, 0]
        return spec
