"""The dog: its body from the plan, its 36 observations against a slow float64 reference, plain MuJoCo's physics."""

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hebbevo.envs import DogConfig, compile_model, config_class, environment_stream
from hebbevo.envs.robots.body_plan import BodyPlan

LEGS = {"front_left": (1, 1), "front_right": (1, -1), "rear_left": (-1, 1), "rear_right": (-1, -1)}
JOINTS = [f"{leg}_{joint}" for leg in LEGS for joint in ("abduction", "hip", "knee")]
FEET = [f"{leg}_lower" for leg in LEGS]


def touching_geoms(model, data):
    """Names of the geoms in MuJoCo's own list of contacts with the floor."""
    floor = model.geom("floor").id
    pairs = [contact.geom for contact in data.contact]
    return {model.geom(int(geom)).name for pair in pairs if floor in pair for geom in pair if geom != floor}


def reference(model, qpos, qvel, touching, start):
    """The table of the 36, row by row; a joint is looked up by its name."""
    w, x, y, z = qpos[3:7]
    yaw, pitch, roll = Rotation.from_quat([x, y, z, w]).as_euler("ZYX")
    to_target = np.arctan2(0 - qpos[1], 1000 - qpos[0]) - yaw
    velocity = 0.3 * Rotation.from_euler("z", -yaw).apply(qvel[:3])
    limits = compile_model("dog", "intact")
    numbers = [qpos[2] - start, np.sin(to_target), np.cos(to_target), *velocity, roll, pitch]
    for name in JOINTS:
        try:
            joint = model.joint(name)
        except KeyError:
            numbers += [0, 0]
            continue
        low, high = limits.joint(name).range
        numbers += [-1 + 2 * (qpos[joint.qposadr[0]] - low) / (high - low), 0.1 * qvel[joint.dofadr[0]]]
    return np.clip([*numbers, *(float(foot in touching) for foot in FEET)], -5, 5)


@pytest.mark.parametrize("name", ["intact", "right_front_damaged", "left_rear_amputated", "loaded", "uphill"])
def test_observations_agree_with_the_table(name):
    batch = DogConfig().build(2)
    batch.reset([7, 8], ["intact", name])
    model = compile_model("dog", name)
    data = mujoco.MjData(model)
    start = model.numeric("init_qpos").data[2]
    generator = np.random.default_rng(0)
    motors = [JOINTS.index(model.actuator(motor).name) for motor in range(model.nu)]
    seen = set()
    for step in range(200):
        data.qpos[:], data.qvel[:] = batch.position(1), batch.velocity(1)
        data.qacc_warmstart[:] = batch._of_row[1].batch.bind("qacc_warmstart")[1]
        actions = np.tanh(2 * generator.standard_normal((2, 12))).astype(np.float32)
        actions[:, 1::3] = np.sin(step / 9)
        batch.observations[:] = np.nan
        batch.step(actions, np.arange(2))
        data.ctrl[:] = actions[1, motors]
        mujoco.mj_step(model, data)
        mujoco.mj_step(model, data)  # its contacts, too, are those of the state one substep ago
        touching = touching_geoms(model, data)
        seen |= {tuple(foot in touching for foot in FEET)}
        expected = reference(model, batch.position(1), batch.velocity(1), touching, start)
        np.testing.assert_allclose(batch.observations[1], expected, rtol=1e-6, atol=1e-6)
    assert len(seen) > 1


@pytest.mark.parametrize("name", ["intact", "left_front_damaged"])
def test_physics_is_plain_mj_step_bit_for_bit(name):
    batch = DogConfig().build(2)
    batch.reset([5, 6], [name, "intact"])
    model = compile_model("dog", name)
    data = mujoco.MjData(model)
    data.qpos[:] = model.numeric("init_qpos").data
    data.qpos[7:] += environment_stream(5).uniform(-0.1, 0.1, 12)
    mujoco.mj_step(model, data, 80)
    for step in range(40):
        actions = np.sin(0.3 * step + np.arange(24.0)).reshape(2, 12).astype(np.float32)
        before = data.qpos[0]
        data.ctrl[:] = actions[0]
        mujoco.mj_step(model, data, 2)
        batch.step(actions, np.arange(2))
        np.testing.assert_array_equal(batch.positions[0], data.qpos)
        np.testing.assert_array_equal(batch.velocities[0], data.qvel)
        assert batch.rewards[0] == data.qpos[0] - before
        assert batch.done[0] == (data.qpos[2] <= 0.15)


@pytest.mark.parametrize("leg", LEGS)
def test_legs_stand_at_their_corners(leg):
    model = compile_model("dog", "intact")
    data = mujoco.MjData(model)
    data.qpos[:] = model.numeric("init_qpos").data
    mujoco.mj_kinematics(model, data)
    geom = model.geom(f"{leg}_lower").id
    foot = data.geom_xpos[geom] - data.geom_xmat[geom].reshape(3, 3)[:, 2] * model.geom_size[geom, 1]
    other = data.geom_xpos[geom] + data.geom_xmat[geom].reshape(3, 3)[:, 2] * model.geom_size[geom, 1]
    foot = min(foot, other, key=lambda end: end[2])
    assert np.sign(foot[:2]).tolist() == list(LEGS[leg])
    assert foot[2] == pytest.approx(model.geom_size[geom, 0])  # it just touches the floor


def test_the_body_is_the_plan_s():
    plan, model = BodyPlan(), compile_model("dog", "intact", gear=17)
    assert [model.joint(joint).name for joint in range(1, model.njnt)] == JOINTS
    assert [model.actuator(motor).name for motor in range(model.nu)] == JOINTS
    assert (model.actuator_gear[:, 0] == 17).all()
    assert (model.actuator_ctrlrange == [-1, 1]).all()
    assert 8 < model.body_mass.sum() < 16
    np.testing.assert_array_equal(model.jnt_stiffness[1:].reshape(12, -1)[:, 0], plan.stiffness)
    np.testing.assert_allclose(model.qpos_spring[7:].reshape(4, 3), [plan.stance] * 4)
    length = {"shoulder": plan.shoulder, "upper": plan.upper, "lower": plan.lower}
    for leg in LEGS:
        for segment, expected in length.items():
            assert model.geom(f"{leg}_{segment}").size[1] == pytest.approx(expected / 2)


def test_another_plan_is_another_body():
    model = BodyPlan(upper=0.3, stiffness=80).spec(gear=10).compile()
    assert model.geom("rear_left_upper").size[1] == pytest.approx(0.15)
    assert model.numeric("init_qpos").data[2] == pytest.approx(BodyPlan(upper=0.3).stance_height)


def test_random_actions_neither_throw_it_over_nor_into_the_air():
    batch = DogConfig().build(32)
    batch.reset(range(32), ["intact"] * 32)
    assert (batch.observations[:, -4:].sum(axis=1) >= 3).all()
    standing = batch.positions[:, 2].mean()
    generator = np.random.default_rng(0)
    highest = 0.0
    for _ in range(300):
        batch.step(np.tanh(generator.standard_normal((32, 12))).astype(np.float32), np.arange(32))
        highest = max(highest, batch.positions[:, 2].max())
    up = 1 - 2 * (batch.positions[:, 4] ** 2 + batch.positions[:, 5] ** 2)
    assert (up > 0).mean() > 0.9
    assert highest < 1.5 * standing
    assert not batch.diverged.any()


def test_a_trot_moves_it_forwards():
    """What evolution can find: diagonal legs in turn, thighs and shanks as sines."""
    batch = DogConfig().build(1)
    batch.reset([1], ["intact"])
    start = batch.positions[0, 0]
    actions = np.zeros((1, 12), np.float32)
    for step in range(600):
        for leg, phase in enumerate((0, np.pi, np.pi, 0)):
            angle = 2 * np.pi * 2.62 * step / 60 + phase
            actions[0, 3 * leg + 1] = 0.71 * np.sin(angle)
            actions[0, 3 * leg + 2] = 0.81 * np.sin(angle + 1.62)
        batch.step(actions, np.arange(1))
    assert batch.positions[0, 0] - start > 3


def test_it_is_registered_and_takes_the_same_bodies():
    assert config_class("dog") is DogConfig
    config = DogConfig(morphologies=("test_05", "intact"))
    batch = config.build(1)
    assert (batch.observation_size, batch.action_size) == (36, 12)
    with pytest.raises(ValueError, match="did you mean intact"):
        DogConfig(morphologies=("intcat",))
    with pytest.raises(ValueError, match="greater than 0"):
        DogConfig(gear=0)
