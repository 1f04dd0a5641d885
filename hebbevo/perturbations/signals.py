"""Perturbations of a network's inputs and outputs: sensors and actuators.

The rule of the first layer sees perturbed sensors as `pre`. Perturbed actuators leave the activations of the output
layer as they are. Source of the saturated actuators: Najarro & Risi 2020, arXiv 2007.02686.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field
from typing_extensions import override

from hebbevo.envs import EnvConfig
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.perturbations.perturbation import (
    BatchContext,
    NetworkExtent,
    Perturbation,
    TimedHook,
    check_indices,
)

IndexArray = npt.NDArray[np.int64]
Index = Annotated[int, Field(ge=0, le=1_000_000)]


class OnActuators(Perturbation):
    """A perturbation of actions."""

    persistent: ClassVar[bool] = True
    actuators: tuple[Index, ...] = Field(
        default=(), description="numbers of an action, from 0; all by default"
    )

    @override
    def check(self, where: str, env: EnvConfig, extent: NetworkExtent | None) -> None:
        super().check(where, env, extent)
        if extent is not None:
            check_indices(f"{where}.actuators", "actuator", self.actuators, extent.actuators)


class SaturateActuators(OnActuators):
    """Hold actuators at a value, whatever the network's output."""

    kind: Literal["saturate_actuators"] = "saturate_actuators"
    value: float = Field(
        default=1.0, ge=-1e6, le=1e6, description="of the action; the network's own are in [-1, 1]"
    )

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _ActuatorHook(self, index, context, self.value)


class KillActuators(OnActuators):
    """Disable actuators: their action is 0."""

    kind: Literal["kill_actuators"] = "kill_actuators"

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _ActuatorHook(self, index, context, 0.0)


class OnSensors(Perturbation):
    """A perturbation of observations."""

    persistent: ClassVar[bool] = True
    sensors: tuple[Index, ...] = Field(
        default=(), description="numbers of an observation, from 0; all by default"
    )

    @override
    def check(self, where: str, env: EnvConfig, extent: NetworkExtent | None) -> None:
        super().check(where, env, extent)
        if extent is not None:
            check_indices(f"{where}.sensors", "sensor", self.sensors, extent.sensors)


class SensorNoise(OnSensors):
    """Add Gaussian noise to sensors, new at every step."""

    kind: Literal["sensor_noise"] = "sensor_noise"
    sd: float = Field(default=0.1, gt=0, le=1e6, description="standard deviation, in the sensors' units")

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _NoiseHook(self, index, context)


class SensorDropout(OnSensors):
    """Set a fraction of the sensors to 0: the same ones throughout, or others at every step."""

    kind: Literal["sensor_dropout"] = "sensor_dropout"
    fraction: float = Field(default=0.25, gt=0, le=1, description="of the sensors")
    every_step: bool = Field(default=False, description="drop others at every step")

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _DropoutHook(self, index, context)


class SensorPermutation(OnSensors):
    """Permute sensors at random, differently in every lifetime."""

    kind: Literal["sensor_permutation"] = "sensor_permutation"

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _PermutationHook(self, index, context)


class _ActuatorHook(TimedHook[OnActuators]):
    """Overwrites actions with a value."""

    def __init__(self, perturbation: OnActuators, index: int, context: BatchContext, value: float) -> None:
        super().__init__(perturbation, index, context)
        self._value = value

    @override
    def after_forward(self, batch: Batch) -> None:
        if self.perturbation.actuators:
            batch.actions[np.ix_(batch.active, np.array(self.perturbation.actuators))] = self._value
        else:
            batch.actions[batch.active] = self._value


class _SensorHook(TimedHook[OnSensors]):
    """Finds the perturbed numbers of an observation, `sensors` ``(k,)``."""

    @override
    def begin(self, batch: Batch) -> None:
        listed = self.perturbation.sensors or range(batch.environment.observation_size)
        self.sensors: IndexArray = np.array(listed, np.int64)


class _NoiseHook(_SensorHook):
    @override
    def before_forward(self, batch: Batch) -> None:
        assert isinstance(self.perturbation, SensorNoise)
        for row in batch.active.tolist():
            noise = self.perturbation.sd * self.stream(row).standard_normal(len(self.sensors))
            batch.environment.observations[row, self.sensors] += noise.astype(np.float32)


class _DropoutHook(_SensorHook):
    @override
    def begin(self, batch: Batch) -> None:
        super().begin(batch)
        self.dropped = {row: self._draw(row) for row in batch.active.tolist()}

    @override
    def before_forward(self, batch: Batch) -> None:
        assert isinstance(self.perturbation, SensorDropout)
        for row in batch.active.tolist():
            dropped = self._draw(row) if self.perturbation.every_step else self.dropped[row]
            batch.environment.observations[row, dropped] = 0.0

    def _draw(self, row: int) -> IndexArray:
        assert isinstance(self.perturbation, SensorDropout)
        count = max(1, round(self.perturbation.fraction * len(self.sensors)))
        return self.sensors[self.stream(row).permutation(len(self.sensors))[:count]]


class _PermutationHook(_SensorHook):
    @override
    def begin(self, batch: Batch) -> None:
        super().begin(batch)
        count = len(self.sensors)
        self.sources = {
            row: self.sensors[self.stream(row).permutation(count)] for row in batch.active.tolist()
        }

    @override
    def before_forward(self, batch: Batch) -> None:
        for row in batch.active.tolist():
            observation = batch.environment.observations[row]
            observation[self.sensors] = observation[self.sources[row]]
