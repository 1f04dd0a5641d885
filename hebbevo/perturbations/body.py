"""Perturbations of the body and its world: a push, friction, gravity, another body in mid-lifetime.

They need an environment that offers `hebbevo.envs.Interventions`, as the robots do.
"""

from __future__ import annotations

import math
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.envs import Change, EnvConfig, Interventions
from hebbevo.envs.interventions import Intervention, Vector
from hebbevo.errors import InputError
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.perturbations.perturbation import BatchContext, NetworkExtent, Perturbation, TimedHook

Component = Annotated[float, Field(ge=-1e6, le=1e6)]


class Push(Perturbation):
    """Push the torso: a velocity or an impulse along x, y, z, or a speed in a random level direction."""

    intervention: ClassVar[Intervention | None] = "push"
    kind: Literal["push"] = "push"
    velocity: tuple[Component, Component, Component] | None = Field(
        default=None, description="added to the torso's, m/s"
    )
    impulse: tuple[Component, Component, Component] | None = Field(
        default=None, description="on the torso's center of mass, N s"
    )
    speed: float | None = Field(
        default=None, gt=0, le=1e6, description="in a random level direction, m/s; 1 by default"
    )

    @model_validator(mode="after")
    def _only_one_is_given(self) -> Push:
        if sum(given is not None for given in (self.velocity, self.impulse, self.speed)) > 1:
            raise InputError("push: give one of velocity, impulse and speed")
        return self

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _PushHook(self, index, context)


class Friction(Perturbation):
    """Scale the friction between body and floor; after a window it is as before."""

    persistent: ClassVar[bool] = True
    intervention: ClassVar[Intervention | None] = "friction"
    kind: Literal["friction"] = "friction"
    factor: float = Field(default=0.3, ge=0.01, le=10)

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _ChangeHook(self, index, context, Change(friction=self.factor))


class Gravity(Perturbation):
    """Scale gravity; after a window it is as before."""

    persistent: ClassVar[bool] = True
    intervention: ClassVar[Intervention | None] = "gravity"
    kind: Literal["gravity"] = "gravity"
    factor: float = Field(default=1.5, ge=0, le=10)

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _ChangeHook(self, index, context, Change(gravity=self.factor))


class SwitchMorphology(Perturbation):
    """Go on in another body, with the posture and the motion of the old one; after a window in the old one."""

    persistent: ClassVar[bool] = True
    intervention: ClassVar[Intervention | None] = "morphology"
    kind: Literal["switch_morphology"] = "switch_morphology"
    morphology: str = Field(description="name of the other body")

    @override
    def check(self, where: str, env: EnvConfig, extent: NetworkExtent | None) -> None:
        super().check(where, env, extent)
        try:
            env.check_body(self.morphology)
        except InputError as error:
            raise InputError(f"{where}: {self.kind}: {error}") from None

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _ChangeHook(self, index, context, Change(morphology=self.morphology))


class _PushHook(TimedHook[Push]):
    @override
    def before_forward(self, batch: Batch) -> None:
        interventions = _interventions(batch)
        for row in batch.active.tolist():
            if self.perturbation.impulse is not None:
                interventions.push(row, impulse=self.perturbation.impulse)
            else:
                interventions.push(row, velocity=self.perturbation.velocity or self._random_velocity(row))

    def _random_velocity(self, row: int) -> Vector:
        angle = float(self.stream(row).uniform(0.0, 2 * math.pi))
        speed = 1.0 if self.perturbation.speed is None else self.perturbation.speed
        return speed * math.cos(angle), speed * math.sin(angle), 0.0


class _ChangeHook(TimedHook[Perturbation]):
    """Puts a change of the body or its world in force, and takes it back."""

    def __init__(self, perturbation: Perturbation, index: int, context: BatchContext, change: Change) -> None:
        super().__init__(perturbation, index, context)
        self._change = change

    @override
    def begin(self, batch: Batch) -> None:
        _interventions(batch).apply(batch.active.tolist(), self.index, self._change)

    @override
    def end(self, batch: Batch) -> None:
        _interventions(batch).apply(batch.active.tolist(), self.index, None)


def _interventions(batch: Batch) -> Interventions:
    interventions = batch.environment.interventions
    assert interventions is not None  # Perturbation.check has refused environments without
    return interventions
