"""CarRacing as a batch: Gymnasium's own environment row by row, whatever was driven before; and without Box2D."""

import subprocess
import sys

import gymnasium
import numpy as np
import pytest

from hebbevo.envs import QuadrupedConfig, config_class
from hebbevo.errors import EnvError

CarRacingConfig = config_class("car_racing")
pytest.importorskip("Box2D")


def actions(seed: int, steps: int) -> np.ndarray:
    """Return smooth actions in [-1, 1], ``(steps, 3)``: mostly gas, so that the car gets somewhere."""
    random = np.random.default_rng(seed)
    turns = np.cumsum(random.normal(0, 0.1, steps))
    return np.stack([np.sin(turns), random.uniform(-0.4, 1, steps), np.full(steps, -1.0)], axis=1).astype(
        np.float32
    )


def drive(batch, row: int, seed: int, steps: int = 60) -> list:
    """Return the observations, rewards and ends of one lifetime in a row."""
    record = [batch.observations[row].copy()]
    wheel = np.zeros((batch.batch_size, 3), np.float32)
    for action in actions(seed, steps):
        wheel[row] = action
        batch.step(wheel, np.array([row]))
        record += [batch.observations[row].copy(), batch.rewards[row], batch.terminated[row]]
    return record


@pytest.mark.parametrize("official", [True, False])
def test_equal_to_gymnasium_by_hand(official):
    batch, plain = CarRacingConfig(official=official).build(2), gymnasium.make("CarRacing-v3")
    batch.reset([7, 8], ["default"] * 2)
    plain.reset(seed=8)
    record = drive(batch, 1, 3)
    for step, action in enumerate(actions(3, 60)):
        bounded = np.array([action[0], (action[1] + 1) / 2, (action[2] + 1) / 2], np.float32)
        seen, reward, terminated, truncated, _ = plain.step(bounded)
        pixels, ours, ended = record[3 * step + 1 : 3 * step + 4]
        assert ours == reward
        assert ended == (terminated or truncated)
        channels = np.moveaxis(seen, -1, 0).ravel() / 255.0
        assert np.abs(pixels - channels).mean() < (1e-6 if official else 1e-3)


def test_nothing_driven_before_leaves_a_trace():
    """A track that still stands, another one before, a renewed environment: the same bits as in a new batch."""
    config = CarRacingConfig()
    fresh = config.build(1)
    fresh.reset([21], ["default"])
    expected = drive(fresh, 0, 5)
    batch = config.build(2)
    for before, count in ((21, 2), (4, 1), (21, 1)):
        for _ in range(count):
            batch.reset([before, before], ["default"] * 2)
            drive(batch, 1, before, 25)
    batch.reset([30, 21], ["default"] * 2)
    for record, wanted in zip(drive(batch, 1, 5), expected, strict=True):
        np.testing.assert_array_equal(record, wanted)


def test_seeds_that_share_the_lower_half_share_the_track():
    batch = CarRacingConfig().build(3)
    batch.reset([9, 9 + 2**40, 10], ["default"] * 3)
    np.testing.assert_array_equal(batch.observations[0], batch.observations[1])
    tracks = [environment.track for environment in batch._environments]
    assert tracks[0] == tracks[1] != tracks[2]


def test_a_nan_action_ends_its_own_row_only():
    batch = CarRacingConfig().build(2)
    batch.reset([1, 2], ["default"] * 2)
    wheel = np.zeros((2, 3), np.float32)
    wheel[0] = np.nan
    batch.step(wheel, np.array([0, 1]))
    assert batch.diverged.tolist() == [True, False]
    assert batch.rewards[0] == 0.0


def test_settings():
    config = CarRacingConfig()
    assert (config.early_stop.after, config.early_stop.negative_rewards) == (0, 20)
    assert config.reference_environment().official
    assert not config.official
    with pytest.raises(EnvError, match="leave `official` out"):
        QuadrupedConfig().reference_environment()
    with pytest.raises(EnvError, match="morphology of car_racing"):
        config.build(1).reset([1], ["intact"])
    with pytest.raises(ValueError, match="sub_rows"):
        CarRacingConfig(sub_rows=3)


def test_without_box2d_one_line_says_what_to_install(tmp_path):
    code = (
        "import sys, importlib.util as u; find = u.find_spec;"
        "u.find_spec = lambda name, *rest: None if name == 'Box2D' else find(name, *rest);"
        "from hebbevo.cli.app import run;"
        f"sys.exit(run(['evolve', 'quick-carracing', '--out', {str(tmp_path / 'run')!r}]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert 'pip install "gymnasium[box2d]"' in done.stderr
