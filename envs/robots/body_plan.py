"""A four-legged body from a few numbers: trunk, three joints a leg, springs that hold the stance, a floor.

Each leg hangs from a corner of the trunk by an abduction joint (about x), then a hip and a knee (about y);
every link is a capsule. A joint's spring pulls to its stance and carries the body, so that a motor of constant
torque works as the position servo of a robot: at action a, unloaded, it rests gear * a / stiffness from the stance.
Front is +x, left is +y. Segment and joint names are those of `hebbevo.envs.morphologies.anatomy.DOG`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from hebbevo.envs.morphologies.anatomy import CORNERS, DOG
from hebbevo.envs.morphologies.edits import POSE
from hebbevo.envs.physics import mujoco

JOINTS = ("abduction", "hip", "knee")
_AXES = {"abduction": (1, 0, 0), "hip": (0, 1, 0), "knee": (0, 1, 0)}
_BODY, _LIMB = (0.5, 0.45, 0.4, 1), (0.75, 0.65, 0.5, 1)


@dataclass(frozen=True)
class BodyPlan:
    """Measures of a body: metres, kilograms, radians, N m.

    Attributes:
        trunk: half lengths of the trunk along x, y, z.
        trunk_density: kg / m^3; `limb_density` likewise.
        shoulder: length of the link from the trunk sideways to the hip.
        upper, lower: lengths of the leg's segments; the lower one ends in the foot.
        radii: of the capsules of shoulder, upper, lower.
        stance: angles of abduction, hip and knee in which the springs are at rest; 0 is a straight leg downwards.
        reach: how far each joint turns from its stance, to either side.
        stiffness: of the springs, N m / rad.
        damping: of every joint, N m s / rad.
        armature: inertia of a motor seen at its joint, kg m^2.
    """

    trunk: tuple[float, float, float] = (0.2, 0.09, 0.055)
    trunk_density: float = 800.0
    limb_density: float = 1200.0
    shoulder: float = 0.08
    upper: float = 0.2
    lower: float = 0.2
    radii: tuple[float, float, float] = (0.035, 0.025, 0.02)
    stance: tuple[float, float, float] = (0.0, 0.7, -1.4)
    reach: tuple[float, float, float] = (0.5, 0.9, 0.9)
    stiffness: float = 60.0
    damping: float = 2.0
    armature: float = 0.02
    margin: float = 0.005
    """Contacts begin at this distance (m) of a geom."""

    @property
    def stance_height(self) -> float:
        """Height of the trunk's middle when the unloaded body stands (m)."""
        _, hip, knee = self.stance
        return self.upper * math.cos(hip) + self.lower * math.cos(hip + knee) + self.radii[2]

    def spec(self, gear: float) -> mujoco.MjSpec:
        """Return the body on an endless floor, motors of torque `gear` (N m at action 1)."""
        spec = mujoco.MjSpec()
        spec.modelname = DOG.name
        spec.compiler.degree = False
        _add_scenery(spec)
        self._add_floor(spec)
        torso = spec.worldbody.add_body(name="torso", pos=[0, 0, self.stance_height])
        torso.add_freejoint(name="root")
        self._add_geom(torso, "torso_geom", mujoco.mjtGeom.mjGEOM_BOX, size=self.trunk, rgba=_BODY)
        for corner in CORNERS:
            self._add_leg(spec, torso, corner, gear)
        pose = [0, 0, self.stance_height, 1, 0, 0, 0, *(self.stance * len(CORNERS))]
        spec.add_numeric(name=POSE, data=pose, size=len(pose))
        return spec

    def _add_floor(self, spec: mujoco.MjSpec) -> None:
        floor = spec.worldbody.add_geom(name="floor", type=mujoco.mjtGeom.mjGEOM_PLANE, size=[40, 40, 40])
        floor.conaffinity, floor.margin, floor.material = 1, self.margin, "ground"

    def _add_leg(self, spec: mujoco.MjSpec, torso: mujoco.MjsBody, corner: str, gear: float) -> None:
        """Chain the three links of a leg, each with its joint and motor."""
        end, side = (1 if corner.startswith("front") else -1), (1 if corner.endswith("left") else -1)
        ends = ((0.0, side * self.shoulder, 0.0), (0.0, 0.0, -self.upper), (0.0, 0.0, -self.lower))
        parent, position = torso, (end * self.trunk[0], side * self.trunk[1], 0.0)
        for link, (name, far) in enumerate(zip(JOINTS, ends, strict=True)):
            segment = DOG.legs[corner].segment(("shoulder", "upper", "lower")[link])
            body = parent.add_body(name=segment.geom, pos=position)
            self._add_joint(body, f"{corner}_{name}", link)
            self._add_geom(
                body,
                segment.geom,
                mujoco.mjtGeom.mjGEOM_CAPSULE,
                size=[self.radii[link], 0, 0],
                fromto=[0, 0, 0, *far],
                rgba=_LIMB,
            )
            motor = spec.add_actuator(name=f"{corner}_{name}", target=f"{corner}_{name}")
            motor.trntype, motor.gear = mujoco.mjtTrn.mjTRN_JOINT, [gear, 0, 0, 0, 0, 0]
            motor.ctrllimited, motor.ctrlrange = True, [-1, 1]
            parent, position = body, far

    def _add_joint(self, body: mujoco.MjsBody, name: str, link: int) -> None:
        stance, reach = self.stance[link], self.reach[link]
        joint = body.add_joint(name=name, type=mujoco.mjtJoint.mjJNT_HINGE, axis=_AXES[JOINTS[link]])
        joint.limited, joint.range = True, [stance - reach, stance + reach]
        joint.stiffness, joint.springref = [self.stiffness, 0, 0], stance
        joint.damping, joint.armature = [self.damping, 0, 0], self.armature

    def _add_geom(self, body: mujoco.MjsBody, name: str, kind: mujoco.mjtGeom, **shape: object) -> None:
        """Add a geom that touches the floor and nothing else."""
        geom = body.add_geom(name=name, type=kind, **shape)
        geom.density = self.trunk_density if kind == mujoco.mjtGeom.mjGEOM_BOX else self.limb_density
        geom.conaffinity, geom.condim, geom.margin = 0, 3, self.margin


def intact_dog(gear: float) -> mujoco.MjSpec:
    """Return the dog with motors of torque `gear` (N m at action 1)."""
    return BodyPlan().spec(gear)


def _add_scenery(spec: mujoco.MjSpec) -> None:
    """Add a light, a sky and a ground of 0.5 m squares; nothing of it touches physics."""
    spec.worldbody.add_light(pos=[0, 0, 3], dir=[0, 0, -1], type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL)
    sky = spec.add_texture(name="sky", type=mujoco.mjtTexture.mjTEXTURE_SKYBOX, width=32, height=192)
    sky.builtin, sky.rgb1, sky.rgb2 = mujoco.mjtBuiltin.mjBUILTIN_GRADIENT, [0.9, 0.95, 1], [0.4, 0.5, 0.6]
    squares = spec.add_texture(name="squares", type=mujoco.mjtTexture.mjTEXTURE_2D, width=64, height=64)
    squares.builtin, squares.rgb1, squares.rgb2 = (
        mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        [0.8, 0.9, 0.8],
        [0.6, 0.7, 0.6],
    )
    ground = spec.add_material(name="ground", texrepeat=[1, 1], texuniform=True)
    ground.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = "squares"
