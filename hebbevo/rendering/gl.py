"""The OpenGL that MuJoCo draws with where there may be no display.

MuJoCo draws through EGL (a GPU, or Mesa) or OSMesa (Mesa, on the CPU) offscreen, through GLFW in a window of a
display, through CGL on macOS. One that cannot start may crash its process, so each is tried in a subprocess first.
Source: MuJoCo, "Programming", section Visualization.
"""

from __future__ import annotations

import os
import subprocess
import sys
from functools import cache

from hebbevo.errors import InputError

_KNOWN = ("egl", "osmesa", "glfw", "cgl")
_TRIAL = """
import importlib, os, sys, mujoco
context = importlib.import_module("mujoco." + sys.argv[1]).GLContext(64, 64)
context.make_current()
mujoco.MjrContext(mujoco.MjModel.from_xml_string("<mujoco/>"), mujoco.mjtFontScale.mjFONTSCALE_100)
os._exit(0)
"""
_TRIAL_SECONDS = 60


@cache
def find_gl() -> str:
    """Return the first OpenGL that works here: the name of a module of `mujoco` with a `GLContext`.

    The environment variable MUJOCO_GL, where it names one, leaves no choice.

    Raises:
        InputError: there is none; the line says which package to install.
    """
    asked = os.environ.get("MUJOCO_GL", "").lower().strip()
    candidates = (asked,) if asked in _KNOWN else _candidates()
    for name in candidates:
        if works(name):
            return name
    tried = ", ".join(candidates)
    raise InputError(
        f"cannot draw: no GL works here (tried {tried}); install OSMesa or EGL, on Debian and Ubuntu with "
        "`apt install libosmesa6` or, with a GPU, `apt install libegl1`"
        + (f"; MUJOCO_GL={asked} allows no other" if asked in _KNOWN else "")
    )


def _candidates() -> tuple[str, ...]:
    if sys.platform == "darwin":
        return ("cgl", "glfw")
    if sys.platform == "win32":
        return ("glfw",)
    return ("egl", "osmesa", *(("glfw",) if os.environ.get("DISPLAY") else ()))


def works(name: str) -> bool:
    """Tell whether an OpenGL works: a context is made in a subprocess, which may crash."""
    command = [sys.executable, "-P", "-c", _TRIAL, name]
    # the interpreter of the trial finds the packages of this one
    paths = os.pathsep.join(path for path in sys.path if path)
    environment = {**os.environ, "MUJOCO_GL": name, "PYTHONPATH": paths}
    try:
        trial = subprocess.run(
            command, env=environment, capture_output=True, check=False, timeout=_TRIAL_SECONDS
        )
    except subprocess.TimeoutExpired:
        return False
    return trial.returncode == 0
