"""All bodies of both builds in blocks: they stand, trimming changes no bit, mixed layouts are each body alone."""

import subprocess
import sys
from functools import partial
from pathlib import Path

import mujoco
import numpy as np
import pytest

from hebbevo.envs import MORPHOLOGIES, DogConfig, QuadrupedConfig, compile_model
from hebbevo.envs.morphologies.catalogue import NAMED, split_names
from hebbevo.errors import EnvError

ROOT = Path(__file__).resolve().parents[2]
BUILDS = {
    "quadruped": (QuadrupedConfig, partial(compile_model, "quadruped")),
    "dog": (DogConfig, partial(compile_model, "dog")),
}
GROUPS = {"named": tuple(NAMED), "train": split_names("train"), "test": split_names("test")}
MIXED = (
    "intact",
    "left_rear_amputated",
    "loaded",
    "right_front_amputated",
    "slippery",
    "uphill",
    "test_05",
    "weak",
)


@pytest.fixture(params=BUILDS)
def build(request):
    return request.param


def actions_of(seed, steps, size):
    return np.tanh(np.random.default_rng(seed).standard_normal((steps, size))).astype(np.float32)


def rollout(batch, lifetimes, steps, ends=()):
    """What each lifetime experienced, as bytes; the rows in `ends` stop halfway."""
    seeds, bodies = zip(*lifetimes, strict=True)
    batch.reset(seeds, bodies)
    sequences = [actions_of(seed, steps, batch.action_size) for seed in seeds]
    records = [[batch.observations[row].tobytes()] for row in range(len(lifetimes))]
    actions = np.full((batch.batch_size, batch.action_size), np.nan, np.float32)
    for step in range(steps):
        active = [row for row in range(len(lifetimes)) if row not in ends or step < steps // 2]
        for row in active:
            actions[row] = sequences[row][step]
        batch.step(actions, np.array(active, np.int64))
        for row in active:
            seen = (batch.observations[row], batch.rewards[row], batch.done[row], batch.diverged[row])
            records[row].append(b"".join(part.tobytes() for part in (*seen, batch.position(row))))
    return records


@pytest.mark.parametrize("group", GROUPS)
def test_every_body_stands_after_its_burn_in(build, group):
    names = GROUPS[group]
    batch = BUILDS[build][0]().build(2)
    for name in names:
        batch.reset([1, 2], [name, name])
        assert np.isfinite(batch.observations).all(), name
        assert not batch.diverged.any(), name
        assert not batch.done.any(), name
        assert np.abs(batch.observations[:, 6:8]).max() < 0.9, name
        assert batch.observations[:, -4:].any(), name  # a lame dog rocks


@pytest.mark.parametrize("group", GROUPS)
def test_trimming_changes_no_bit_of_any_body(build, group):
    for number, name in enumerate(GROUPS[group]):
        compile_body = BUILDS[build][1]
        models = [compile_body(name, trim=trim) for trim in (True, False)]
        datas = [mujoco.MjData(model) for model in models]
        actions = actions_of(number, 60, models[0].nu)
        contacts = 0
        for model, data in zip(models, datas, strict=True):
            data.qpos[:] = model.numeric("init_qpos").data
        for action in actions:
            for model, data in zip(models, datas, strict=True):
                data.ctrl[:] = action
                mujoco.mj_step(model, data, 2)
            assert datas[0].qpos.tobytes() == datas[1].qpos.tobytes(), name
            assert datas[0].qvel.tobytes() == datas[1].qvel.tobytes(), name
            contacts += datas[0].ncon
        assert contacts > 0, name


@pytest.mark.parametrize("integrator", ["implicitfast", "RK4"])
def test_mixed_layouts_are_each_body_alone(build, integrator):
    config = BUILDS[build][0](integrator=integrator)
    lifetimes = [(seed, MIXED[seed % len(MIXED)]) for seed in range(12)]
    alone = [rollout(config.build(1), [lifetime], 40)[0] for lifetime in lifetimes]
    batch = config.build(12)
    assert rollout(batch, lifetimes, 40) == alone
    assert rollout(batch, lifetimes[::-1], 40) == alone[::-1]  # other bodies were in these rows
    assert rollout(batch, lifetimes[3:8], 40) == alone[3:8]
    ended = rollout(batch, lifetimes, 40, ends=(1, 4, 6))
    for row, record in enumerate(ended):
        assert record == (alone[row][:21] if row in (1, 4, 6) else alone[row])


def test_sampled_bodies_share_a_batch_with_any_other(build):
    names = [*GROUPS["test"]]
    config = BUILDS[build][0]()
    lifetimes = [(seed, name) for seed, name in enumerate(names)]
    together = rollout(config.build(30), lifetimes, 15)
    for row in range(0, 30, 3):
        assert rollout(config.build(1), [lifetimes[row]], 15)[0] == together[row]


def test_trimmed_batches_sense_what_whole_ones_do(build, monkeypatch):
    config, _ = BUILDS[build]
    lifetimes = list(enumerate(MIXED))
    trimmed = rollout(config().build(len(MIXED)), lifetimes, 60)
    monkeypatch.setattr("hebbevo.envs.robots.body.compile_trimmed", lambda spec: spec.compile())
    assert rollout(config().build(len(MIXED)), lifetimes, 60) == trimmed


def test_a_bad_action_ends_its_own_row_only_whatever_the_layouts(build):
    config = BUILDS[build][0]()
    lifetimes = list(enumerate(MIXED))
    batch = config.build(len(MIXED))
    batch.reset(*zip(*lifetimes, strict=True))
    fine = config.build(len(MIXED))
    fine.reset(*zip(*lifetimes, strict=True))
    actions = np.zeros((len(MIXED), batch.action_size), np.float32)
    for _ in range(3):
        fine.step(actions, np.arange(len(MIXED)))
    actions[1, -1] = np.nan
    for _ in range(3):
        batch.step(actions, np.arange(len(MIXED)))
    others = np.arange(len(MIXED)) != 1
    assert batch.diverged.tolist() == (~others).tolist()
    assert batch.observations[others].tobytes() == fine.observations[others].tobytes()
    assert (batch.observations[1] == 0).all()


def test_missing_parts_sense_nothing_and_their_actions_do_nothing(build):
    config = BUILDS[build][0]()
    batch = config.build(2)
    batch.reset([3, 3], ["left_rear_amputated"] * 2)
    lower = config.anatomy.legs["rear_left"].lower
    sensed, moved = (
        joints.index(lower.joint) for joints in (config.anatomy.sensed_joints, config.anatomy.motor_joints)
    )
    actions = np.stack([actions_of(1, 50, batch.action_size)] * 2, axis=1)
    actions[:, 1, moved] *= -1
    for action in actions:
        batch.step(action, np.arange(2))
        assert (batch.observations[:, [8 + 2 * sensed, 9 + 2 * sensed, -2]] == 0).all()
    assert batch.observations[0].tobytes() == batch.observations[1].tobytes()
    assert batch.observations.any()


def test_edited_joints_are_sensed_by_the_intact_limits():
    """A loosened joint goes beyond +-1, as a sensor does not know of the damage."""
    config = QuadrupedConfig(burn_in=0, reset_noise=0)
    batch = config.build(2)
    batch.reset([1, 1], ["loose_joints", "intact"])
    joints = slice(8, 24)
    assert batch.observations[0, joints].tobytes() == batch.observations[1, joints].tobytes()


def test_common_seeds_are_common_joint_angles(build):
    """The joints that a body still has start as the intact one's of the same seed."""
    config = BUILDS[build][0](burn_in=0)
    batch = config.build(2)
    batch.reset([9, 9], ["intact", "right_front_amputated"])
    joints = [batch.model(1).joint(joint).name for joint in range(1, batch.model(1).njnt)]
    for name in joints:
        places = [batch.model(row).joint(name).qposadr[0] for row in (0, 1)]
        assert batch.position(0)[places[0]] == batch.position(1)[places[1]]


def test_height_is_measured_from_the_body_s_own_start(build):
    batch = BUILDS[build][0](burn_in=0).build(3)
    batch.reset([1] * 3, ["intact", "long_legs", "short_legs"])
    heights = [batch.position(row)[2] for row in range(3)]
    assert heights[2] < heights[0] < heights[1]
    assert (batch.observations[:, 0] == 0).all()


def test_an_unknown_body_suggests_the_nearest(build):
    batch = BUILDS[build][0]().build(1)
    with pytest.raises(EnvError, match="did you mean train_017"):
        batch.reset([1], ["trian_017"])


def test_the_registry_compiles_nothing_by_itself():
    program = """
import mujoco
mujoco.MjSpec.compile = mujoco.MjSpec.from_file = None
import hebbevo.envs
print(len(hebbevo.envs.MORPHOLOGIES))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert int(done.stdout) == len(MORPHOLOGIES)
