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

import mujoco
from pydantic import Field

from hebbevo.envs.morphologies.anatomy import DOG, Anatomy
from hebbevo.envs.morphologies.catalogue import get_morphology
from hebbevo.envs.robots.body import compile_body
from hebbevo.envs.robots.body_plan import BodyPlan
from hebbevo.envs.robots.walker import Integrator, WalkerConfig


class DogConfig(WalkerConfig):
    """A dog-like quadruped with twelve joints; takes the same bodies as the quadruped."""

    anatomy: ClassVar[Anatomy] = DOG

    name: Literal["dog"] = "dog"
    gear: float = Field(default=20.0, gt=0, description="torque of a motor at action 1, N m")

    def compile(self, morphology: str) -> mujoco.MjModel:
        """Compile a body with these settings; `EnvError` if there is no such morphology."""
        return compile_dog(morphology, gear=self.gear, integrator=self.integrator, timestep=self.timestep)


def compile_dog(
    morphology: str,
    *,
    gear: float = 20.0,
    integrator: Integrator = "implicitfast",
    timestep: float = 0.00825,
    trim: bool = True,
) -> mujoco.MjModel:
    """Compile the dog's body `morphology`; arguments as in `hebbevo.envs.robots.quadruped.compile_model`."""
    body = get_morphology(morphology)
    spec = BodyPlan().spec(gear)
    spec.option.timestep = timestep
    spec.option.integrator = getattr(mujoco.mjtIntegrator, f"mjINT_{integrator.upper()}")
    return compile_body(spec, body, trim)
