"""The robot in a checked document: its root, torso, joints, motors, feet and sensors, found or named by the user."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import count
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hebbevo.envs.mjcf.document import read_document
from hebbevo.envs.morphologies.anatomy import Anatomy, add_anatomy
from hebbevo.envs.morphologies.catalogue import Morphology
from hebbevo.envs.morphologies.damages import bodies_of_any_robot
from hebbevo.envs.morphologies.edits import POSE
from hebbevo.envs.physics import FAILURES, mujoco, one_line
from hebbevo.errors import EnvError, unknown

Floats = npt.NDArray[np.float64]

OWN: Final = "hebbevo_"
"""What the names of parts begin with that hebbevo adds."""
TORSO_SENSORS: Final = (f"{OWN}torso_position", f"{OWN}torso_quaternion", f"{OWN}torso_velocity")
"""Names of what observes a torso that is not free."""
LONGEST_STEP: Final = 0.1
SHORTEST_STEP: Final = 1e-5
_MOST_JOINTS: Final = 200
_FOOT: Final = f"{OWN}foot_"
_KINDS: Final = mujoco.mjtJoint


@dataclass(frozen=True, eq=False)
class Robot:
    """A robot and where its parts are.

    Attributes:
        spec: as the file has it, every part with a name, the initial pose in the numeric `POSE`, sensors added.
        model: compiled from it.
        anatomy: names of torso and joints.
        motors: names of the actuators, in the order of an action.
        controls: ``(A, 3)``: the control at action 0, and what is added at action 1 and at -1.
        feet: names of geoms or bodies.
        free: whether the torso is the free root, whose state says all.
    """

    spec: mujoco.MjSpec
    model: mujoco.MjModel
    anatomy: Anatomy
    motors: tuple[str, ...]
    controls: Floats
    feet: tuple[str, ...]
    free: bool

    @property
    def falls(self) -> bool:
        """Whether nothing is below the free robot, as in a file whose floor stands in another, that of its scene."""
        of_world = self.model.geom_bodyid == 0
        touched = self.model.geom_contype[of_world] | self.model.geom_conaffinity[of_world]
        return self.free and bool(self.model.opt.gravity.any()) and not touched.any()

    @cached_property
    def sensors(self) -> Mapping[str, tuple[int, float]]:
        """The robot's own sensors: how many numbers, and what each is multiplied by, 1 / cutoff where it has one."""
        found = {}
        for index in range(self.model.nsensor):
            name, cutoff = self.model.sensor(index).name, float(self.model.sensor_cutoff[index])
            if not name.startswith(OWN):
                found[name] = int(self.model.sensor_dim[index]), 1 / cutoff if cutoff > 0 else 1.0
        return found

    @property
    def scalars(self) -> tuple[str, ...]:
        """Sensors of one number, which rewards and ends can name."""
        return tuple(name for name, (size, _) in self.sensors.items() if size == 1)

    @cached_property
    def bodies(self) -> dict[str, Morphology]:
        """The bodies that fit the robot, by name."""
        model, torso = self.model, self.anatomy.torso
        joints = self.anatomy.sensed_joints
        driven = [motor.target for motor in self.spec.actuators if motor.target in joints]
        root = int(model.body_rootid[model.body(torso).id])
        bodies = [
            body.name for body in self.spec.bodies if body.name not in ("world", torso) and body.id != root
        ]
        long = (mujoco.mjtGeom.mjGEOM_CAPSULE, mujoco.mjtGeom.mjGEOM_CYLINDER)
        geoms = [geom.name for geom in self.spec.geoms if geom.type in long and geom.parent.name in bodies]
        return bodies_of_any_robot(dict.fromkeys(driven), joints, bodies, geoms)

    @property
    def timestep(self) -> float:
        """Seconds of a physics step, as the file has it."""
        return float(self.model.opt.timestep)

    @property
    def extent(self) -> tuple[float, float]:
        """Diagonal of the box around the robot in its initial pose, and the height of its middle (m)."""
        pose, data = self.model.numeric(POSE).data, mujoco.MjData(self.model)
        data.qpos[:] = pose
        mujoco.mj_kinematics(self.model, data)
        moving = self.model.geom_bodyid > 0
        if not moving.any():
            return 1.0, 0.0
        middles, radii = data.geom_xpos[moving], self.model.geom_rbound[moving, None]
        low, high = (middles - radii).min(axis=0), (middles + radii).max(axis=0)
        return float(np.linalg.norm(high - low)), float(low[2] + high[2]) / 2


@lru_cache(maxsize=32)
def read_robot(
    text: str, packed: tuple[tuple[str, str], ...], torso: str | None, feet: tuple[str, ...] | None
) -> Robot:
    """Return the robot of a text and its assets; see `hebbevo.envs.mjcf.document`.

    Args:
        text: MJCF.
        packed: assets by name.
        torso: name of a body; None finds one.
        feet: names of geoms or bodies; None finds them.

    Raises:
        EnvError: MuJoCo cannot simulate it, or a part cannot be found; one line.
    """
    document = read_document(text, dict(packed))
    key = hashlib.sha256(repr((text, packed, torso, feet)).encode()).hexdigest()[:12]
    try:
        spec = mujoco.MjSpec.from_string(document.text, assets=dict(document.assets))
        return _robot(spec, f"{spec.modelname or 'robot'}-{key}", torso, feet)
    except EnvError:
        raise
    except FAILURES as error:
        raise EnvError(f"MuJoCo cannot read this robot: {one_line(error)}") from None


def _robot(spec: mujoco.MjSpec, name: str, torso: str | None, feet: tuple[str, ...] | None) -> Robot:
    _name_parts(spec)
    model = spec.compile()
    _check_model(model)
    root = _root_of(model, torso)
    body = torso or (model.body(root).name if "torso" not in _names(model, "body") else "torso")
    free = body == model.body(root).name and _is_free(model, root)
    pose, control = _initial(model)
    sensed = _sensed_joints(model, root)
    found = _feet(model, root, body, pose) if feet is None else feet
    _put_pose(spec, pose)
    _add_sensors(spec, model, found, None if free else body)
    size, height = _load(model, body)
    anatomy = Anatomy(
        name,
        MappingProxyType({}),
        sensed,
        (),
        fallen_height=-np.inf,
        load_size=size,
        load_height=height,
        torso=body,
        root_size=model.nq - len(sensed),
    )
    spec.modelname = name
    add_anatomy(anatomy)
    return Robot(
        spec, spec.compile(), anatomy, _names(model, "actuator"), _controls(model, control), found, free
    )


def _names(model: mujoco.MjModel, kind: str) -> tuple[str, ...]:
    size = {"body": model.nbody, "joint": model.njnt, "geom": model.ngeom, "actuator": model.nu}[kind]
    return tuple(getattr(model, kind)(index).name for index in range(size))


def _name_parts(spec: mujoco.MjSpec) -> None:
    """Give every part a name."""
    for kind, elements in (
        ("geom", spec.geoms),
        ("body", spec.bodies),
        ("joint", spec.joints),
        ("motor", spec.actuators),
        ("sensor", spec.sensors),
    ):
        taken = {element.name for element in elements}
        for element in elements:
            if not element.name:
                element.name = _unused(_stem(kind, element), taken)
                taken.add(element.name)
            elif element.name.startswith(OWN):
                raise EnvError(f"{kind} {element.name[:60]!r}: names with {OWN!r} are taken; rename it")


def _stem(kind: str, element: Any) -> str:
    """Return what an element without a name is called after: a geom after its body, a body after its first geom."""
    if kind == "geom" and element.parent.name not in ("", "world"):
        return str(element.parent.name)
    if kind == "body" and element.geoms:
        return str(element.geoms[0].name)
    return str(element.target) if kind == "motor" and element.target else kind


def _unused(stem: str, taken: Set[str]) -> str:
    """Return a name that is not taken: the stem, else the stem with a number."""
    if stem not in taken:
        return stem
    return next(name for number in count(2) if (name := f"{stem}_{number}") not in taken)


def _check_model(model: mujoco.MjModel) -> None:
    """Refuse what cannot be sensed or driven."""
    step = float(model.opt.timestep)
    if not SHORTEST_STEP <= step <= LONGEST_STEP:
        raise EnvError(f"option timestep must be from {SHORTEST_STEP} to {LONGEST_STEP} s, got {step:g}")
    if model.opt.enableflags & mujoco.mjtEnableBit.mjENBL_SLEEP:
        raise EnvError("option flag sleep cannot be stepped in a batch; leave it out")
    if model.nu == 0:
        raise EnvError("the robot has no <actuator>, so that no action moves it; add a motor per joint")
    if max(model.njnt, model.nu) > _MOST_JOINTS:
        raise EnvError(
            f"a robot has at most {_MOST_JOINTS} joints and as many motors, got {model.njnt}, {model.nu}"
        )
    for joint in range(model.njnt):
        if model.jnt_type[joint] == _KINDS.mjJNT_BALL:
            raise EnvError(
                f"joint {model.joint(joint).name!r} is a ball, which has no angle; write three hinges"
            )


def _root_of(model: mujoco.MjModel, torso: str | None) -> int:
    """Return the body that the robot hangs on the world by."""
    if torso is not None:
        if torso not in _names(model, "body")[1:]:
            raise EnvError(f"env.torso: {unknown('body', torso, _names(model, 'body')[1:])}")
        return int(model.body_rootid[model.body(torso).id])
    tops = [body for body in range(1, model.nbody) if model.body_parentid[body] == 0]
    free = [body for body in tops if _is_free(model, body)]
    jointed = [body for body in tops if body in set(model.body_rootid[model.jnt_bodyid].tolist())]
    if not jointed:
        raise EnvError("the robot has no <joint>: nothing of it moves")
    return (free or jointed)[0]


def _is_free(model: mujoco.MjModel, body: int) -> bool:
    first = model.body_jntadr[body]
    return bool(first >= 0 and model.jnt_type[first] == _KINDS.mjJNT_FREE)


def _sensed_joints(model: mujoco.MjModel, root: int) -> tuple[str, ...]:
    """Return the names of all joints but those by which the root moves in the world."""
    kinds = model.jnt_type[model.jnt_bodyid == root]
    moves = bool(np.isin(kinds, (_KINDS.mjJNT_FREE, _KINDS.mjJNT_SLIDE)).any())
    sensed = [j for j in range(model.njnt) if not (moves and model.jnt_bodyid[j] == root)]
    loose = [j for j in sensed if model.jnt_type[j] == _KINDS.mjJNT_FREE]
    if loose or sensed != list(range(model.njnt - len(sensed), model.njnt)):
        name = model.body(model.jnt_bodyid[(loose or sensed)[0]]).name
        raise EnvError(f"body {name!r} moves by itself beside the robot; leave it out")
    return tuple(model.joint(j).name for j in sensed)


def _initial(model: mujoco.MjModel) -> tuple[Floats, Floats]:
    """Return the initial pose and control: of the numeric `POSE`, a keyframe, or at rest."""
    named = [index for index in range(model.nnumeric) if model.numeric(index).name == POSE]
    control = model.key_ctrl[0].copy() if model.nkey else np.zeros(model.nu)
    if named:
        pose = np.array(model.numeric(POSE).data)
        if len(pose) != model.nq:
            raise EnvError(f"numeric {POSE!r} has {len(pose)} numbers; a pose of this robot has {model.nq}")
        return pose, control
    return np.array(model.key_qpos[0] if model.nkey else model.qpos0), control


def _put_pose(spec: mujoco.MjSpec, pose: Floats) -> None:
    """Keep the initial pose in the numeric, and no keyframes, which damage would leave with the wrong length."""
    for key in list(spec.keys):
        spec.delete(key)
    numeric = spec.numeric(POSE) or spec.add_numeric(name=POSE)
    numeric.data, numeric.size = pose, len(pose)


def _feet(model: mujoco.MjModel, root: int, torso: str, pose: Floats) -> tuple[str, ...]:
    """Return the ends of limbs that are nearer to the floor than to the torso in the initial pose."""
    data = mujoco.MjData(model)
    data.qpos[:] = pose
    mujoco.mj_kinematics(model, data)
    half, parents = data.xpos[model.body(torso).id, 2] / 2, set(model.body_parentid.tolist())
    lowest: dict[int, float] = {}
    for geom in range(model.ngeom):
        body = int(model.geom_bodyid[geom])
        touches = model.geom_contype[geom] or model.geom_conaffinity[geom]
        if touches and body not in parents and body != root and model.body_rootid[body] == root:
            end = float(data.geom_xpos[geom, 2] - model.geom_rbound[geom])
            lowest[body] = min(lowest.get(body, np.inf), end)
    return tuple(model.body(body).name for body, height in sorted(lowest.items()) if height < half)


def _add_sensors(spec: mujoco.MjSpec, model: mujoco.MjModel, feet: Iterable[str], torso: str | None) -> None:
    kinds, objects = mujoco.mjtSensor, mujoco.mjtObj
    for name, kind in (
        zip(
            TORSO_SENSORS,
            (kinds.mjSENS_FRAMEPOS, kinds.mjSENS_FRAMEQUAT, kinds.mjSENS_FRAMELINVEL),
            strict=True,
        )
        if torso
        else ()
    ):
        spec.add_sensor(name=name, type=kind, objtype=objects.mjOBJ_XBODY, objname=torso)
    geoms, bodies = _names(model, "geom"), _names(model, "body")
    for foot in feet:
        if foot not in geoms and foot not in bodies:
            raise EnvError(f"env.feet: {unknown('geom or body', foot, (*geoms, *bodies[1:]))}")
        kind = objects.mjOBJ_GEOM if foot in geoms else objects.mjOBJ_BODY
        sensor = spec.add_sensor(
            name=foot_sensor(foot), type=kinds.mjSENS_CONTACT, objtype=kind, objname=foot
        )
        sensor.intprm[0], sensor.intprm[2] = 1, 1  # how many contacts were found; of one


def foot_sensor(foot: str) -> str:
    """Return the name of the sensor of a foot's contacts."""
    return f"{_FOOT}{foot}"


def _controls(model: mujoco.MjModel, control: Floats) -> Floats:
    """Return ``(A, 3)``: actions go from an actuator's lower bound over its first control to its upper bound."""
    rows = np.empty((model.nu, 3))
    for motor in range(model.nu):
        if model.actuator_ctrllimited[motor]:
            low, high = model.actuator_ctrlrange[motor]
            middle = (
                float(np.clip(control[motor], low, high)) if low < control[motor] < high else (low + high) / 2
            )
            rows[motor] = middle, high - middle, middle - low
        else:
            rows[motor] = control[motor], 1.0, 1.0
    return rows


def _load(model: mujoco.MjModel, torso: str) -> tuple[tuple[float, float, float], float]:
    """Return half lengths of a box that the torso carries, and the height of its middle above the torso's origin."""
    geoms = np.flatnonzero(model.geom_bodyid == model.body(torso).id)
    radii = model.geom_rbound[geoms]
    radius = float(radii.max()) if len(radii) else 0.1
    return (0.6 * radius, 0.6 * radius, 0.3 * radius), 1.2 * radius
