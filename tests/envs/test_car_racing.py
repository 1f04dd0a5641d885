"""FastCarRacing against Gymnasium's CarRacing-v3: the same physics to the bit, nearly the same picture."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")
pytest.importorskip("Box2D")

from hebbevo.envs.car_racing.driver import drive  # noqa: E402
from hebbevo.envs.car_racing.environment import FastCarRacing  # noqa: E402
from hebbevo.errors import EnvError  # noqa: E402

MANNERS = ("follow", "weave", "wild", "mixed")


def action_of(manner: str, step: int, env: Any, random: np.random.Generator) -> np.ndarray:
    """Return the action of one manner of driving: on the track, weaving, at random, or by turns."""
    if manner == "mixed":
        manner = MANNERS[step // 150 % 3]
    if manner == "follow":
        return drive(env)
    noise = random.uniform([-1.0, 0.0, 0.0], [1.0, 1.0, 1.0])
    if manner == "wild":
        return (noise * [1.0, 1.0, random.random() < 0.2]).astype(np.float32)
    return np.clip(drive(env) + noise * [0.5, 0.3, 0.1], [-1, 0, 0], 1).astype(np.float32)


def pose(env: Any) -> list[float]:
    """Return every number that describes the car."""
    car = env.unwrapped.car
    numbers = [*car.hull.linearVelocity, car.hull.angularVelocity]
    for body in (car.hull, *car.wheels):
        numbers += [*body.position, body.angle]
    for wheel in car.wheels:
        numbers += [wheel.omega, wheel.phase, wheel.gas, wheel.joint.angle]
    return [float(number) for number in numbers]


class Comparison:
    """Drives both environments side by side and gathers how far the pictures differ."""

    def __init__(self, **arguments: Any) -> None:
        sub_rows = arguments.pop("sub_rows", 4)
        self.official = gymnasium.make("CarRacing-v3", **arguments)
        self.fast = FastCarRacing(sub_rows=sub_rows, **arguments)
        self.steps = self.laps = self.off = 0
        self.errors: list[float] = []

    def see(self, official: np.ndarray, fast: np.ndarray) -> None:
        assert fast.shape == official.shape
        assert fast.dtype == official.dtype
        difference = np.abs(fast.astype(int) - official)
        self.errors.append(float(difference.mean()))
        self.off += int((difference.max(axis=2) > 16).sum())

    def episode(self, seed: int, manner: str, steps: int) -> None:
        random = np.random.default_rng(seed)
        self.see(self.official.reset(seed=seed)[0], self.fast.reset(seed=seed)[0])
        for step in range(steps):
            action = action_of(manner, step, self.fast, random)
            official, fast = self.official.step(action), self.fast.step(action)
            assert fast[1:3] == official[1:3]
            assert fast[4] == official[4]
            assert pose(self.fast) == pose(self.official)
            self.see(official[0], fast[0])
            self.steps += 1
            if fast[2] or official[3]:
                self.laps += bool(fast[4].get("lap_finished"))
                break

    @property
    def off_share(self) -> float:
        """Share of pixels that differ by more than 16 levels in some channel."""
        return self.off / (len(self.errors) * 96 * 96)


@pytest.mark.parametrize("manner", MANNERS)
def test_equal_to_the_official_environment(manner: str) -> None:
    comparison = Comparison()
    comparison.episode(seed=MANNERS.index(manner), manner=manner, steps=160)
    assert np.mean(comparison.errors) <= 0.1
    assert comparison.off_share <= 0.0005


@pytest.mark.slow
def test_equal_over_many_seeds_with_laps() -> None:
    """HEBBEVO_CAR_SEEDS=48 makes it 40,000 steps and more, minutes of drawing official pictures."""
    seeds = int(os.environ.get("HEBBEVO_CAR_SEEDS", "8"))
    comparison = Comparison()
    for seed in range(seeds):
        comparison.episode(seed, MANNERS[seed % 4], steps=1000)
    print(comparison.steps, comparison.laps, np.mean(comparison.errors), comparison.off_share)
    assert comparison.steps >= 800 * seeds
    assert comparison.laps >= seeds // 8
    assert np.mean(comparison.errors) <= 0.1
    assert comparison.off_share <= 0.0005


def test_eight_sub_rows_are_more_faithful() -> None:
    four, eight = Comparison(sub_rows=4), Comparison(sub_rows=8)
    for comparison in (four, eight):
        comparison.episode(seed=5, manner="weave", steps=120)
    assert np.mean(eight.errors) < 0.9 * np.mean(four.errors)
    assert eight.off_share <= 0.0002


def test_random_colors_and_discrete_actions() -> None:
    comparison = Comparison(domain_randomize=True, continuous=False)
    for seed in (1, 2):
        comparison.see(comparison.official.reset(seed=seed)[0], comparison.fast.reset(seed=seed)[0])
        for action in [3] * 40 + [1, 3, 2, 0, 4] * 4:
            official, fast = comparison.official.step(action), comparison.fast.step(action)
            assert pose(comparison.fast) == pose(comparison.official)
            comparison.see(official[0], fast[0])
    assert np.mean(comparison.errors) <= 0.2


@pytest.mark.parametrize("mode", ["rgb_array", "state_pixels"])
def test_render_gives_the_official_picture(mode: str) -> None:
    official, fast = gymnasium.make("CarRacing-v3", render_mode=mode), FastCarRacing(render_mode=mode)
    for env in (official, fast):
        env.reset(seed=3)
        for _ in range(30):
            env.step(np.array([0.4, 1.0, 0.0], np.float32))
    np.testing.assert_array_equal(fast.render(), official.render())


def test_observations_do_not_share_memory() -> None:
    env = FastCarRacing()
    first, _ = env.reset(seed=0)
    kept = first.copy()
    for _ in range(5):
        second = env.step(np.array([0.0, 1.0, 0.0], np.float32))[0]
    np.testing.assert_array_equal(first, kept)
    assert not np.shares_memory(first, second)


def test_a_shared_track_is_the_official_one_and_stays_the_same() -> None:
    shared, official = FastCarRacing(track_seed=7), FastCarRacing()
    for episode in range(3):
        random = np.random.default_rng(episode)
        first, expected = shared.reset(seed=100 + episode)[0], official.reset(seed=7)[0]
        np.testing.assert_array_equal(first, expected)
        for step in range(150):
            action = action_of("weave", step, shared, random)
            ours, theirs = shared.step(action), official.step(action)
            assert ours[1:] == theirs[1:]
            assert pose(shared) == pose(official)
            np.testing.assert_array_equal(ours[0], theirs[0])


def test_the_track_can_change_at_a_reset() -> None:
    env, official = FastCarRacing(track_seed=1), FastCarRacing()
    tracks = []
    for track_seed in (1, 2, 2, None, 1):
        env.reset(seed=9, options={"track_seed": track_seed})
        official.reset(seed=9 if track_seed is None else track_seed)
        assert env.track == official.track
        assert len(env.road) == len(env.track)
        assert not any(tile.road_visited for tile in env.road[20:-20])
        tracks.append(env.track)
    assert tracks[0] == tracks[4] != tracks[1]


def test_pickle_keeps_the_options() -> None:
    env = pickle.loads(pickle.dumps(FastCarRacing(sub_rows=8, track_seed=4)))
    assert env.track_seed == 4
    np.testing.assert_array_equal(env.reset()[0], FastCarRacing(sub_rows=8).reset(seed=4)[0])


@pytest.mark.parametrize(
    "arguments", [{"sub_rows": 3}, {"sub_rows": 16}, {"track_seed": -1}, {"track_seed": 0.5}]
)
def test_bad_options(arguments: dict[str, Any]) -> None:
    with pytest.raises(EnvError, match=next(iter(arguments))):
        FastCarRacing(**arguments)


def test_drawing_survives_the_end_of_pygame() -> None:
    import pygame

    env = FastCarRacing()
    env.reset(seed=0)
    pygame.quit()
    frames = [env.step(np.zeros(3, np.float32))[0] for _ in range(15)]
    assert frames[0][-12:, :12].any()
    assert (frames[0][-12:, :12] != frames[-1][-12:, :12]).any()


def run_python(code: str) -> str:
    """Run `code` in a fresh interpreter that has no environment variable but where to find our code."""
    variables = {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=variables, capture_output=True, text=True, check=False, timeout=300
    )
    return done.stdout + done.stderr


def test_headless_without_any_environment_variable() -> None:
    code = (
        "import numpy as np; from hebbevo.envs.car_racing.environment import FastCarRacing;"
        "env = FastCarRacing(); env.reset(seed=0);"
        "print(env.step(np.zeros(3, np.float32))[0].shape)"
    )
    assert "(96, 96, 3)" in run_python(code)


def test_without_box2d_the_error_says_what_to_install() -> None:
    code = "import sys; sys.modules['Box2D'] = None; import hebbevo.envs.car_racing.environment"
    last = run_python(code).strip().splitlines()[-1]
    assert "EnvError" in last
    assert 'pip install "gymnasium[box2d]"' in last


def test_the_room_does_not_import_box2d() -> None:
    code = "import sys, hebbevo.envs; print({'Box2D', 'pygame'} & set(sys.modules))"
    assert run_python(code).strip() == "set()"


@pytest.mark.slow
def test_memory_stays_flat_over_two_thousand_episodes() -> None:
    env = FastCarRacing()
    kilobytes = []
    for episode in range(2_200):
        env.reset(seed=episode)
        for _ in range(10):
            env.step(np.array([0.0, 0.5, 0.0], np.float32))
        with open("/proc/self/statm") as file:
            kilobytes.append(int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024)
    growth = np.mean(kilobytes[-100:]) - np.mean(kilobytes[100:200])
    print(f"{growth:.0f} KB over 2,000 episodes")
    assert growth < 4_096
