"""The quadruped's batch: physics against plain MuJoCo, independence of the batch, divergence, standing up."""

from dataclasses import dataclass

import mujoco
import mujoco.batch
import numpy as np
import pytest

from hebbevo.envs import MORPHOLOGIES, Morphology, QuadrupedConfig, compile_model, environment_stream
from hebbevo.envs.robots.quadruped import paper_distance
from hebbevo.envs.robots.simulations import unchecked_step
from hebbevo.errors import EnvError

BODIES = ("intact", "right_front_damaged", "left_front_damaged")
LIFETIMES = [(seed, BODIES[seed % len(BODIES)]) for seed in range(100, 116)]


def actions_of(seed: int, steps: int) -> np.ndarray:
    """A fixed action sequence of one lifetime, (steps, 8); every third is smooth, so that bodies move."""
    noise = np.random.default_rng(seed).standard_normal((steps, 8))
    return np.tanh(noise if seed % 3 else noise[:1] + 0.3 * noise).astype(np.float32)


def length_of(seed: int, steps: int) -> int:
    """When a lifetime ends: some early, so that rows drop out of their batch."""
    return steps // 3 if seed % 5 == 0 else steps


def rollout(batch, lifetimes, steps):
    """What each lifetime experienced: {seed: [(observation, reward, done, diverged) bytes per step]}."""
    batch.reset([seed for seed, _ in lifetimes], [body for _, body in lifetimes])
    sequences = [actions_of(seed, steps) for seed, _ in lifetimes]
    actions = np.full((batch.batch_size, 8), np.nan, np.float32)
    records = {seed: [batch.observations[row].tobytes()] for row, (seed, _) in enumerate(lifetimes)}
    for step in range(steps):
        running = [row for row, (seed, _) in enumerate(lifetimes) if step < length_of(seed, steps)]
        active = np.array(running, np.int64)
        actions[:] = np.nan
        for row in active:
            actions[row] = sequences[row][step]
        batch.step(actions, active)
        for row in active:
            parts = (batch.observations[row], batch.rewards[row], batch.done[row], batch.diverged[row])
            records[lifetimes[row][0]].append(b"".join(part.tobytes() for part in parts))
    return records


@pytest.fixture(scope="module")
def alone():
    """Every lifetime in a fresh batch of its own."""
    records = {}
    for lifetime in LIFETIMES:
        records |= rollout(QuadrupedConfig().build(1), [lifetime], 60)
    return records


@pytest.mark.parametrize("batch_size", [1, 4, 16])
@pytest.mark.parametrize("order", ["as they come", "shuffled"])
def test_the_batch_does_not_matter(alone, batch_size, order):
    lifetimes = list(LIFETIMES)
    if order == "shuffled":
        np.random.default_rng(3).shuffle(lifetimes)
        lifetimes = [(int(seed), str(body)) for seed, body in lifetimes]
    batch = QuadrupedConfig().build(batch_size)  # reused: later lifetimes follow others in the same rows
    records = {}
    for start in range(0, len(lifetimes), batch_size):
        records |= rollout(batch, lifetimes[start : start + batch_size], 60)
    assert records == alone


def test_a_partly_filled_batch_and_what_ran_before_do_not_matter(alone):
    batch = QuadrupedConfig().build(7)
    for lifetimes in (LIFETIMES[:7], LIFETIMES[5:8], LIFETIMES[2:3]):
        records = rollout(batch, lifetimes, 60)
        assert records == {seed: alone[seed] for seed, _ in lifetimes}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("integrator", ["implicitfast", "RK4"])
def test_physics_is_plain_mj_step_bit_for_bit(name, integrator):
    config = QuadrupedConfig(integrator=integrator)
    batch = config.build(3)
    batch.reset([1, 5, 9], ["intact", name, "intact"])
    model = compile_model("quadruped", name, integrator=integrator)
    data = mujoco.MjData(model)
    data.qpos[:] = model.numeric("init_qpos").data
    data.qpos[7:] += environment_stream(5).uniform(-0.1, 0.1, 8)
    for _ in range(80):
        mujoco.mj_step(model, data)
    for step in range(40):
        actions = np.stack([actions_of(seed, 40)[step] for seed in (1, 5, 9)])
        before = data.qpos[0]
        data.ctrl[:] = actions[1]
        for _ in range(2):
            mujoco.mj_step(model, data)
        batch.step(actions, np.arange(3))
        np.testing.assert_array_equal(batch.positions[1], data.qpos)
        np.testing.assert_array_equal(batch.velocities[1], data.qvel)
        assert batch.rewards[1] == data.qpos[0] - before
        assert batch.done[1] == (data.qpos[2] <= 0.26)


def test_without_burn_in_a_lifetime_starts_at_the_pose():
    config = QuadrupedConfig(burn_in=0, reset_noise=0.0)
    batch = config.build(2)
    for _ in range(2):
        batch.reset([1, 2], ["intact", "intact"])
        np.testing.assert_array_equal(batch.positions[0], batch.model(0).numeric("init_qpos").data)
        assert batch.observations[0, 0] == 0
        first = batch.observations.copy()
        for _ in range(20):
            batch.step(np.ones((2, 8), np.float32), np.arange(2))
    batch.reset([1, 2], ["intact", "intact"])
    np.testing.assert_array_equal(batch.observations, first)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e20])
def test_a_bad_action_ends_its_own_row_only(alone, value):
    batch = QuadrupedConfig().build(4)
    lifetimes = LIFETIMES[:4]
    batch.reset([seed for seed, _ in lifetimes], [body for _, body in lifetimes])
    for step in range(15):
        actions = np.stack([actions_of(seed, 60)[step] for seed, _ in lifetimes])
        if step >= 5:
            actions[2, 3] = value if step == 5 else 0.0
        batch.step(actions, np.arange(4))
        assert batch.diverged.tolist() == [False, False, step >= 5, False]
        for row in (0, 1, 3):
            parts = (batch.observations[row], batch.rewards[row], batch.done[row], batch.diverged[row])
            assert b"".join(part.tobytes() for part in parts) == alone[lifetimes[row][0]][step + 1]
        if step >= 5:
            assert batch.rewards[2] == 0
            assert (batch.observations[2] == 0).all()


@pytest.mark.parametrize("velocity", [1e8, 1e11, np.nan])
def test_an_exploded_simulation_ends_its_own_row_only(alone, velocity, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # MuJoCo writes MUJOCO_LOG.TXT
    batch = QuadrupedConfig().build(4)
    lifetimes = LIFETIMES[:4]
    batch.reset([seed for seed, _ in lifetimes], [body for _, body in lifetimes])
    batch.velocities[1] = velocity
    for step in range(5):
        actions = np.stack([actions_of(seed, 60)[step] for seed, _ in lifetimes])
        batch.step(actions, np.arange(4))
        assert np.isfinite(batch.observations).all()
        assert np.isfinite(batch.rewards).all()
        for row in (0, 2, 3):
            parts = (batch.observations[row], batch.rewards[row], batch.done[row], batch.diverged[row])
            assert b"".join(part.tobytes() for part in parts) == alone[lifetimes[row][0]][step + 1]
    assert batch.diverged.tolist() == [False, True, False, False]
    assert rollout(batch, lifetimes, 60) == {seed: alone[seed] for seed, _ in lifetimes}


def test_a_row_in_which_mujoco_raises_diverges_alone(alone, monkeypatch):
    batch = QuadrupedConfig().build(4)
    lifetimes = LIFETIMES[:4]
    batch.reset([seed for seed, _ in lifetimes], [body for _, body in lifetimes])
    simulations = batch._of_row[0]
    step = simulations._step

    def step_and_fail(rows, substeps):
        assert step(rows, substeps) == 0
        return 1

    actions = np.stack([actions_of(seed, 60)[0] for seed, _ in lifetimes])
    with monkeypatch.context() as patch:
        patch.setattr(simulations, "_step", step_and_fail)
        patch.setattr(simulations.batch, "status", np.array([0, 0, 0, 1], np.int32))
        batch.step(actions, np.arange(4))
    assert batch.diverged.tolist() == [False, False, False, True]
    assert (batch.observations[3] == 0).all()
    parts = (batch.observations[2], batch.rewards[2], batch.done[2], batch.diverged[2])
    assert b"".join(part.tobytes() for part in parts) == alone[lifetimes[2][0]][1]


class Starved:
    """An edit that leaves MuJoCo too little memory to step."""

    def apply(self, spec):
        spec.memory = 8192


@pytest.mark.parametrize("checked", [False, True])
def test_where_mujoco_raises_rows_diverge(monkeypatch, checked):
    """With and without the batch's own checks of the rows."""
    if checked:
        monkeypatch.setattr(
            "hebbevo.envs.robots.simulations.unchecked_step", lambda batch: unchecked_step(Checked(batch))
        )
    monkeypatch.setitem(MORPHOLOGIES, "starved", Morphology("starved", "", (Starved(),)))
    batch = QuadrupedConfig(morphologies=("starved",), burn_in=1).build(2)
    batch.reset([1, 2], ["starved", "starved"])
    assert batch.diverged.all()
    batch.diverged[:] = False
    batch.step(np.zeros((2, 8), np.float32), np.array([1]))
    assert batch.diverged.tolist() == [False, True]
    assert (batch.observations[1] == 0).all()


@dataclass(frozen=True)
class Checked:
    """A batch with nothing but its public step."""

    batch: mujoco.batch.Batch

    def step(self, rows, nstep):
        self.batch.step(rows, nstep=nstep)


@pytest.mark.parametrize("rows", [None, np.array([0, 2], np.int32)])
def testunchecked_steps_are_the_same(rows):
    model = compile_model("quadruped", "intact")
    batches = [mujoco.batch.Batch(model, nsim=3, nthread=1) for _ in range(2)]
    for batch, step in zip(batches, (unchecked_step(batches[0]), batches[1].step), strict=True):
        batch.qpos = model.numeric("init_qpos").data
        batch.ctrl[:] = np.linspace(-1, 1, 24).reshape(3, 8)
        for _ in range(20):
            step(rows, 2)
    assert batches[0].state.tobytes() == batches[1].state.tobytes()


@dataclass(frozen=True)
class Backpack:
    """An edit that changes the layout of the model."""

    def apply(self, spec):
        spec.body("torso").add_geom(size=[0.1, 0, 0])


def test_a_body_of_another_layout_is_simulated_in_a_batch_of_its_own(monkeypatch):
    monkeypatch.setitem(MORPHOLOGIES, "backpack", Morphology("backpack", "carries a ball", (Backpack(),)))
    batch = QuadrupedConfig().build(2)
    batch.reset([1, 2], ["intact", "backpack"])
    alone = QuadrupedConfig(morphologies=("backpack",)).build(1)
    alone.reset([2], ["backpack"])
    assert alone.observations.tobytes() == batch.observations[1].tobytes()
    assert batch.model(1).ngeom == batch.model(0).ngeom + 1
    with pytest.raises(EnvError, match="row by row"):
        batch.positions  # noqa: B018
    batch.reset([1, 2], ["intact", "intact"])
    assert batch.positions.shape == (2, 15)


@pytest.mark.parametrize("name", BODIES)
def test_the_body_stands_after_its_burn_in(name):
    batch = QuadrupedConfig().build(64)
    batch.reset(range(64), [name] * 64)
    height, tilt = batch.positions[:, 2], np.abs(batch.observations[:, 6:8]).max(axis=1)
    standing = (height > 0.3) & (tilt < 0.6) & (batch.observations[:, 24:].sum(axis=1) >= 2)
    assert standing.mean() > 0.95
    assert not batch.done.any()


@pytest.mark.parametrize("name", BODIES)
def test_random_actions_leave_the_body_upright_at_the_default_gear(name):
    batch = QuadrupedConfig().build(32)
    batch.reset(range(32), [name] * 32)
    generator = np.random.default_rng(0)
    for _ in range(300):
        batch.step(np.tanh(generator.standard_normal((32, 8))).astype(np.float32), np.arange(32))
    up = 1 - 2 * (
        batch.positions[:, 4] ** 2 + batch.positions[:, 5] ** 2
    )  # torso's own z axis, its vertical part
    assert (up > 0).mean() > 0.9
    assert not batch.diverged.any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"morphologies": []}, "at least 1"),
        ({"morphologies": ["intatc"]}, "did you mean intact"),
        ({"morphologies": ["intact", "intact"]}, "twice"),
        ({"steps": 0}, "greater than or equal to 1"),
        ({"substeps": -1}, "greater than or equal to 1"),
        ({"burn_in": -1}, "greater than or equal to 0"),
        ({"gear": 0}, "greater than 0"),
        ({"gear": float("nan")}, "finite"),
        ({"timestep": -0.01}, "greater than 0"),
        ({"integrator": "euler"}, "Euler"),
        ({"early_stop": {"after": -1}}, "greater than or equal to 0"),
        ({"step": 5}, "Extra inputs"),
        ({"name": "quadrupde"}, "quadruped"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        QuadrupedConfig(**settings)


def test_bad_arguments_of_reset_are_refused():
    batch = QuadrupedConfig().build(2)
    with pytest.raises(EnvError, match="one morphology per seed"):
        batch.reset([1, 2], ["intact"])
    with pytest.raises(EnvError, match="3 lifetimes"):
        batch.reset([1, 2, 3], ["intact"] * 3)
    with pytest.raises(EnvError, match="did you mean intact"):
        batch.reset([1], ["intcat"])
    with pytest.raises(ValueError, match="a seed must be"):
        batch.reset([-1], ["intact"])
    with pytest.raises(EnvError, match="at least 1"):
        QuadrupedConfig().build(0)


def test_paper_unit():
    assert paper_distance(17.3415) == pytest.approx(1051)
