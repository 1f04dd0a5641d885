"""The intact ant: the MJCF file of the installed Gymnasium, with motors of another torque."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from hebbevo.envs.physics import mujoco
from hebbevo.errors import EnvError


def intact_ant(gear: float) -> mujoco.MjSpec:
    """Return the ant with motors of torque `gear` (N m at action 1).

    Raises:
        EnvError: no ant in the installed Gymnasium.
    """
    spec = mujoco.MjSpec.from_file(str(_ant_path()))
    for motor in spec.actuators:
        motor.gear = [gear, 0, 0, 0, 0, 0]
    return spec


def _ant_path() -> Path:
    """Return the file of the ant in the installed Gymnasium, without importing its environments."""
    package = importlib.util.find_spec("gymnasium")
    if package is None or not package.submodule_search_locations:
        raise EnvError(
            "the quadruped needs Gymnasium's Ant, but gymnasium is not installed; pip install gymnasium"
        )
    path = Path(package.submodule_search_locations[0]) / "envs" / "mujoco" / "assets" / "ant.xml"
    if not path.is_file():
        raise EnvError(f"the installed gymnasium has no {path}; install gymnasium>=1.4")
    return path
