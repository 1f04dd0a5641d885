#!/usr/bin/env python3
"""Measure one agent-step of the quadruped on one core, by part, against the physics alone.

Whole lifetimes, birth and burn-in included, of random genomes on the default bodies. A block is lived once to
record its observations, actions and fitness; then four replays of it take turns in one process, `--repeats`
times, and medians are printed, in microseconds per counted agent-step:

| replay | what runs |
|---|---|
| lifetime | `hebbevo.task.Worker.live`, as evolution calls it, without early stop |
| physics | a bare `mujoco.batch` of the same (trimmed) models: burn-in and the recorded controls, nothing bound |
| environment | reset and steps of the environment with the recorded actions |
| network | birth, forward passes and updates of the networks with the recorded observations |

observation = environment - physics; rest = lifetime - environment - network: the loop and what the parts, run in
turns, cost each other's caches. No clock is read inside a replay, so nothing is distorted. The fraction of the
floor is the median of physics / lifetime over the repeats. CPU time of the thread stands beside the clock's,
and chooses the best block.

Example: `scripts/bench_quadruped.py --block 2 4 8 16 --json bench.json`
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import mujoco
import mujoco.batch
import numpy as np

from hebbevo.config import load_config
from hebbevo.envs import QuadrupedConfig, environment_stream
from hebbevo.envs.quadruped import compile_model
from hebbevo.network import PlasticNetwork
from hebbevo.rollout import Block, Hook, Lifetimes
from hebbevo.rules.cpu_kernel import CpuKernel
from hebbevo.task import Task, Worker

PARTS = ("us_per_step", "physics_us", "network_us", "observation_us", "rest_us", "fraction_of_floor")


class Recorder(Hook):
    """Keep what the network saw and did."""

    def __init__(self) -> None:
        self.observations: list[np.ndarray] = []
        self.actions: list[np.ndarray] = []

    def on_action(self, block: Block) -> None:
        """Copy the step's observations and actions."""
        self.observations.append(block.environment.observations.copy())
        self.actions.append(block.actions.copy())


class Replays:
    """A recorded block of lifetimes and its four replays; every genome lives once on each body."""

    def __init__(self, task: Task, block: int) -> None:
        assert isinstance(task.env, QuadrupedConfig)
        bodies = task.env.morphology_names
        self.task, self.env, self.block = task, task.env, block
        self.genome_of = [row // len(bodies) for row in range(block)]
        self.morphologies = [bodies[row % len(bodies)] for row in range(block)]
        self.seeds = list(range(block))
        generator = np.random.default_rng(0)
        self.genomes = np.stack([task.first_genome(generator) for _ in range(self.genome_of[-1] + 1)])
        self.worker = Worker(task, block)
        self.environment = task.env.build(block)
        initial = None if task.plasticity.weights_evolve else task.plasticity.weight_distribution
        self.network = PlasticNetwork(CpuKernel(task.kernel_spec), task.layout, initial, block)
        self.batch = self._bare_batch()
        self.recorded = Recorder()
        self.lived = self.lifetime(self.recorded)
        self.controls = [action.astype(np.float64) for action in self.recorded.actions]
        self._check_replay()

    def _bare_batch(self) -> mujoco.batch.Batch:
        env = self.env
        models = [
            compile_model(name, gear=env.gear, integrator=env.integrator, timestep=env.timestep)
            for name in self.morphologies
        ]
        batch = mujoco.batch.Batch(models[0], nsim=self.block, nthread=1)
        batch.set_models(models)
        self.poses = np.stack([model.numeric("init_qpos").data for model in models])
        for pose, seed in zip(self.poses, self.seeds, strict=True):
            pose[7:] += environment_stream(seed).uniform(-env.reset_noise, env.reset_noise, 8)
        return batch

    def _check_replay(self) -> None:
        """Make sure that physics alone comes to where the lifetimes came."""
        if self.lived.diverged.any() or (self.lived.steps != self.env.steps).any():
            raise SystemExit(
                "a lifetime ended early, so that its physics cannot be replayed; use another rule"
            )
        start = self.physics()
        progress = self.batch.bind("qpos")[:, 0] - start
        assert np.allclose(progress, self.lived.fitness, rtol=0, atol=1e-9), (progress, self.lived.fitness)

    def lifetime(self, *hooks: Hook) -> Lifetimes:
        """Live the block."""
        return self.worker.live(
            self.genomes, self.genome_of, self.seeds, self.morphologies, early_stop=False, hooks=hooks
        )

    def physics(self) -> np.ndarray:
        """Step the bodies alone; return where on the x axis they were after the burn-in, (block,)."""
        batch, substeps = self.batch, self.env.substeps
        batch.reset(stage=mujoco.mjtStage.mjSTAGE_NONE)
        batch.bind("qpos")[:] = self.poses
        controls = batch.bind("ctrl")
        if self.env.burn_in:
            batch.step(nstep=self.env.burn_in * substeps)
        start: np.ndarray = batch.bind("qpos")[:, 0].copy()
        for control in self.controls:
            controls[:] = control
            batch.step(nstep=substeps)
        return start

    def environment_alone(self) -> None:
        """Step the environment with the recorded actions."""
        active = np.arange(self.block)
        self.environment.reset(self.seeds, self.morphologies)
        for actions in self.recorded.actions:
            self.environment.step(actions, active)

    def network_alone(self) -> None:
        """Run the networks on the recorded observations."""
        active = np.arange(self.block)
        self.network.begin(self.genomes, self.genome_of, self.seeds)
        for observations in self.recorded.observations:
            self.network.forward(observations, active)
            self.network.learn(active)

    def measure(self, repeats: int) -> dict[str, Any]:
        """Return the parts on the clock, and under `cpu` in CPU time."""
        replays = (self.lifetime, self.physics, self.environment_alone, self.network_alone)
        for replay in replays:
            replay()
        turns = [[timed(replay) for replay in replays] for _ in range(repeats)]
        microseconds = (
            np.array(turns) * 1e6 / (self.block * self.env.steps)
        )  # (repeats, replay, clock or CPU)
        clock, cpu = (parts(microseconds[:, :, kind]) for kind in (0, 1))
        return {"block": self.block, **clock, "cpu": cpu}


def timed(replay: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds a replay takes, on the clock and of the thread's CPU time."""
    clock, cpu = time.perf_counter(), time.thread_time()
    replay()
    return time.perf_counter() - clock, time.thread_time() - cpu


def parts(turns: np.ndarray) -> dict[str, float]:
    """Return medians over turns, (repeats, 4): lifetime, physics, environment, network."""
    lifetime, physics, environment, network = turns.T
    values = (
        lifetime,
        physics,
        network,
        environment - physics,
        lifetime - environment - network,
        physics / lifetime,
    )
    return {name: round(float(np.median(value)), 4) for name, value in zip(PARTS, values, strict=True)}


def pin_to_one_cpu() -> int | None:
    """Stay on the last CPU that is allowed; return it, or None where the system cannot pin."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cpu = max(os.sched_getaffinity(0))
    os.sched_setaffinity(0, {cpu})
    return cpu


def machine(cpu: int | None) -> dict[str, Any]:
    """Describe where the numbers come from."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.is_file() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return {
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "pinned_to": cpu,
        "load": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
        "system": platform.system(),
        "python": platform.python_version(),
        **{package: version(package) for package in ("mujoco", "numba", "numpy")},
    }


def table(results: list[dict[str, Any]]) -> str:
    """Return the results as lines of text; CPU time in brackets."""
    lines = [f"{'block':>5}" + "".join(f"{name.removesuffix('_us'):>20}" for name in PARTS)]
    for result in results:
        cells = [f"{result[name]:.3f} ({result['cpu'][name]:.3f})" for name in PARTS]
        lines.append(f"{result['block']:>5}" + "".join(f"{cell:>20}" for cell in cells))
    return "\n".join(lines)


def positive(text: str) -> int:
    """Read an option that is a positive number."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number, got {text!r}")
    return int(text)


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument(
        "--block", type=positive, nargs="+", default=[2, 4, 8, 16], help="lifetimes in lockstep"
    )
    parser.add_argument("--repeats", type=positive, default=9, help="turns of the four replays")
    parser.add_argument("--steps", type=positive, default=1000, help="length of a lifetime")
    parser.add_argument("--rule", default="ABCD_lr", help="a name or an equation")
    parser.add_argument("--sharing", default="synapse", help="who shares the coefficients")
    parser.add_argument("--json", metavar="FILE", help="write the result there; - is standard output")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the benchmark."""
    options = read_options(arguments)
    settings = {
        "env.steps": options.steps,
        "plasticity.rule": options.rule,
        "plasticity.sharing": options.sharing,
    }
    try:
        preset = "quick-quadruped-static" if options.rule == "none" else "quick-quadruped"
        config = load_config(preset, [f"{key}={value}" for key, value in settings.items()])
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    where = machine(pin_to_one_cpu())
    results = [Replays(Task.of(config), block).measure(options.repeats) for block in options.block]
    best = min(results, key=lambda result: float(result["cpu"]["us_per_step"]))  # the clock counts neighbours
    text = sys.stderr if options.json == "-" else sys.stdout
    print("microseconds per agent-step, medians; CPU time in brackets", table(results), sep="\n", file=text)
    print(f"best block: {best['block']}", file=text)
    record = json.dumps({"machine": where, "quadruped": {**best, "blocks": results}}, indent=2) + "\n"
    if options.json == "-":
        sys.stdout.write(record)
    elif options.json:
        Path(options.json).write_text(record, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
