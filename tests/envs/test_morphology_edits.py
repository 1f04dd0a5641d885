"""Every edit does to the compiled model what it says, and nothing else: checked field by field in the model."""

import math
from functools import partial

import mujoco
import numpy as np
import pytest

from hebbevo.envs import MORPHOLOGIES, DogConfig, Morphology, QuadrupedConfig, compile_model
from hebbevo.envs.morphologies.anatomy import ANATOMIES, CORNERS
from hebbevo.envs.morphologies.edits import (
    LockJoint,
    Payload,
    RemoveSegment,
    ScaleLegs,
    ScaleMass,
    ScaleMotor,
    ScaleRange,
    ScaleSegment,
)
from hebbevo.envs.morphologies.world_edits import ScaleFriction, ScaleGravity, Slope
from hebbevo.errors import EnvError

COMPILE = {"ant": partial(compile_model, "quadruped"), "dog": partial(compile_model, "dog")}
CONFIG = {"ant": QuadrupedConfig, "dog": DogConfig}

INERTIA = ("body_mass", "body_inertia", "body_subtreemass", "body_ipos", "body_iquat")
FOLLOWS = (
    *INERTIA,
    *("_invweight0", "_meaninertia", "body_rbound", "geom_rbound", "bvh_", "oct_", "qpos0"),
    *("actuator_acc0", "dof_M0", "dof_length", "poscom0"),
)
"""What MuJoCo derives from shapes and masses."""


@pytest.fixture(params=["ant", "dog"])
def build(request):
    return request.param


@pytest.fixture
def edited(build, monkeypatch):
    """Compile a body with these edits, untrimmed; without edits, the intact one."""

    def compile_edits(*edits):
        monkeypatch.setitem(MORPHOLOGIES, "edited", Morphology("edited", "", edits))
        return COMPILE[build]("edited", trim=False)

    return compile_edits


def differing(one, other):
    """Names of the array fields in which two models of one layout differ, `opt.` fields among them."""
    fields = {name: getattr(one, name) for name in dir(one) if isinstance(getattr(one, name), np.ndarray)}
    options = {name: getattr(one.opt, name) for name in ("gravity", "timestep", "integrator", "disableflags")}
    different = {name for name, value in fields.items() if not np.array_equal(value, getattr(other, name))}
    different |= {
        f"opt.{name}" for name, value in options.items() if np.any(value != getattr(other.opt, name))
    }
    return {name for name in different if not any(part in name for part in FOLLOWS)}


def rows_that_differ(one, other, field):
    return np.flatnonzero(
        (getattr(one, field) != getattr(other, field)).reshape(len(getattr(one, field)), -1).any(1)
    )


def part(build, model, leg, segment):
    """Ids of a segment's geom, body and joint."""
    names = ANATOMIES[build].legs[leg].segment(segment)
    geom = model.geom(names.geom).id
    return geom, model.geom_bodyid[geom], None if names.joint is None else model.joint(names.joint).id


@pytest.mark.parametrize("leg", CORNERS)
@pytest.mark.parametrize("segment", ["shoulder", "upper", "lower"])
def test_a_scaled_segment_is_longer_and_moves_what_hangs_on_it(build, edited, leg, segment):
    intact, body = edited(), edited(ScaleSegment(leg, segment, 0.5))
    geom, link, _ = part(build, intact, leg, segment)
    children = np.flatnonzero(intact.body_parentid == link)
    np.testing.assert_array_equal(rows_that_differ(intact, body, "geom_size"), [geom])
    assert body.geom_size[geom, 1] == pytest.approx(intact.geom_size[geom, 1] / 2)
    assert body.geom_size[geom, 0] == intact.geom_size[geom, 0]
    np.testing.assert_allclose(body.geom_pos[geom], intact.geom_pos[geom] / 2, atol=1e-15)
    np.testing.assert_array_equal(rows_that_differ(intact, body, "body_pos"), children)
    np.testing.assert_allclose(body.body_pos[children], intact.body_pos[children] / 2, atol=1e-15)
    np.testing.assert_array_equal(rows_that_differ(intact, body, "body_mass"), [link])
    radius, half = intact.geom_size[geom, :2]
    volume = [math.pi * radius**2 * (2 * length + 4 / 3 * radius) for length in (half, half / 2)]
    assert body.body_mass[link] / intact.body_mass[link] == pytest.approx(volume[1] / volume[0])
    assert differing(intact, body) <= {"geom_size", "geom_pos", "geom_aabb", "body_pos", "numeric_data"}


@pytest.mark.parametrize("leg", CORNERS)
def test_a_removed_segment_takes_joint_and_motor_with_it(build, edited, leg):
    intact, body = edited(), edited(RemoveSegment(leg, "upper"))
    lost = [ANATOMIES[build].legs[leg].segment(segment) for segment in ("upper", "lower")]
    assert body.njnt == intact.njnt - 2
    assert body.nu == intact.nu - 2
    assert body.ngeom == intact.ngeom - 2
    for segment in lost:
        with pytest.raises(KeyError):
            body.geom(segment.geom)
        with pytest.raises(KeyError):
            body.joint(segment.joint)
    names = [body.joint(joint).name for joint in range(body.njnt)]
    for name in names[1:]:
        pose, place = intact.numeric("init_qpos").data, intact.joint(name).qposadr[0]
        assert body.numeric("init_qpos").data[body.joint(name).qposadr[0]] == pose[place]
        np.testing.assert_array_equal(body.joint(name).range, intact.joint(name).range)
    missing = intact.body_mass.sum() - body.body_mass.sum()
    assert missing == pytest.approx(
        sum(intact.body_mass[intact.geom_bodyid[intact.geom(segment.geom).id]] for segment in lost)
    )


def test_leg_lengths_multiply(build, edited):
    intact, body = edited(), edited(ScaleLegs(front=1.2, left=0.5))
    for leg, factor in (("front_left", 0.6), ("front_right", 1.2), ("rear_left", 0.5), ("rear_right", 1)):
        for segment, scale in (("shoulder", 1), ("upper", factor), ("lower", factor)):
            geom, _, _ = part(build, intact, leg, segment)
            assert body.geom_size[geom, 1] == pytest.approx(scale * intact.geom_size[geom, 1])
    geom = part(build, intact, "front_left", "lower")[0]
    twice = edited(ScaleLegs(front=1.2), ScaleSegment("front_left", "lower", 0.5))
    assert twice.geom_size[geom, 1] == pytest.approx(body.geom_size[geom, 1])


@pytest.mark.parametrize("leg", CORNERS)
def test_a_locked_joint_stays_at_its_angle_at_birth(build, edited, leg):
    intact, body = edited(), edited(LockJoint(leg, "lower"))
    _, _, joint = part(build, intact, leg, "lower")
    angle = intact.numeric("init_qpos").data[intact.jnt_qposadr[joint]]
    np.testing.assert_allclose(body.jnt_range[joint], np.radians([-1, 1]) + angle)
    np.testing.assert_array_equal(rows_that_differ(intact, body, "jnt_range"), [joint])
    assert differing(intact, body) == {"jnt_range"}
    config = CONFIG[build](morphologies=("edited",), reset_noise=1.0)
    batch = config.build(4)
    batch.reset(range(4), ["edited"] * 4)
    actions = np.ones((4, batch.action_size), np.float32)
    for _ in range(60):
        batch.step(actions, np.arange(4))
        assert np.abs(batch.positions[:, intact.jnt_qposadr[joint]] - angle).max() < math.radians(5)


@pytest.mark.parametrize("factor", [0.5, 1.5])
def test_a_loosened_joint_turns_further_about_the_same_middle(build, edited, factor):
    intact, body = edited(), edited(ScaleRange("rear_left", "upper", factor))
    _, _, joint = part(build, intact, "rear_left", "upper")
    assert body.jnt_range[joint].mean() == pytest.approx(intact.jnt_range[joint].mean(), abs=1e-12)
    assert np.ptp(body.jnt_range[joint]) == pytest.approx(factor * np.ptp(intact.jnt_range[joint]))
    np.testing.assert_array_equal(rows_that_differ(intact, body, "jnt_range"), [joint])
    assert differing(intact, body) == {"jnt_range"}


@pytest.mark.parametrize("factor", [0.0, 0.4])
def test_a_weak_motor_is_the_one_named(build, edited, factor):
    intact, body = edited(), edited(ScaleMotor("front_right", "lower", factor))
    _, _, joint = part(build, intact, "front_right", "lower")
    motor = np.flatnonzero(intact.actuator_trnid[:, 0] == joint)
    np.testing.assert_array_equal(rows_that_differ(intact, body, "actuator_gear"), motor)
    assert body.actuator_gear[motor, 0] == pytest.approx(factor * intact.actuator_gear[motor, 0])
    assert differing(intact, body) == {"actuator_gear"}


def test_mass_and_inertia_scale_together(build, edited):
    intact, body = edited(), edited(ScaleMass(1.7))
    np.testing.assert_allclose(body.body_mass, 1.7 * intact.body_mass)
    np.testing.assert_allclose(body.body_inertia, 1.7 * intact.body_inertia)
    assert differing(intact, body) == set()


def test_a_payload_weighs_what_it_says_and_rides_on_the_torso(build, edited):
    intact, body = edited(), edited(Payload(0.4))
    assert body.body_mass.sum() == pytest.approx(1.4 * intact.body_mass.sum())
    torso = body.body("torso").id
    assert body.body_mass[torso] - intact.body_mass[torso] == pytest.approx(0.4 * intact.body_mass.sum())
    (box,) = [geom for geom in range(body.ngeom) if body.geom(geom).name == ""]
    assert body.geom_type[box] == mujoco.mjtGeom.mjGEOM_BOX
    assert body.geom_bodyid[box] == torso
    assert body.geom_pos[box, 2] > intact.geom_rbound[intact.geom("torso_geom").id] / 3
    heavier = edited(Payload(0.4), ScaleMass(2))
    assert heavier.body_mass.sum() == pytest.approx(2.8 * intact.body_mass.sum())


def test_friction_is_that_of_the_floor_alone(build, edited):
    intact, body = edited(), edited(ScaleFriction(0.3))
    floor = intact.geom("floor").id
    np.testing.assert_allclose(body.geom_friction[floor], 0.3 * intact.geom_friction[floor])
    assert differing(intact, body) == {"geom_friction", "geom_priority"}
    np.testing.assert_array_equal(rows_that_differ(intact, body, "geom_friction"), [floor])
    data = mujoco.MjData(body)
    data.qpos[:] = body.numeric("init_qpos").data
    mujoco.mj_step(body, data, 60)
    assert data.ncon > 0
    for contact in data.contact:
        assert contact.friction[0] == pytest.approx(0.3 * intact.geom_friction[floor, 0])


def test_gravity_and_slope_compose(build, edited):
    intact, body = edited(), edited(ScaleGravity(0.5), Slope(10), Slope(-10), Slope(8, heading=90))
    assert differing(intact, body) == {"opt.gravity"}
    slope = math.radians(8)
    np.testing.assert_allclose(
        body.opt.gravity, 4.905 * np.array([0, -math.sin(slope), -math.cos(slope)]), atol=1e-12
    )
    np.testing.assert_allclose(
        edited(Slope(8)).opt.gravity, 9.81 * np.array([-math.sin(slope), 0, -math.cos(slope)]), atol=1e-12
    )


@pytest.mark.parametrize(("degrees", "heading"), [(12, 0), (-9, 0), (7, 60)])
def test_leaning_gravity_is_a_tilted_floor(build, edited, degrees, heading):
    """The same body on a plane that is really tilted, turned as a whole: the same way, seen from the plane."""
    sloping = edited(Slope(degrees, heading))
    tilted = edited()
    turn, angle = np.empty(4), math.radians(heading)
    axis = np.array([math.sin(angle), -math.cos(angle), 0])
    mujoco.mju_axisAngle2Quat(turn, axis, math.radians(degrees))  # lifts what is ahead
    tilted.geom_quat[0], tilted.geom_sameframe[0] = turn, mujoco.mjtSameFrame.mjSAMEFRAME_NONE
    assert tilted.geom("floor").id == 0
    lifted = np.empty(3)
    mujoco.mju_rotVecQuat(lifted, np.array([math.cos(angle), math.sin(angle), 0]), turn)
    assert np.sign(lifted[2]) == np.sign(degrees)
    there, here = mujoco.MjData(tilted), mujoco.MjData(sloping)
    here.qpos[:] = sloping.numeric("init_qpos").data
    there.qpos[:] = here.qpos
    mujoco.mju_rotVecQuat(there.qpos[:3], here.qpos[:3].copy(), turn)
    mujoco.mju_mulQuat(there.qpos[3:7], turn, here.qpos[3:7].copy())
    mujoco.mj_step(tilted, there, 25)
    mujoco.mj_step(sloping, here, 25)
    seen = np.empty(3)
    mujoco.mju_rotVecQuat(seen, there.qpos[:3], turn * [1, -1, -1, -1])
    np.testing.assert_allclose(seen, here.qpos[:3], atol=1e-6)
    np.testing.assert_allclose(there.qpos[7:], here.qpos[7:], atol=1e-6)


@pytest.mark.parametrize("factor", [0.6, 1.4])
def test_other_legs_start_with_the_feet_on_the_ground(build, edited, factor):
    heights = []
    for model in (edited(), edited(ScaleLegs(front=factor, rear=factor))):
        data = mujoco.MjData(model)
        data.qpos[:] = model.numeric("init_qpos").data
        mujoco.mj_kinematics(model, data)
        geoms = [model.geom(name).id for name in ANATOMIES[build].feet]
        heights.append(
            min(
                data.geom_xpos[geom, 2] - abs(data.geom_xmat[geom, 8]) * model.geom_size[geom, 1]
                for geom in geoms
            )
        )
    assert heights[1] == pytest.approx(heights[0], abs=1e-9)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ScaleSegment("front_lefft", "lower", 1), "did you mean front_left"),
        (lambda: ScaleSegment("front_left", "lowr", 1), "did you mean lower"),
        (
            lambda: ScaleSegment("front_left", "lower", 0),
            r"ScaleSegment.factor must be from 0.05 to 3, got 0",
        ),
        (lambda: RemoveSegment("front", "lower"), "unknown leg"),
        (lambda: ScaleLegs(rear=5), "ScaleLegs.rear must be from 0.3 to 2, got 5"),
        (lambda: LockJoint("front_left", "ankle"), "unknown segment"),
        (lambda: ScaleRange("front_left", "lower", -1), "factor must be"),
        (lambda: ScaleMotor("front_left", "lower", -0.1), "factor must be from 0 to 3"),
        (lambda: ScaleMass(math.nan), "got nan"),
        (lambda: Payload(0), "share must be"),
        (lambda: ScaleFriction(math.inf), "got inf"),
        (lambda: ScaleGravity(-1), "from 0.1 to 3"),
        (lambda: Slope(45), "from -30 to 30"),
        (lambda: Slope(5, heading=200), "heading must be"),
    ],
)
def test_edits_out_of_range_are_refused(make, message):
    with pytest.raises(EnvError, match=message):
        make()


def test_parts_that_are_not_there_cannot_be_edited(edited, build):
    with pytest.raises(EnvError, match="has been removed"):
        edited(RemoveSegment("front_left", "lower"), LockJoint("front_left", "lower"))
    if build == "ant":
        with pytest.raises(EnvError, match="is fixed"):
            edited(LockJoint("front_left", "shoulder"))
    edited(RemoveSegment("front_left", "lower"), ScaleLegs(front=1.1))
