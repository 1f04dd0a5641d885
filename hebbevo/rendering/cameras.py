"""What draws each kind of environment: one entry of `CAMERAS` each.

A camera notes little while a lifetime goes on, and draws afterwards.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, cast

import mujoco
import numpy as np
import numpy.typing as npt

from hebbevo.envs import BatchedEnvironment, CarRacingConfig, EnvConfig, GymnasiumConfig
from hebbevo.envs.gymnasium.environment import BatchedGymnasium
from hebbevo.envs.robots.walker import BatchedQuadruped, WalkerConfig
from hebbevo.errors import InputError
from hebbevo.rendering.offscreen import OffscreenRenderer, Picture, find_gl

if TYPE_CHECKING:
    from hebbevo.envs.car_racing.batch import BatchedCarRacing
    from hebbevo.rendering.video import Recording

VIEW = (800, 540)
"""Width and height of a picture in the video; others are fitted into it."""

DISTANCES = {"quadruped": 4.2, "dog": 2.0}
"""From the camera to the body, m."""


class Camera(ABC):
    """Draws the first row of a block of lifetimes.

    Attributes:
        seconds_per_step: the time that a step takes in the simulated world.
    """

    seconds_per_step: float

    def look(self, environment: BatchedEnvironment) -> object:
        """Note what is needed to draw this moment later."""
        return None

    @abstractmethod
    def pictures(self, recording: Recording) -> Iterator[Picture]:
        """Draw the moments of a recording in turn."""

    def close(self) -> None:  # noqa: B027  (most cameras hold nothing)
        """Release what the camera holds outside Python."""


class WalkerCamera(Camera):
    """Follows a quadruped; the body may change on the way."""

    def __init__(self, config: WalkerConfig) -> None:
        find_gl()  # before a lifetime is lived in vain
        self.seconds_per_step = config.timestep * config.substeps
        self._distance = DISTANCES[config.name]
        self._renderers: dict[int, tuple[mujoco.MjModel, OffscreenRenderer]] = {}

    def look(self, environment: BatchedEnvironment) -> tuple[mujoco.MjModel, npt.NDArray[np.float64]]:
        """Note the body and its pose."""
        assert isinstance(environment, BatchedQuadruped)
        return environment.model(0), environment.position(0).copy()

    def pictures(self, recording: Recording) -> Iterator[Picture]:
        """Draw the body from its right, the way ahead to the right."""
        for moment in recording.moments:
            model, pose = cast(tuple[mujoco.MjModel, npt.NDArray[np.float64]], moment.sight)
            where = (pose[0], pose[1], 0.08 * self._distance)
            yield self._renderer_of(model).draw(
                pose, distance=self._distance, angles=(110, -22), look_at=where
            )

    def _renderer_of(self, model: mujoco.MjModel) -> OffscreenRenderer:
        if id(model) not in self._renderers:
            self._renderers[id(model)] = (model, OffscreenRenderer(model, *VIEW))
        return self._renderers[id(model)][1]

    def close(self) -> None:
        """Leave the studios."""
        for _, renderer in self._renderers.values():
            renderer.close()
        self._renderers.clear()


class ReplayCamera(Camera):
    """Takes the actions that were noted again, in an environment that draws itself."""

    def __init__(self, replay: BatchedGymnasium | BatchedCarRacing, frames_per_second: float) -> None:
        self._replay = replay
        self.seconds_per_step = 1 / frames_per_second

    def pictures(self, recording: Recording) -> Iterator[Picture]:
        """Draw by the environment's own `render`."""
        self._replay.reset([recording.seed], [recording.morphology])
        moments, row = iter(recording.moments), np.zeros(1, np.int64)
        moment = next(moments, None)
        for step, action in enumerate(recording.actions):
            if moment is not None and moment.step == step:
                yield self._replay.picture(0)
                moment = next(moments, None)
            self._replay.step(action[None], row)

    def close(self) -> None:
        """Close the environment."""
        self._replay.close()


def gymnasium_camera(config: GymnasiumConfig) -> ReplayCamera:
    """Return the camera of a Gymnasium id."""
    replay = BatchedGymnasium(config, 1, render_mode="rgb_array")
    if replay.is_mujoco:
        os.environ.setdefault("MUJOCO_GL", find_gl())  # Gymnasium reads it when it first draws
    return ReplayCamera(replay, replay.frames_per_second)


def car_racing_camera(config: CarRacingConfig) -> ReplayCamera:
    """Return the camera of CarRacing: the official picture."""
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
        InputError: it has none, or nothing to draw with.
    """
    for kind in type(env).__mro__:
        if kind in CAMERAS:
            return CAMERAS[kind](env)
    raise InputError(
        f"cannot draw {env.name}: no camera for it is registered in hebbevo.rendering.cameras.CAMERAS"
    )
