"""The 28 observations against a slow float64 reference, written from the table with SciPy's rotations."""

import mujoco
import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from hebbevo.envs import QuadrupedConfig, compile_model

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
    batch = QuadrupedConfig(gear=gear).build(2)
    batch.reset([7, 8], ["intact", name])
    model = compile_model("quadruped", name, gear=gear)
    data = mujoco.MjData(model)
    generator = np.random.default_rng(0)
    seen = set()
    for step in range(250):
        data.qpos[:], data.qvel[:] = batch.positions[1], batch.velocities[1]
        data.qacc_warmstart[:] = batch._of_row[1].batch.bind("qacc_warmstart")[1]
        actions = np.tanh(2 * generator.standard_normal((2, 8))).astype(np.float32)
        actions[:, ::2] = np.sin(step / 9)
        batch.observations[:] = np.nan
        batch.step(actions, np.arange(2))
        data.ctrl[:] = actions[1]
        mujoco.mj_step(model, data)
        mujoco.mj_step(model, data)  # its contacts, too, are those of the state one substep ago
        touching = touching_geoms(model, data)
        seen |= {tuple(foot in touching for foot in FEET)}
        expected = reference(model, batch.positions[1], batch.velocities[1], touching)
        np.testing.assert_allclose(batch.observations[1], expected, rtol=1e-6, atol=1e-6)
    assert len(seen) > 1


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("burn_in", [0, 80, 800, 2000])
def test_foot_contacts_are_mujoco_s(name, burn_in):
    batch = QuadrupedConfig(burn_in=burn_in, substeps=1).build(16)
    batch.reset(range(16), [name] * 16)
    before = batch.positions.copy()  # geom poses are those of the state one substep ago
    batch.step(np.zeros((16, 8), np.float32), np.arange(16))
    model = compile_model("quadruped", name)
    data = mujoco.MjData(model)
    for row in range(16):
        data.qpos[:] = before[row]
        mujoco.mj_forward(model, data)
        touching = touching_geoms(model, data)
        assert batch.observations[row, 24:].tolist() == [float(foot in touching) for foot in FEET]
        if burn_in == 2000:  # settled: a body with a short leg rocks on a diagonal before that
            assert len(touching & set(FEET)) >= 3


def test_far_states_are_clipped():
    batch = QuadrupedConfig().build(1)
    batch.reset([1], ["intact"])
    batch.velocities[0, :3] = 300, -300, 200
    batch.step(np.zeros((1, 8), np.float32), np.arange(1))
    assert not batch.diverged[0]
    assert batch.observations[0, 3] == 5
    assert batch.observations[0, 4] == -5
    assert np.abs(batch.observations).max() == 5


def test_each_leg_has_its_own_contact():
    """Lift the body and turn it towards one corner: only that corner's foot touches."""
    corners = np.array([(1, 1), (1, -1), (-1, 1), (-1, -1)])
    for foot, (x, y) in enumerate(corners):
        batch = QuadrupedConfig(burn_in=0).build(1)
        pose = batch.body("intact").pose
        pose[3:7] = np.roll(Rotation.from_rotvec(np.array([-y, x, 0]) * 0.25).as_quat(), 1)
        for height in np.arange(1.2, 0.3, -0.005):
            pose[2] = height
            batch.reset([1], ["intact"])
            if batch.observations[0, 24:].any():
                break
        assert batch.observations[0, 24:].tolist() == [float(other == foot) for other in range(4)]
