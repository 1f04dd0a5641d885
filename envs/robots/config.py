"""The settings that the quadrupeds of every build share; a build adds its name, its parts and its intact body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final, Literal, Self

from pydantic import Field, field_validator, model_validator
from typing_extensions import override

from hebbevo.envs.base import EnvironmentInterface
from hebbevo.envs.config import EarlyStop, EnvConfig
from hebbevo.envs.entry_points import load
from hebbevo.envs.interventions import Intervention
from hebbevo.envs.morphologies.anatomy import Anatomy, add_anatomy
from hebbevo.envs.morphologies.catalogue import check_morphology, get_morphology
from hebbevo.envs.robots.sizes import observation_size
from hebbevo.errors import EnvError

if TYPE_CHECKING:
    from hebbevo.envs.physics import mujoco

Integrator = Literal["Euler", "RK4", "implicit", "implicitfast"]

INTACT: Final = "intact"
"""The morphology without edits."""


MOST_BURN_IN: Final = 10_000
"""Physics substeps before a lifetime begins, a tenth of a second."""


class WalkerConfig(EnvConfig):
    """Settings of a quadruped. A new robot is a subclass with its `anatomy`, `intact_body` and `name`."""

    environment: ClassVar[str] = "hebbevo.envs.robots.walker:BatchedQuadruped"
    quantity: ClassVar[str] = "progress"
    unit: ClassVar[str] = "m"
    releases_gil: ClassVar[bool] = True
    has_bodies: ClassVar[bool] = True
    interventions: ClassVar[frozenset[Intervention]] = frozenset(
        ("push", "friction", "gravity", "morphology")
    )
    anatomy: ClassVar[Anatomy]
    intact_body: ClassVar[str]
    """Entry point of a function (gear) -> `mujoco.MjSpec` of the body without edits."""

    early_stop: EarlyStop | None = EarlyStop(after=200, negative_rewards=30)
    morphologies: tuple[str, ...] = Field(default=(INTACT, "right_front_damaged"), min_length=1)
    gear: float = Field(default=20.0, gt=0, le=10_000, description="torque of a motor at action 1, N m")
    integrator: Integrator = "implicitfast"
    timestep: float = Field(default=0.00825, gt=0, le=0.1, description="seconds of one physics substep")
    substeps: int = Field(default=2, ge=1, le=100, description="physics substeps in a control step")
    burn_in: int = Field(
        default=40, ge=0, le=2000, description="uncounted control steps of zero action at the start"
    )
    reset_noise: float = Field(
        default=0.1, ge=0, le=1, description="joint angles start within this of the pose, rad"
    )

    @classmethod
    @override
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        super().__pydantic_init_subclass__(**kwargs)
        if "anatomy" in vars(cls):
            add_anatomy(cls.anatomy)

    @field_validator("morphologies")
    @classmethod
    def _check_morphologies(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return check_morphologies(names)

    @model_validator(mode="after")
    def _burns_in_briefly(self) -> Self:
        if self.burn_in * self.substeps > MOST_BURN_IN:
            raise EnvError(
                f"env.burn_in: {self.burn_in} control steps of {self.substeps} substeps are more than {MOST_BURN_IN} "
                f"substeps; use at most {MOST_BURN_IN // self.substeps}"
            )
        return self

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

    @property
    @override
    def morphology_names(self) -> tuple[str, ...]:
        return self.morphologies

    @override
    def with_morphologies(self, names: Sequence[str]) -> Self:
        return self.model_copy(update={"morphologies": check_morphologies(tuple(names))})

    def compile(self, morphology: str, *, trim: bool = True) -> mujoco.MjModel:
        """Compile a body with these settings.

        Args:
            morphology: a name of the registry.
            trim: skip what has no effect; trajectories are the same, bit for bit.

        Raises:
            EnvError: an unknown morphology, or the robot's own files are not installed.
        """
        from hebbevo.envs.physics import mujoco
        from hebbevo.envs.robots.body import compile_body

        edits = get_morphology(morphology)
        spec = load(self.intact_body)(self.gear)
        spec.option.timestep = self.timestep
        spec.option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{self.integrator.upper()}")
        return compile_body(spec, edits, trim)


def check_morphologies(names: tuple[str, ...]) -> tuple[str, ...]:
    """Return names of bodies, or raise `EnvError` where there is none, an unknown one or one twice."""
    if not names:
        raise EnvError("morphologies must name at least one body, got none")
    for name in names:
        check_morphology(name)
        if names.count(name) > 1:
            raise EnvError(f"env.morphologies names {name!r} twice; list each body once")
    return names
