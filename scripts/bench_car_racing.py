#!/usr/bin/env python3
"""Measure the environment's step of CarRacing on one core: official, fast, and the physics alone.

Three environments take turns in one process, `--rounds` times, a new track in each round: Gymnasium's CarRacing,
`FastCarRacing`, and Gymnasium's with no drawing at all. A scripted driver keeps the car on the track; the first
second of an episode, in which the camera zooms in, is not counted, nor is the driver. Medians over all steps are
printed, in microseconds of the clock; resets stand apart, in milliseconds, also those that keep the track.
drawing = fast - physics; ratio = official / fast.

Examples: `scripts/bench_car_racing.py --json bench.json`
          `scripts/bench_car_racing.py --figure car.png` draws official frames, ours, and eight times the difference
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium.envs.box2d.car_racing import CarRacing

from hebbevo.envs.car_racing import FastCarRacing
from hebbevo.envs.car_racing_driver import drive

ZOOM_STEPS = 50
FIGURE_STEPS = (0, 25, 70, 160, 300)


class Undrawn(CarRacing):
    """Gymnasium's CarRacing without a picture: what the physics costs."""

    def _render(self, mode: str) -> None:
        """Draw nothing."""


def timed_episode(env: CarRacing, seed: int, steps: int) -> tuple[float, list[float]]:
    """Return the seconds of the reset and of each of `steps` steps after the zoom."""
    begin = time.perf_counter()
    env.reset(seed=seed)
    reset = time.perf_counter() - begin
    seconds = []
    for step in range(ZOOM_STEPS + steps):
        action = drive(env)
        begin = time.perf_counter()
        terminated = env.step(action)[2]
        if step >= ZOOM_STEPS:
            seconds.append(time.perf_counter() - begin)
        if terminated:
            break
    return reset, seconds


def measure(rounds: int, sub_rows: int) -> dict[str, Any]:
    """Let the environments take turns and return the numbers of the report."""
    fast, shared = FastCarRacing(sub_rows=sub_rows), FastCarRacing(sub_rows=sub_rows, track_seed=0)
    turns = {
        "official": (CarRacing(), 60),
        "fast": (fast, 600),
        "physics": (Undrawn(), 600),
        "shared": (shared, 1),
    }
    for env in (fast, shared):
        env.reset(seed=0)  # compiles the kernels
    steps: dict[str, list[float]] = {name: [] for name in turns}
    resets: dict[str, list[float]] = {name: [] for name in turns}
    for seed in range(rounds):
        for name, (env, count) in turns.items():
            reset, seconds = timed_episode(env, seed, count)
            resets[name].append(reset)
            steps[name] += seconds
    us = {name: float(np.median(seconds)) * 1e6 for name, seconds in steps.items()}
    ms = {f"{name}_reset_ms": float(np.median(resets[name])) * 1e3 for name in ("official", "fast", "shared")}
    return {
        "official_us": us["official"],
        "fast_us": us["fast"],
        "physics_us": us["physics"],
        "drawing_us": us["fast"] - us["physics"],
        "fastest_tenth_us": float(np.quantile(steps["fast"], 0.1)) * 1e6,
        "ratio": us["official"] / us["fast"],
        **ms,
    }


def save_figure(path: Path, sub_rows: int) -> None:
    """Save rows of (official frame, ours, difference times eight), four times enlarged."""
    from PIL import Image

    official, fast = CarRacing(), FastCarRacing(sub_rows=sub_rows)
    rows = []
    for seed in (0, 3):
        frames = [(official.reset(seed=seed)[0], fast.reset(seed=seed)[0])]
        for _ in range(max(FIGURE_STEPS)):
            action = drive(fast)
            frames.append((official.step(action)[0], fast.step(action)[0]))
        for theirs, ours in (frames[step] for step in FIGURE_STEPS):
            difference = np.clip(8 * np.abs(ours.astype(int) - theirs), 0, 255).astype(np.uint8)
            rows.append(np.hstack([theirs, ours, difference]))
    picture = np.vstack(
        [np.hstack(pair) for pair in zip(rows[: len(rows) // 2], rows[len(rows) // 2 :], strict=True)]
    )
    Image.fromarray(picture.repeat(4, axis=0).repeat(4, axis=1)).save(path)


def main() -> None:
    """Parse the command line, measure, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--sub-rows", type=int, default=4)
    parser.add_argument("--json", metavar="FILE", help="write the numbers there; - is standard output")
    parser.add_argument("--figure", metavar="FILE", type=Path, help="save a picture instead (needs Pillow)")
    arguments = parser.parse_args()
    if arguments.figure is not None:
        save_figure(arguments.figure, arguments.sub_rows)
        return
    report = measure(arguments.rounds, arguments.sub_rows)
    report = {"machine": platform.processor() or platform.machine(), "load": os.getloadavg()[0], **report}
    if arguments.json == "-":
        json.dump(report, sys.stdout, indent=2)
        print()
        return
    for name, value in report.items():
        print(f"{name:18} {value:.1f}" if isinstance(value, float) else f"{name:18} {value}")
    if arguments.json:
        Path(arguments.json).write_text(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()
