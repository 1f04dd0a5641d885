"""The environment's step of CarRacing on one core: official, fast, and the physics alone.

Three environments take turns in one process, a new track in each round: Gymnasium's CarRacing, `FastCarRacing`, and
Gymnasium's with no drawing at all. A scripted driver keeps the car on the track; the first second of an episode, in
which the camera zooms in, is not counted, nor is the driver. Medians over all steps; resets stand apart, also those
that keep the track. drawing = fast - physics.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from gymnasium.envs.box2d.car_racing import CarRacing

from hebbevo.benchmarks.timing import Effort, one_core
from hebbevo.envs.car_racing import FastCarRacing
from hebbevo.envs.car_racing_driver import drive

ZOOM_STEPS = 50
FAST_STEPS, OFFICIAL_STEPS = 600, 60
"""Steps of a round; the official ones take forty times as long."""


class Undrawn(CarRacing):
    """Gymnasium's CarRacing without a picture: what the physics costs."""

    def _render(self, mode: str) -> None:
        """Draw nothing."""


def measure(effort: Effort) -> dict[str, Any]:
    """Let the environments take turns and return microseconds a step and milliseconds a reset, in CPU time."""
    fast, shared = FastCarRacing(), FastCarRacing(track_seed=0)
    count = effort.steps or FAST_STEPS
    turns: dict[str, tuple[CarRacing, int]] = {
        "official": (CarRacing(), min(count, OFFICIAL_STEPS)),
        "fast": (fast, count),
        "physics": (Undrawn(), count),
        "shared": (shared, 1),
    }
    steps: dict[str, list[float]] = {name: [] for name in turns}
    resets: dict[str, list[float]] = {name: [] for name in turns}
    with one_core():
        for drawn in (fast, shared):
            drawn.reset(seed=0)  # compiles the kernels
        for seed in range(effort.repeats):
            for name, (env, number) in turns.items():
                reset, seconds = timed_episode(env, seed, number)
                resets[name].append(reset)
                steps[name] += seconds
    us = {name: float(np.median(seconds)) * 1e6 for name, seconds in steps.items()}
    result = {
        "steps_per_s": 1e6 / us["fast"],
        "ratio_to_original_style": us["official"] / us["fast"],
        "us_per_step": us["fast"],
        "official_us": us["official"],
        "physics_us": us["physics"],
        "drawing_us": us["fast"] - us["physics"],
        **{
            f"{name}_reset_ms": float(np.median(resets[name])) * 1e3
            for name in ("official", "fast", "shared")
        },
    }
    return {name: round(value, 4) for name, value in result.items()}


def ratios(result: dict[str, Any]) -> dict[str, float]:
    """Return how many times longer the official environment takes."""
    return {"car_racing_official": result["ratio_to_original_style"]}


def timed_episode(env: CarRacing, seed: int, steps: int) -> tuple[float, list[float]]:
    """Return the seconds of the reset and of each of `steps` steps after the zoom."""
    begin = time.thread_time()
    env.reset(seed=seed)
    reset = time.thread_time() - begin
    seconds = []
    for step in range(ZOOM_STEPS + steps):
        action = drive(env)
        begin = time.thread_time()
        terminated = env.step(action)[2]
        if step >= ZOOM_STEPS:
            seconds.append(time.thread_time() - begin)
        if terminated:
            break
    return reset, seconds
