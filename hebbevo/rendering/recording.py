"""The record of one lifetime that a video shows: a hook that only reads keeps it while the lifetime goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs import BatchedEnvironment
from hebbevo.networks.effective_weights import EffectiveWeights
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rollouts.result import RolloutResult

FRAMES_PER_SECOND = 30


@dataclass(frozen=True)
class Moment:
    """A time step that the video shows.

    Attributes:
        step: the time step t, before its forward pass.
        frames: how many frames of the video show it.
        progress: fitness so far.
        weights: of every layer, ``(n_out, n_in)``, those that the forward pass uses.
        snapshot: what the camera needs to draw it.
    """

    step: int
    frames: int
    progress: float
    weights: tuple[npt.NDArray[np.float32], ...]
    snapshot: object


@dataclass(frozen=True)
class Recording:
    """A recorded lifetime.

    Attributes:
        result: of the lifetime, one row.
        moments: in their order.
        actions: of every step, ``(steps, n_out)``.
        seed: of the lifetime.
        morphology: name of the body.
        perturbations: of the lifetime.
        seconds_per_step: simulated time.
    """

    result: RolloutResult
    moments: list[Moment]
    actions: npt.NDArray[np.float32]
    seed: int
    morphology: str
    perturbations: tuple[Perturbation, ...]
    seconds_per_step: float

    def __repr__(self) -> str:
        steps, body = int(self.result.steps[0]), self.morphology
        return f"Recording({steps} steps of {body}, {self.result.fitness[0]:.3g} in all)"

    @property
    def frames(self) -> int:
        """Number of frames in a real-time video."""
        return sum(moment.frames for moment in self.moments)


class Recorder(Hook):
    """Records the first row of a batch at each frame of a real-time video.

    Args:
        weights: reads those of a lifetime.
        snapshot: of a camera, see `hebbevo.rendering.cameras.Camera.snapshot`.
        seconds_per_step: simulated time.
    """

    def __init__(
        self,
        weights: EffectiveWeights,
        snapshot: Callable[[BatchedEnvironment], object],
        seconds_per_step: float,
    ) -> None:
        self.moments: list[Moment] = []
        self.actions: list[npt.NDArray[np.float32]] = []
        self._weights = weights
        self._snapshot = snapshot
        self._steps_per_frame = 1 / (FRAMES_PER_SECOND * seconds_per_step)
        self._frame = 0
        self._progress = 0.0

    @override
    def on_observation(self, batch: Batch) -> None:
        first = self._frame
        while int(self._frame * self._steps_per_frame) == batch.step:
            self._frame += 1
        if self._frame > first:
            weights = tuple(self._weights.of(batch.network, 0))
            snapshot = self._snapshot(batch.environment)
            self.moments.append(Moment(batch.step, self._frame - first, self._progress, weights, snapshot))

    @override
    def on_action(self, batch: Batch) -> None:
        self.actions.append(batch.actions[0].copy())

    @override
    def on_step(self, batch: Batch) -> None:
        self._progress += float(batch.environment.rewards[0])
