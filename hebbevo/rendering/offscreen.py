"""Pictures of MuJoCo bodies where there is no display: a GL that works is found, then bodies are drawn with it.

MuJoCo draws through EGL (a GPU, or Mesa) or OSMesa (Mesa, on the CPU) offscreen, through GLFW in a window of a
display, through CGL on macOS. A GL that cannot start may crash its process, so each is tried in another one first.
Source: MuJoCo, "Programming", section Visualization.
"""

from __future__ import annotations

import copy
import importlib
import math
import os
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from typing import Any

import mujoco
import numpy as np
import numpy.typing as npt

from hebbevo.errors import InputError

Picture = npt.NDArray[np.uint8]
"""Height, width, RGB."""

_TRIAL = """
import importlib, os, sys, mujoco
context = importlib.import_module("mujoco." + sys.argv[1]).GLContext(64, 64)
context.make_current()
mujoco.MjrContext(mujoco.MjModel.from_xml_string("<mujoco/>"), mujoco.mjtFontScale.mjFONTSCALE_100)
os._exit(0)
"""
_LIGHT = (-1.0, -1.5, 4.0)
"""Where the lamp hangs, from the body, in bodies' distances from the camera over 4."""


@cache
def find_gl() -> str:
    """Return the first GL that works here: the name of a module of `mujoco` with a `GLContext`.

    The environment variable MUJOCO_GL, where it names one, leaves no choice.

    Raises:
        InputError: there is none; the line says what to install.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    known = ("egl", "osmesa", "glfw", "cgl")
    candidates = (asked,) if asked in known else _candidates()
    for name in candidates:
        if _works(name):
            return name
    tried = ", ".join(candidates)
    raise InputError(
        f"cannot draw: no GL works here (tried {tried}); install OSMesa or EGL, on Debian and Ubuntu with "
        "`apt install libosmesa6` or, with a GPU, `apt install libegl1`"
        + (f"; MUJOCO_GL={asked} allows no other" if asked in known else "")
    )


def _candidates() -> tuple[str, ...]:
    if sys.platform == "darwin":
        return ("cgl", "glfw")
    if sys.platform == "win32":
        return ("glfw",)
    return ("egl", "osmesa", *(("glfw",) if os.environ.get("DISPLAY") else ()))


def _works(name: str) -> bool:
    """Draw with a GL in a process of its own, which it may crash."""
    command = [sys.executable, "-P", "-c", _TRIAL, name]
    # the interpreter of the trial finds the packages of this one
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "MUJOCO_GL": name, "PYTHONPATH": paths}
    try:
        trial = subprocess.run(command, env=environment, capture_output=True, check=False, timeout=60)
    except subprocess.TimeoutExpired:
        return False
    return trial.returncode == 0


class OffscreenRenderer:
    """Draws one model in any pose.

    Args:
        model: of the body, which stays as it is.
        width, height: of the pictures, in pixels.

    Raises:
        InputError: no GL works here.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        gl = importlib.import_module(f"mujoco.{find_gl()}")
        self._model = copy.copy(model)
        self._model.vis.global_.offwidth, self._model.vis.global_.offheight = width, height
        self._data = mujoco.MjData(self._model)
        self._scene = mujoco.MjvScene(self._model, maxgeom=1000)
        self._scene.flags[mujoco.mjtRndFlag.mjRND_REFLECTION] = 0
        self._option = mujoco.MjvOption()
        self._window = mujoco.MjrRect(0, 0, width, height)
        self._gl = gl.GLContext(width, height)
        self._gl.make_current()
        self._renderer = mujoco.MjrContext(self._model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._renderer)

    def draw(
        self,
        pose: npt.NDArray[np.float64],
        *,
        distance: float,
        angles: tuple[float, float],
        look_at: Sequence[float],
    ) -> Picture:
        """Draw the body; where gravity leans, on a slope, the picture leans with it.

        Args:
            pose: generalised position, ``(nq,)``.
            distance: of the camera, m.
            angles: azimuth and elevation of the camera, degrees.
            look_at: where it looks, ``(3,)``, m.
        """
        self._data.qpos[:] = pose
        mujoco.mj_forward(self._model, self._data)
        camera = mujoco.MjvCamera()
        camera.distance, (camera.azimuth, camera.elevation) = distance, angles
        camera.lookat[:] = look_at
        self._gl.make_current()
        every: Any = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, self._data, self._option, None, camera, every, self._scene)
        self._place_lights(np.asarray(look_at), distance)
        self._lean(self._model.opt.gravity)
        picture = np.empty((self._window.height, self._window.width, 3), np.uint8)
        mujoco.mjr_render(self._window, self._scene, self._renderer)
        mujoco.mjr_readPixels(picture, None, self._window, self._renderer)
        return picture[::-1]  # GL's first row is the lowest

    def _place_lights(self, look_at: npt.NDArray[np.float64], distance: float) -> None:
        """Hang the model's lamps over the body: shadows are drawn near the lamp only."""
        for light in self._scene.lights[: self._scene.nlight]:
            if not light.headlight:
                light.pos[:] = look_at + np.array(_LIGHT) * distance / 4
                light.dir[:] = -np.array(_LIGHT) / np.linalg.norm(_LIGHT)

    def _lean(self, gravity: npt.NDArray[np.float64]) -> None:
        """Turn the camera about its line of sight until gravity points down."""
        for camera in self._scene.camera:
            forward, up = np.array(camera.forward, np.float64), -gravity
            up = up - forward * (up @ forward)
            if (length := math.sqrt(up @ up)) > 0.0:
                camera.up[:] = up / length

    def close(self) -> None:
        """Release what GL holds."""
        self._gl.make_current()
        self._renderer.free()
        self._gl.free()
