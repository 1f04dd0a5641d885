"""What draws an environment: a camera of the kind that its config declares.

A camera takes small snapshots while a lifetime goes on, and draws afterwards.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs import BatchedEnvironment, EnvConfig
from hebbevo.envs.cameras import CameraSpec, HasBody, HasPicture
from hebbevo.envs.physics import mujoco
from hebbevo.errors import InputError
from hebbevo.rendering.gl import find_gl
from hebbevo.rendering.layout import VIEW, Picture
from hebbevo.rendering.offscreen import OffscreenRenderer
from hebbevo.rendering.recording import Recording


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


BodySnapshot = tuple[mujoco.MjModel, npt.NDArray[np.float64], tuple[float, float]]
"""Model, pose, and where the body is on the ground."""


class BodyCamera(Camera):
    """Follows a simulated body from its right; the body may change on the way."""

    def __init__(self, seconds_per_step: float, spec: CameraSpec) -> None:
        find_gl()  # refused before the lifetime runs, not after it
        self.seconds_per_step = seconds_per_step
        self._spec = spec
        self._renderers: dict[int, tuple[mujoco.MjModel, OffscreenRenderer]] = {}

    @override
    def snapshot(self, environment: BatchedEnvironment) -> BodySnapshot:
        body = cast(HasBody, environment)
        return body.model(0), body.position(0).copy(), body.place(0)

    @override
    def pictures(self, recording: Recording) -> Iterator[Picture]:
        for moment in recording.moments:
            model, pose, place = cast(BodySnapshot, moment.snapshot)
            yield self._renderer_of(model).draw(
                pose, distance=self._spec.distance, angles=(110, -22), look_at=self._spec.look_at(place)
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

    def __init__(self, env: EnvConfig) -> None:
        self._replay = env.build(1, render_mode="rgb_array")
        self._pictured = cast(HasPicture, self._replay)
        if self._pictured.is_mujoco:
            os.environ.setdefault("MUJOCO_GL", find_gl())  # Gymnasium reads it when it first draws
        self.seconds_per_step = 1 / self._pictured.frames_per_second

    @override
    def pictures(self, recording: Recording) -> Iterator[Picture]:
        self._replay.reset([recording.seed], [recording.morphology])
        moments, row = iter(recording.moments), np.zeros(1, np.int64)
        moment = next(moments, None)
        for step, action in enumerate(recording.actions):
            if moment is not None and moment.step == step:
                yield self._pictured.picture(0)
                moment = next(moments, None)
            self._replay.step(action[None], row)

    @override
    def close(self) -> None:
        self._replay.close()


def camera_for(env: EnvConfig) -> Camera:
    """Return the camera of an environment, of the kind that its config declares.

    Raises:
        InputError: it has none, or there is no OpenGL to draw with.
    """
    if (camera := env.camera_spec) is None:
        raise InputError(f"cannot draw {env.name}: its config declares no camera")
    if camera.kind == "render":
        return ReplayCamera(env)
    assert env.seconds_per_step is not None
    return BodyCamera(env.seconds_per_step, camera)
