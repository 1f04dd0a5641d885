"""Cameras, one for each kind of environment: an entry of `CAMERAS`.

A camera takes small snapshots while a lifetime goes on, and draws afterwards.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import mujoco
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs import BatchedEnvironment, CarRacingConfig, EnvConfig, GymnasiumConfig
from hebbevo.envs.gymnasium.environment import BatchedGymnasium
from hebbevo.envs.robots.walker import BatchedQuadruped, WalkerConfig
from hebbevo.errors import InputError
from hebbevo.rendering.gl import find_gl
from hebbevo.rendering.layout import VIEW, Picture
from hebbevo.rendering.offscreen import OffscreenRenderer
from hebbevo.rendering.recording import Recording

if TYPE_CHECKING:
    from hebbevo.envs.car_racing.batch import BatchedCarRacing

DISTANCES = {"quadruped": 4.2, "dog": 2.0}
"""From the camera to the body, m."""


class Camera(ABC):
    """Draws the first row of a batch of lifetimes.

    Attributes:
        seconds_per_step: simulated time.
    """

    seconds_per_step: float

    def snapshot(self, environment: BatchedEnvironment) -> object:
        """Return whatever `pictures` needs to draw this moment later."""
        return None

    @abstractmethod
    def pictures(self, recording: Recording) -> Iterator[Picture]:
        """Draw the moments of a recording in turn."""

    def close(self) -> None:  # noqa: B027  (most cameras hold nothing)
        """Release what the camera holds outside Python."""


class WalkerCamera(Camera):
    """Follows a quadruped or a dog, from its right; the body may change on the way."""

    def __init__(self, config: WalkerConfig) -> None:
        find_gl()  # refused before the lifetime runs, not after it
        self.seconds_per_step = config.timestep * config.substeps
        self._distance = DISTANCES[config.name]
        self._renderers: dict[int, tuple[mujoco.MjModel, OffscreenRenderer]] = {}

    @override
    def snapshot(self, environment: BatchedEnvironment) -> tuple[mujoco.MjModel, npt.NDArray[np.float64]]:
        assert isinstance(environment, BatchedQuadruped)
        return environment.model(0), environment.position(0).copy()

    @override
    def pictures(self, recording: Recording) -> Iterator[Picture]:
        for moment in recording.moments:
            model, pose = cast(tuple[mujoco.MjModel, npt.NDArray[np.float64]], moment.snapshot)
            look_at = (pose[0], pose[1], 0.08 * self._distance)
            yield self._renderer_of(model).draw(
                pose, distance=self._distance, angles=(110, -22), look_at=look_at
            )

    def _renderer_of(self, model: mujoco.MjModel) -> OffscreenRenderer:
        if id(model) not in self._renderers:
            self._renderers[id(model)] = (model, OffscreenRenderer(model, *VIEW))
        return self._renderers[id(model)][1]

    @override
    def close(self) -> None:
        for _, renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()


class ReplayCamera(Camera):
    """Takes the recorded actions again, in an environment that draws itself."""

    def __init__(self, replay: BatchedGymnasium | BatchedCarRacing, frames_per_second: float) -> None:
        self._replay = replay
        self.seconds_per_step = 1 / frames_per_second

    @override
    def pictures(self, recording: Recording) -> Iterator[Picture]:
        self._replay.reset([recording.seed], [recording.morphology])
        moments, row = iter(recording.moments), np.zeros(1, np.int64)
        moment = next(moments, None)
        for step, action in enumerate(recording.actions):
            if moment is not None and moment.step == step:
                yield self._replay.picture(0)
                moment = next(moments, None)
            self._replay.step(action[None], row)

    @override
    def close(self) -> None:
        self._replay.close()


def gymnasium_camera(config: GymnasiumConfig) -> ReplayCamera:
    """Return the camera of a Gymnasium id."""
    replay = BatchedGymnasium(config, 1, render_mode="rgb_array")
    if replay.is_mujoco:
        os.environ.setdefault("MUJOCO_GL", find_gl())  # Gymnasium reads it when it first draws
    return ReplayCamera(replay, replay.frames_per_second)


def car_racing_camera(config: CarRacingConfig) -> ReplayCamera:
    """Return the camera of CarRacing: the reference environment's picture."""
    from gymnasium.envs.box2d.car_racing import FPS

    from hebbevo.envs.car_racing.batch import BatchedCarRacing

    return ReplayCamera(BatchedCarRacing(config, 1, render_mode="rgb_array"), FPS)


CAMERAS: dict[type, Callable[[Any], Camera]] = {
    WalkerConfig: WalkerCamera,
    GymnasiumConfig: gymnasium_camera,
    CarRacingConfig: car_racing_camera,
}
"""By the environment's config, or a class that it derives from."""


def camera_for(env: EnvConfig) -> Camera:
    """Return the camera of an environment.

    Raises:
        InputError: it has none, or there is no OpenGL to draw with.
    """
    for kind in type(env).__mro__:
        if kind in CAMERAS:
            return CAMERAS[kind](env)
    raise InputError(
        f"cannot draw {env.name}: no camera for it is registered in hebbevo.rendering.cameras.CAMERAS"
    )
