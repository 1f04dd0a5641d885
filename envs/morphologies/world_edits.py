"""Edits of the world that a body walks in: friction of the floor, gravity, slope.

The floor stays the plane z = 0; a slope is gravity that leans. An endless plane and a leaning gravity are a
tilted plane seen in its own frame, so that heights, foot contacts and tilt are those relative to the floor, and
progress is measured along it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hebbevo.envs.morphologies.edits import check_range, moving_geoms

if TYPE_CHECKING:
    from hebbevo.envs.physics import mujoco


@dataclass(frozen=True)
class ScaleFriction:
    """Scale the friction of the floor, which from then on decides alone (of two geoms the rougher would)."""

    factor: float

    def __post_init__(self) -> None:
        check_range(self, "factor", 0.05, 5)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Scale sliding, torsional and rolling friction of all that the world is made of, and raise its priority."""
        for ground in spec.worldbody.geoms:
            ground.friction = [self.factor * friction for friction in ground.friction]
            ground.priority = max(1, 1 + max(geom.priority for geom in moving_geoms(spec)))


@dataclass(frozen=True)
class ScaleGravity:
    """Scale gravity."""

    factor: float

    def __post_init__(self) -> None:
        check_range(self, "factor", 0.1, 3)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Scale the vector, which may lean already."""
        spec.option.gravity = [self.factor * component for component in spec.option.gravity]


@dataclass(frozen=True)
class Slope:
    """Let the ground rise by `degrees` in the direction `heading` (degrees from +x, 90 is +y)."""

    degrees: float
    heading: float = 0.0

    def __post_init__(self) -> None:
        check_range(self, "degrees", -30, 30)
        check_range(self, "heading", -180, 180)

    def apply(self, spec: mujoco.MjSpec) -> None:
        """Turn gravity: seen from a floor that rises ahead, down points backwards."""
        import numpy as np

        from hebbevo.envs.physics import mujoco

        heading = math.radians(self.heading)
        across = np.array([-math.sin(heading), math.cos(heading), 0.0])  # the axis that the floor tilts about
        turn, leaning = np.empty(4), np.empty(3)
        mujoco.mju_axisAngle2Quat(turn, across, math.radians(self.degrees))
        mujoco.mju_rotVecQuat(leaning, np.asarray(spec.option.gravity, np.float64), turn)
        spec.option.gravity = leaning
