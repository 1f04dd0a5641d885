"""The quadruped: Gymnasium's Ant MJCF at 60 Hz, several bodies side by side in one `mujoco.batch`.

Source: Najarro & Risi 2020, arXiv 2007.02686; observation, end of a lifetime and control rate are those of
PyBullet's AntBulletEnv-v0. The physics is MuJoCo's, not Bullet's: at the XML's gear of 150 a saturated random
policy throws the body on its back, at 20 it stays upright, so 20 is the default.

Front is +x. The reward is the torso's progress along +x (m) in a control step; the fitness is its sum. An
action is one number in [-1, 1] per motor, in the order of the XML's actuators: hip and ankle of front right,
front left, rear left, rear right (`hip_4 ankle_4 hip_1 ankle_1 hip_2 ankle_2 hip_3 ankle_3`). `done` is a
torso at or below 0.26 m.

| index | observation | range | unit |
|---|---|---|---|
| 0 | height of the torso minus its initial height (intact 0.55 m, before the burn-in) | [-5, 5] | m |
| 1, 2 | sine, cosine of the direction to the target at (1000 m, 0) minus the yaw | [-1, 1] | - |
| 3, 4, 5 | 0.3 * velocity of the torso, in the frame turned by the yaw | [-5, 5] | 0.3 m/s |
| 6, 7 | roll, pitch (Z-Y-X Euler angles) | [-pi, pi], [-pi/2, pi/2] | rad |
| 8 + 2j | position of joint j, the intact body's limits mapped to [-1, 1] | [-5, 5] | - |
| 9 + 2j | 0.1 * velocity of joint j | [-5, 5] | 0.1 rad/s |
| 24 to 27 | the foot touches: front left, front right, rear left, rear right | {0, 1} | - |

Joints j = 0..7 in the model's order: hip, ankle of front left (1), rear left (2), rear right (3), front right
(4). Contacts are one substep old, as all that MuJoCo derives from the state. A part that a body lacks senses 0 and
its action does nothing. Height and tilt are those relative to the floor, also where the ground slopes.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar, Final, Literal

from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.metrics import Metric
from hebbevo.envs.morphologies.anatomy import ANT, Anatomy
from hebbevo.envs.robots.config import WalkerConfig

PAPER_STEP: Final = 0.0165
"""Control step (s) by which the paper divides progress: its "distance" of 1051 is 17.3 m."""


def paper_distance(progress: float) -> float:
    """Return progress (m) in the paper's unit."""
    return progress / PAPER_STEP


class QuadrupedConfig(WalkerConfig):
    """The quadruped's settings; the defaults are ones that evolution works with."""

    metrics: ClassVar[Mapping[str, Metric]] = MappingProxyType(
        {"paper_distance": Metric(paper_distance, "paper's", f"progress divided by {PAPER_STEP} s")}
    )
    camera: ClassVar[CameraSpec | None] = CameraSpec("body", distance=4.2)
    anatomy: ClassVar[Anatomy] = ANT
    intact_body: ClassVar[str] = "hebbevo.envs.robots.ant:intact_ant"

    name: Literal["quadruped"] = "quadruped"
