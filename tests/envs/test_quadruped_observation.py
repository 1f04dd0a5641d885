"""The 28 observations against a slow float64 reference, written from the table with SciPy's rotations."""

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hebbevo.envs import QuadrupedConfig
from hebbevo.envs.robots.quadruped import compile_model

BODIES = ("intact", "right_front_damaged", "left_front_damaged")
FEET = ("left_ankle_geom", "fourth_ankle_geom", "right_ankle_geom", "third_ankle_geom")


def touching_geoms(model, data):
    """Names of the geoms in MuJoCo's own list of contacts with the floor."""
    floor = model.geom("floor").id
    pairs = [contact.geom for contact in data.contact]
    return {model.geom(int(geom)).name for pair in pairs if floor in pair for geom in pair if geom != floor}


def reference(model, qpos, qvel, touching):
    """The table of the 28, row by row."""
    w, x, y, z = qpos[3:7]
    yaw, pitch, roll = Rotation.from_quat([x, y, z, w]).as_euler("ZYX")
    to_target = np.arctan2(0 - qpos[1], 1000 - qpos[0]) - yaw
    velocity = 0.3 * (Rotation.from_euler("z", -yaw).apply(qvel[:3]))
    low, high = model.jnt_range[1:, 0], model.jnt_range[1:, 1]
    scaled = -1 + 2 * (qpos[7:] - low) / (high - low)
    torso = [qpos[2] - 0.55, np.sin(to_target), np.cos(to_target), *velocity, roll, pitch]
    joints = [number for pair in zip(scaled, 0.1 * qvel[6:], strict=True) for number in pair]
    contacts = [1.0 if foot in touching else 0.0 for foot in FEET]
    return np.clip([*torso, *joints, *contacts], -5, 5)


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("gear", [20.0, 150.0])
def test_observations_agree_with_the_table(name, gear):
    block = QuadrupedConfig(gear=gear).build(2)
    block.reset([7, 8], ["intact", name])
    model = compile_model(name, gear=gear)
    data = mujoco.MjData(model)
    generator = np.random.default_rng(0)
    seen = set()
    for step in range(250):
        data.qpos[:], data.qvel[:] = block.positions[1], block.velocities[1]
        data.qacc_warmstart[:] = block._of_row[1].batch.bind("qacc_warmstart")[1]
        actions = np.tanh(2 * generator.standard_normal((2, 8))).astype(np.float32)
        actions[:, ::2] = np.sin(step / 9)
        block.observations[:] = np.nan
        block.step(actions, np.arange(2))
        data.ctrl[:] = actions[1]
        mujoco.mj_step(model, data)
        mujoco.mj_step(model, data)  # its contacts, too, are those of the state one substep ago
        touching = touching_geoms(model, data)
        seen |= {tuple(foot in touching for foot in FEET)}
        expected = reference(model, block.positions[1], block.velocities[1], touching)
        np.testing.assert_allclose(block.observations[1], expected, rtol=1e-6, atol=1e-6)
    assert len(seen) > 1


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("burn_in", [0, 80, 800, 2000])
def test_foot_contacts_are_mujoco_s(name, burn_in):
    block = QuadrupedConfig(burn_in=burn_in, substeps=1).build(16)
    block.reset(range(16), [name] * 16)
    before = block.positions.copy()  # geom poses are those of the state one substep ago
    block.step(np.zeros((16, 8), np.float32), np.arange(16))
    model = compile_model(name)
    data = mujoco.MjData(model)
    for row in range(16):
        data.qpos[:] = before[row]
        mujoco.mj_forward(model, data)
        touching = touching_geoms(model, data)
        assert block.observations[row, 24:].tolist() == [float(foot in touching) for foot in FEET]
        if burn_in == 2000:  # settled: a body with a short leg rocks on a diagonal before that
            assert len(touching & set(FEET)) >= 3


def test_far_states_are_clipped():
    block = QuadrupedConfig().build(1)
    block.reset([1], ["intact"])
    block.velocities[0, :3] = 300, -300, 200
    block.step(np.zeros((1, 8), np.float32), np.arange(1))
    assert not block.diverged[0]
    assert block.observations[0, 3] == 5
    assert block.observations[0, 4] == -5
    assert np.abs(block.observations).max() == 5


def test_each_leg_has_its_own_contact():
    """Lift the body and turn it towards one corner: only that corner's foot touches."""
    corners = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    for foot, (x, y) in enumerate(corners):
        block = QuadrupedConfig(burn_in=0).build(1)
        pose = block.body("intact").pose
        pose[3:7] = np.roll(Rotation.from_rotvec(np.array([-y, x, 0]) * 0.25).as_quat(), 1)
        for height in np.arange(1.2, 0.3, -0.005):
            pose[2] = height
            block.reset([1], ["intact"])
            if block.observations[0, 24:].any():
                break
        assert block.observations[0, 24:].tolist() == [float(other == foot) for other in range(4)]
