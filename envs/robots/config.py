"""The settings that robots share; a build of quadruped adds its name, its parts and its intact body."""

from __future__ import annotations

import operator
from abc import abstractmethod
from collections import ChainMap
from collections.abc import Mapping, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.envs.config import EarlyStop, EnvConfig
from hebbevo.envs.entry_points import load
from hebbevo.envs.interventions import Intervention
from hebbevo.envs.morphologies.anatomy import Anatomy, add_anatomy
from hebbevo.envs.morphologies.catalogue import (
    MORPHOLOGIES,
    NAMED,
    Morphology,
    check_morphology,
    split_names,
)
from hebbevo.envs.morphologies.own import (
    INTACT,
    DrawnMorphology,
    OwnBody,
    check_own,
    expanded,
    own_morphologies,
)
from hebbevo.envs.robots.sizes import observation_size
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    from hebbevo.envs.physics import mujoco

Integrator = Literal["Euler", "RK4", "implicit", "implicitfast"]


MOST_BURN_IN: Final = 10_000
"""Physics substeps before a lifetime begins, a tenth of a second."""


class RobotConfig(EnvConfig):
    """Settings that all robots share, of hebbevo's own builds and of files."""

    releases_gil: ClassVar[bool] = True
    has_bodies: ClassVar[bool] = True
    interventions: ClassVar[frozenset[Intervention]] = frozenset(
        ("push", "friction", "gravity", "morphology")
    )

    morphologies: tuple[str, ...] = Field(default=(INTACT,), min_length=1)
    burn_in: int = Field(
        default=40, ge=0, le=2000, description="uncounted control steps of zero action at the start"
    )
    reset_noise: float = Field(
        default=0.1, ge=0, le=1, description="joint angles start within this of the pose, rad"
    )

    bodies: dict[str, OwnBody] = Field(
        default={},
        exclude_if=operator.not_,
        description="bodies of your own by name, as a YAML file has them; or the file's name",
    )

    @model_validator(mode="after")
    def _has_these_bodies(self) -> Self:
        check_own(self.bodies, self.known_bodies)
        check_morphologies(self.morphology_names, self.catalogue)
        return self

    @model_validator(mode="after")
    def _burns_in_briefly(self) -> Self:
        substeps = self.control_substeps
        if self.burn_in * substeps > MOST_BURN_IN:
            raise EnvError(
                f"env.burn_in: {self.burn_in} control steps of {substeps} substeps are more than {MOST_BURN_IN} "
                f"substeps; use at most {MOST_BURN_IN // substeps}"
            )
        return self

    @property
    @abstractmethod
    def parts(self) -> Anatomy:
        """Names of the robot's parts."""

    @property
    @abstractmethod
    def control_substeps(self) -> int:
        """Physics substeps in a control step."""

    @abstractmethod
    def intact_spec(self) -> mujoco.MjSpec:
        """Return the body without edits, with these settings, the initial pose in its numeric `init_qpos`."""

    @property
    def known_bodies(self) -> MutableMapping[str, Morphology]:
        """The bodies that the robot can have besides those of a user's own, by name."""
        return MORPHOLOGIES

    @property
    def catalogue(self) -> Mapping[str, Morphology]:
        """All bodies that the robot can have, by name."""
        return (
            ChainMap(own_morphologies(self.bodies), self.known_bodies) if self.bodies else self.known_bodies
        )

    @property
    @override
    def morphology_names(self) -> tuple[str, ...]:
        return expanded(self.morphologies, self.bodies)

    @override
    def with_morphologies(self, names: Sequence[str]) -> Self:
        chosen = check_morphologies(expanded(names, self.bodies), self.catalogue)
        return self.model_copy(update={"morphologies": chosen})

    @property
    def drawn(self) -> Mapping[str, DrawnMorphology]:
        """The bodies that are another one in every lifetime, by name."""
        own = own_morphologies(self.bodies)
        found = ((name, own[name]) for name, body in self.bodies.items() if body.draw)
        return {name: body for name, body in found if isinstance(body, DrawnMorphology)}

    @override
    def check_installed(self) -> None:
        """Raise also for a body of a user's own that cannot be made."""
        super().check_installed()
        own, drawn = own_morphologies(self.bodies), self.drawn
        for name in self.morphology_names:
            for body in drawn[name].choices if name in drawn else (name,):
                if body in own:
                    self.compile(body)

    @override
    def check_body(self, name: str) -> None:
        check_morphology(name, self.catalogue)
        if name in self.drawn:
            raise EnvError(f"{name} is another body in every lifetime; name one of them")

    @property
    @override
    def seen_bodies(self) -> tuple[str, ...]:
        drawn = [self.drawn[name] for name in self.morphology_names if name in self.drawn]
        intact = [INTACT for body in drawn if body.none]
        return tuple(
            dict.fromkeys((*self.morphology_names, *intact, *(one for body in drawn for one in body.choices)))
        )

    @property
    @override
    def single_bodies(self) -> tuple[str, ...]:
        return tuple(name for name in self.seen_bodies if name not in self.drawn)

    @property
    @override
    def study_bodies(self) -> tuple[str, ...]:
        return (*NAMED, *expanded(self.bodies, self.bodies), *split_names("test"))

    @override
    def describe_body(self, name: str) -> str:
        return self.catalogue[name].description

    def compile(self, morphology: str, *, trim: bool = True) -> mujoco.MjModel:
        """Compile a body with these settings.

        Args:
            morphology: a name of the registry.
            trim: skip what has no effect; trajectories are the same, bit for bit.

        Raises:
            EnvError: an unknown morphology, one that does not fit the robot, or the robot's files are not installed.
        """
        from hebbevo.envs.physics import FAILURES, one_line
        from hebbevo.envs.robots.body import compile_body

        check_morphology(morphology, self.catalogue)
        try:
            return compile_body(self.intact_spec(), self.catalogue[morphology], trim)
        except EnvError:
            raise
        except FAILURES as error:
            raise EnvError(f"{self.name} cannot be {morphology}: {one_line(error)}") from None


class WalkerConfig(RobotConfig):
    """Settings of a quadruped. A new robot is a subclass with its `anatomy`, `intact_body` and `name`."""

    environment: ClassVar[str] = "hebbevo.envs.robots.walker:BatchedQuadruped"
    quantity: ClassVar[str] = "progress"
    unit: ClassVar[str] = "m"
    anatomy: ClassVar[Anatomy]
    intact_body: ClassVar[str]
    """Entry point of a function (gear) -> `mujoco.MjSpec` of the body without edits."""

    early_stop: EarlyStop | None = EarlyStop(after=200, negative_rewards=30)
    morphologies: tuple[str, ...] = Field(default=(INTACT, "right_front_damaged"), min_length=1)
    gear: float = Field(default=20.0, gt=0, le=10_000, description="torque of a motor at action 1, N m")
    integrator: Integrator = "implicitfast"
    timestep: float = Field(default=0.00825, gt=0, le=0.1, description="seconds of one physics substep")
    substeps: int = Field(default=2, ge=1, le=100, description="physics substeps in a control step")

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "anatomy" in vars(cls):
            add_anatomy(cls.anatomy)

    @property
    @override
    def parts(self) -> Anatomy:
        return self.anatomy

    @property
    @override
    def control_substeps(self) -> int:
        return self.substeps

    @property
    @override
    def interface(self) -> EnvironmentInterface:
        import numpy as np

        joints, motors = len(self.anatomy.sensed_joints), len(self.anatomy.motor_joints)
        return EnvironmentInterface(observation_size(joints), np.ones(motors, np.float32))

    @property
    @override
    def seconds_per_step(self) -> float:
        return self.timestep * self.substeps

    @override
    def intact_spec(self) -> mujoco.MjSpec:
        from hebbevo.envs.physics import mujoco

        spec: mujoco.MjSpec = load(self.intact_body)(self.gear)
        spec.option.timestep = self.timestep
        spec.option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{self.integrator.upper()}")
        return spec


def check_morphologies(names: tuple[str, ...], catalogue: Mapping[str, Morphology]) -> tuple[str, ...]:
    """Return names of bodies, or raise `EnvError` where there is none, an unknown one or one twice."""
    if not names:
        raise EnvError("morphologies must name at least one body, got none")
    for name in names:
        check_morphology(name, catalogue)
        if names.count(name) > 1:
            raise EnvError(f"env.morphologies names {name!r} twice; list each body once")
    return names
