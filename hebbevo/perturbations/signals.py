"""Perturbations of what goes into the network and what comes out: sensors and actuators.

What a sensor is made to say is also what the first layer's rule sees as `pre`. An actuator that does something else
than the network asked for leaves the network's own activations alone. Source of the saturated actuators: Najarro &
Risi 2020, arXiv 2007.02686.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from hebbevo.envs import EnvConfig
from hebbevo.perturbations.perturbation import Lives, Perturbation, Timed, check_indices
from hebbevo.rollouts.hooks import Batch, Hook

Places = npt.NDArray[np.int64]


class OnActuators(Perturbation):
    """A perturbation of actions."""

    lasting: ClassVar[bool] = True
    actuators: tuple[int, ...] = Field(default=(), description="numbers of an action, from 0; all by default")

    def check(self, place: str, env: EnvConfig, sizes: Sequence[int] | None) -> None:
        """Refuse actuators that there are not."""
        super().check(place, env, sizes)
        if sizes is not None:
            check_indices(f"{place}.actuators", "actuator", self.actuators, sizes[-1])


class SaturateActuators(OnActuators):
    """Hold actuators at a value, whatever the network asks for."""

    kind: Literal["saturate_actuators"] = "saturate_actuators"
    value: float = Field(default=1.0, description="of the action; the network's own are in [-1, 1]")

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what holds them."""
        return _Hold(self, place, lives, self.value)


class KillActuators(OnActuators):
    """Let actuators do nothing: their action is 0."""

    kind: Literal["kill_actuators"] = "kill_actuators"

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what holds them at 0."""
        return _Hold(self, place, lives, 0.0)


class OnSensors(Perturbation):
    """A perturbation of observations."""

    lasting: ClassVar[bool] = True
    sensors: tuple[int, ...] = Field(
        default=(), description="numbers of an observation, from 0; all by default"
    )

    def check(self, place: str, env: EnvConfig, sizes: Sequence[int] | None) -> None:
        """Refuse sensors that there are not."""
        super().check(place, env, sizes)
        if sizes is not None:
            check_indices(f"{place}.sensors", "sensor", self.sensors, sizes[0])


class SensorNoise(OnSensors):
    """Add Gaussian noise to sensors, new at every step."""

    kind: Literal["sensor_noise"] = "sensor_noise"
    sd: float = Field(default=0.1, gt=0, description="standard deviation, in the sensors' units")

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what adds it."""
        return _Noise(self, place, lives)


class SensorDropout(OnSensors):
    """Let a fraction of the sensors read 0: the same ones throughout, or others at every step."""

    kind: Literal["sensor_dropout"] = "sensor_dropout"
    fraction: float = Field(default=0.25, gt=0, le=1, description="of the sensors")
    every_step: bool = Field(default=False, description="drop others at every step")

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what drops them."""
        return _Dropout(self, place, lives)


class SensorPermutation(OnSensors):
    """Swap the wires of sensors: a random permutation, another one in every lifetime."""

    kind: Literal["sensor_permutation"] = "sensor_permutation"

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what swaps them."""
        return _Permutation(self, place, lives)


class _Hold(Timed[OnActuators]):
    def __init__(self, what: OnActuators, place: int, lives: Lives, value: float) -> None:
        super().__init__(what, place, lives)
        self._value = value

    def act(self, batch: Batch) -> None:
        """Overwrite the actions."""
        if self.what.actuators:
            batch.actions[np.ix_(batch.active, np.array(self.what.actuators))] = self._value
        else:
            batch.actions[batch.active] = self._value


class _Sensors(Timed[OnSensors]):
    """Knows which numbers of an observation are meant."""

    def begin(self, batch: Batch) -> None:
        """Note them."""
        listed = self.what.sensors or range(batch.environment.observation_size)
        self.places: Places = np.array(listed, np.int64)


class _Noise(_Sensors):
    def sense(self, batch: Batch) -> None:
        """Add noise."""
        assert isinstance(self.what, SensorNoise)
        for row in batch.active.tolist():
            noise = self.what.sd * self.stream(row).standard_normal(len(self.places))
            batch.environment.observations[row, self.places] += noise.astype(np.float32)


class _Dropout(_Sensors):
    def begin(self, batch: Batch) -> None:
        """Draw who is deaf."""
        super().begin(batch)
        self.deaf = {row: self._draw(row) for row in batch.active.tolist()}

    def sense(self, batch: Batch) -> None:
        """Silence them."""
        assert isinstance(self.what, SensorDropout)
        for row in batch.active.tolist():
            deaf = self._draw(row) if self.what.every_step else self.deaf[row]
            batch.environment.observations[row, deaf] = 0.0

    def _draw(self, row: int) -> Places:
        assert isinstance(self.what, SensorDropout)
        count = max(1, round(self.what.fraction * len(self.places)))
        return self.places[self.stream(row).permutation(len(self.places))[:count]]


class _Permutation(_Sensors):
    def begin(self, batch: Batch) -> None:
        """Draw the wiring."""
        super().begin(batch)
        count = len(self.places)
        self.wired = {row: self.places[self.stream(row).permutation(count)] for row in batch.active.tolist()}

    def sense(self, batch: Batch) -> None:
        """Swap what is sensed."""
        for row in batch.active.tolist():
            observation = batch.environment.observations[row]
            observation[self.places] = observation[self.wired[row]]
