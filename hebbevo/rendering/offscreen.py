"""Pictures of MuJoCo bodies where there is no display: `mujoco.Renderer`, its lights and camera set for walkers."""

from __future__ import annotations

import copy
import importlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.envs.physics import mujoco
from hebbevo.rendering.gl import find_gl
from hebbevo.rendering.layout import Picture

_LIGHT = (-1.0, -1.5, 4.0)
"""Position of the light relative to the body, where the camera is 4 m away; it scales with that distance."""


_SHOWN_GROUPS = 3
"""Groups of geoms that MuJoCo draws unless told otherwise, from 0 on."""


def show_hidden_bodies(model: mujoco.MjModel) -> None:
    """Draw the hidden shapes of bodies that have no others, as those of a robot that goes without its meshes."""
    hidden = model.geom_group >= _SHOWN_GROUPS
    unseen = ~np.isin(model.geom_bodyid, model.geom_bodyid[~hidden])
    model.geom_group[hidden & unseen] = 0


class OffscreenRenderer:
    """Draws one model in any pose.

    Args:
        model: of the body; it is copied.
        width, height: of the pictures, in pixels.

    Raises:
        InputError: no OpenGL works here.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        # mujoco has chosen a context when it was imported, mostly that of a display
        gl_context: Any = importlib.import_module("mujoco.rendering.classic.gl_context")
        gl_context.GLContext = importlib.import_module(f"mujoco.{find_gl()}").GLContext
        self._model = copy.copy(model)
        show_hidden_bodies(self._model)
        self._model.vis.global_.offwidth, self._model.vis.global_.offheight = width, height
        self._data = mujoco.MjData(self._model)
        font = mujoco.mjtFontScale.mjFONTSCALE_100
        self._renderer = mujoco.Renderer(self._model, height, width, max_geom=1000, font_scale=font)
        self._renderer.scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._shown = mujoco.MjvOption()
        self._shown.flags[mujoco.mjtVisFlag.mjVIS_RANGEFINDER] = 0

    def draw(
        self,
        pose: npt.NDArray[np.float64],
        *,
        distance: float,
        angles: tuple[float, float],
        look_at: Sequence[float],
    ) -> Picture:
        """Draw the body; where gravity is inclined, on a slope, the picture is inclined with it.

        Args:
            pose: generalized position, ``(nq,)``.
            distance: from the camera to `look_at`, m.
            angles: azimuth and elevation of the camera, degrees.
            look_at: point in the middle of the picture, ``(3,)``, m.
        """
        self._data.qpos[:] = pose
        mujoco.mj_forward(self._model, self._data)
        camera = mujoco.MjvCamera()
        camera.distance, (camera.azimuth, camera.elevation) = distance, angles
        camera.lookat[:] = look_at
        self._renderer.update_scene(self._data, camera, self._shown)
        self._place_lights(np.asarray(look_at), distance)
        self._incline_camera(self._model.opt.gravity)
        picture: Picture = self._renderer.render()
        return picture

    def _place_lights(self, look_at: npt.NDArray[np.float64], distance: float) -> None:
        """Move the model's lights above the body: shadows are drawn near a light only."""
        scene = self._renderer.scene
        for light in scene.lights[: scene.nlight]:
            if not light.headlight:
                light.pos[:] = look_at + np.array(_LIGHT) * distance / 4
                light.dir[:] = -np.array(_LIGHT) / np.linalg.norm(_LIGHT)

    def _incline_camera(self, gravity: npt.NDArray[np.float64]) -> None:
        """Turn the camera about its line of sight until gravity points down."""
        for camera in self._renderer.scene.camera:
            forward, up = np.array(camera.forward, np.float64), -gravity
            up = up - forward * (up @ forward)
            if (length := math.sqrt(up @ up)) > 0.0:
                camera.up[:] = up / length

    def close(self) -> None:
        """Release the OpenGL context."""
        self._renderer.render()  # makes the context current: `close` frees objects of the current one
        self._renderer.close()
