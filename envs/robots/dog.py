"""The dog: a second quadruped of another build, twelve joints, upright legs under a trunk; every body fits it too.

Its body comes from `hebbevo.envs.robots.body_plan` and from no file: about 12 kg, 0.4 m of trunk, legs of 2 x 0.2 m.
Everything else is as in `hebbevo.envs.robots.quadruped`: 60 Hz, reward and fitness are progress along +x (m), an action
is one number in [-1, 1] per motor. Springs hold the stance, so that the action moves the joints about it like
the position servos of a robot. `done` is a trunk at or below 0.15 m; it stands at 0.3 m.

| index | observation | range | unit |
|---|---|---|---|
| 0 | height of the trunk minus its initial height (intact 0.33 m, before the burn-in) | [-5, 5] | m |
| 1, 2 | sine, cosine of the direction to the target at (1000 m, 0) minus the yaw | [-1, 1] | - |
| 3, 4, 5 | 0.3 * velocity of the trunk, in the frame turned by the yaw | [-5, 5] | 0.3 m/s |
| 6, 7 | roll, pitch (Z-Y-X Euler angles) | [-pi, pi], [-pi/2, pi/2] | rad |
| 8 + 2j | position of joint j, the intact body's limits mapped to [-1, 1] | [-5, 5] | - |
| 9 + 2j | 0.1 * velocity of joint j | [-5, 5] | 0.1 rad/s |
| 32 to 35 | the foot touches: front left, front right, rear left, rear right | {0, 1} | - |

Joints j = 0..11 and motors alike: abduction, hip, knee of front left, front right, rear left, rear right.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from hebbevo.envs.cameras import CameraSpec
from hebbevo.envs.morphologies.anatomy import DOG, Anatomy
from hebbevo.envs.robots.config import WalkerConfig


class DogConfig(WalkerConfig):
    """A dog-like quadruped with twelve joints; takes the same bodies as the quadruped."""

    camera: ClassVar[CameraSpec | None] = CameraSpec("body", distance=2.0)
    anatomy: ClassVar[Anatomy] = DOG
    intact_body: ClassVar[str] = "hebbevo.envs.robots.body_plan:intact_dog"

    name: Literal["dog"] = "dog"
