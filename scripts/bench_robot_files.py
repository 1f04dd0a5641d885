#!/usr/bin/env python
"""What a robot's file costs beside hebbevo's own robot, and beside Gymnasium's environment of the same file.

    scripts/bench_robot_files.py [--rounds N] [FILE.xml]

The ant: whole lifetimes with networks of 28-128-64-8, built in and from its file, taken in turn. The walker: steps of a
batch of eight beside Gymnasium's Walker2d-v5, one after another. With FILE.xml, in their place: whole lifetimes of it
beside a plain loop that steps its model with `mj_step`, with a network of the same size and rule. CPU time of one
thread; medians over the rounds, and the median of the ratios within a round, which other programs disturb less.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path

import gymnasium
import numpy as np

import hebbevo
from hebbevo.benchmarks.gymnasium_loop import PlainNetwork
from hebbevo.config.schema import Config
from hebbevo.envs.mjcf.config import MjcfConfig
from hebbevo.envs.physics import mujoco
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

ROWS, STEPS = 8, 400
FEET = ["left_ankle_geom", "fourth_ankle_geom", "right_ankle_geom", "third_ankle_geom"]
ANT = {"env.gear": 20, "env.integrator": "implicitfast", "env.timestep": 0.00825, "env.substeps": 2}
REWARD = "velocity_x + 0.5*upright - 0.01*control - abs(roll)*tanh(pitch) + clip(height, 0, 1)"


def asset(name: str) -> str:
    """Return the path of a robot in the installed Gymnasium."""
    package = find_spec("gymnasium")
    assert package is not None
    assert package.submodule_search_locations
    return str(Path(package.submodule_search_locations[0]) / "envs" / "mujoco" / "assets" / name)


def lifetimes(config: Config) -> Callable[[], int]:
    """Return what runs a batch of lifetimes; it says how many agent-steps that took."""
    worker = CpuWorker(Task.of(config), batch_size=ROWS)
    values = np.stack([worker.task.first_genome(np.random.default_rng(row)) for row in range(ROWS)])

    def run() -> int:
        rows, bodies = list(range(ROWS)), ["intact"] * ROWS
        return int(worker.rollout(values, rows, rows, bodies, early_stop=False).steps.sum())

    return run


def ants() -> dict[str, Callable[[], int]]:
    """Return the ant, built in and from its file."""
    common = {"env.steps": STEPS, "env.early_stop": None}
    own = hebbevo.load_config("quick-quadruped", {**common, "env.morphologies": ["intact"]})
    from_file = {**common, **ANT, "env.name": "mjcf", "env.file": asset("ant.xml"), "env.feet": FEET}
    return {
        "quadruped": lifetimes(own),
        "its file": lifetimes(hebbevo.load_config("quick-quadruped", from_file)),
        "its file, a longer reward": lifetimes(
            hebbevo.load_config("quick-quadruped", {**from_file, "env.reward": REWARD})
        ),
    }


def walkers() -> dict[str, Callable[[], int]]:
    """Return steps of Gymnasium's walker and of a batch of the same file, four substeps of RK4 each."""
    plain = gymnasium.make("Walker2d-v5").unwrapped
    plain.reset(seed=0)
    settings = {"env.name": "mjcf", "env.file": asset("walker2d_v5.xml"), "env.substeps": 4}
    batch = hebbevo.load_config("quick-quadruped", settings).env.build(ROWS)
    batch.reset(list(range(ROWS)), ["intact"] * ROWS)
    actions = np.random.default_rng(0).uniform(-1, 1, (STEPS, 6)).astype(np.float32)

    def step_plain() -> int:
        for action in actions:
            plain.step(action)
        return STEPS

    def step_batch() -> int:
        for action in actions:
            batch.step(np.tile(action, (ROWS, 1)), np.arange(ROWS))
        return STEPS * ROWS

    return {"Gymnasium's Walker2d-v5": step_plain, "a batch of its file": step_batch}


def robots(path: str) -> dict[str, Callable[[], int]]:
    """Return a plain loop around the model of a file, and lifetimes of it, with a network of 128 and 64 neurons."""
    settings = {"env.name": "mjcf", "env.file": path, "env.steps": STEPS, "env.burn_in": 0}
    config = hebbevo.load_config("quick-quadruped", settings)
    env, random = config.env, np.random.default_rng(0)
    assert isinstance(env, MjcfConfig)
    sizes = list(Task.of(config).sizes)
    shapes = list(zip(sizes[1:], sizes[:-1], strict=True))
    model = mujoco.MjModel.from_xml_path(path)
    data, observation = mujoco.MjData(model), np.zeros(sizes[0], np.float32)
    state = np.zeros(model.nq + model.nv)

    def plain() -> int:
        coefficients = [random.normal(size=(*shape, 5)).astype(np.float32) for shape in shapes]
        weights = [random.uniform(-0.1, 0.1, shape).astype(np.float32) for shape in shapes]
        network = PlainNetwork(sizes, coefficients, weights, normalise=True)
        mujoco.mj_resetData(model, data)
        for _ in range(STEPS):
            state[: model.nq], state[model.nq :] = data.qpos, data.qvel
            seen = state[: sizes[0]]
            observation[: len(seen)] = seen
            data.ctrl[:] = network.forward(observation)
            for _ in range(env.control_substeps):
                mujoco.mj_step(model, data)
            network.learn()
        return STEPS

    return {f"a plain loop, {Path(path).name}": plain, "lifetimes of the file": lifetimes(config)}


def measure(runs: Mapping[str, Callable[[], int]], rounds: int) -> None:
    """Print microseconds per agent-step, and speed beside the first of the runs."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            start = time.process_time()
            steps = run()
            times[name].append((time.process_time() - start) / steps * 1e6)
    first = np.array(next(iter(times.values())))
    for name, taken in times.items():
        ratio = np.median(first / np.array(taken))
        print(f"{name:28} {np.median(taken):8.2f} us per agent-step, {ratio:6.3f} times as fast")


def main() -> None:
    """Measure them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("file", nargs="?", help="a robot to measure in their place")
    asked = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    if asked.file is not None:
        measure(robots(asked.file), asked.rounds)
        return
    measure(ants(), asked.rounds)
    measure(walkers(), asked.rounds)


if __name__ == "__main__":
    main()
