#!/usr/bin/env python3
"""Draw a genome's walk: poses of the body, progress of many lifetimes, and the weights of one.

    scripts/figure_walk.py GENOME FILE.png [--morphology NAME] [--lifetimes N] [--seed S]

The quadruped only. Drawing the body needs EGL or OSMesa.
"""

from __future__ import annotations

import argparse
from contextlib import closing
from pathlib import Path

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from typing_extensions import override

from hebbevo import Genome, load_genome
from hebbevo.envs import QuadrupedConfig
from hebbevo.envs.robots.walker import BatchedQuadruped
from hebbevo.evaluation.controls import random_genome
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rendering.offscreen import OffscreenRenderer
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.worker import CpuWorker, Worker

CONDITIONS = {"evolved rule": "#c44e52", "the same weights, rule off": "#8c8c8c", "random rule": "#4c72b0"}
CONTROL_STEP = 0.0165
POSES = (0, 60, 150, 300, 500, 750, 999)
SNAPSHOTS = (0, 10, 100, 999)


class Recorder(Hook):
    """Records the rewards of every lifetime, and of the first one its poses and the weights of a layer."""

    def __init__(self, layer: int) -> None:
        self.layer = layer
        self.rewards: list[npt.NDArray[np.float64]] = []
        self.poses: dict[int, npt.NDArray[np.float64]] = {}
        self.weights: dict[int, npt.NDArray[np.float32]] = {}

    @override
    def on_observation(self, batch: Batch) -> None:
        if batch.step in SNAPSHOTS:
            self.weights[batch.step] = batch.network.weights(self.layer)[0].copy()

    @override
    def on_step(self, batch: Batch) -> None:
        assert isinstance(batch.environment, BatchedQuadruped)
        self.rewards.append(batch.environment.rewards.copy())
        if batch.step in POSES:
            self.poses[batch.step] = batch.environment.positions[0].copy()


def record(
    worker: Worker, genomes: npt.NDArray[np.float32], seeds: list[int], body: str, plastic: bool
) -> Recorder:
    """Run one lifetime per seed and return the recorder."""
    recorder = Recorder(layer=1)
    genome_of = list(range(len(seeds))) if len(genomes) > 1 else [0] * len(seeds)
    worker.rollout(
        genomes, genome_of, seeds, [body] * len(seeds), early_stop=False, plastic=plastic, hooks=[recorder]
    )
    return recorder


def draw_body(axes: Axes, env: QuadrupedConfig, body: str, poses: dict[int, npt.NDArray[np.float64]]) -> None:
    """Draw the body from the side at a few instants, side by side in one picture."""
    model = env.compile(body)
    with closing(OffscreenRenderer(model, 300, 300)) as renderer:
        pictures = [
            renderer.draw(pose, distance=3.2, angles=(90, -18), look_at=(pose[0], pose[1], 0.35))
            for pose in poses.values()
        ]
    axes.imshow(np.concatenate(pictures, axis=1))
    for column, (step, pose) in enumerate(poses.items()):
        label = f"{step * CONTROL_STEP:.1f} s, {pose[0]:.1f} m"
        axes.text(300 * column + 150, 22, label, ha="center", va="center", color="white", fontsize=8)
    axes.set_axis_off()


def draw(genome: Genome, body: str, lifetimes: int, seed: int, path: Path) -> None:
    """Run the lifetimes of all conditions and draw the figure."""
    env = genome.task.env
    if not isinstance(env, QuadrupedConfig):
        raise SystemExit(f"this figure is of the quadruped; {genome.name} evolved in {env.name}")
    worker = CpuWorker(genome.task, lifetimes)
    seeds = [lifetime_seed(seed, SeedPurpose.EVALUATION, episode) for episode in range(lifetimes)]
    random_genomes = np.stack([random_genome(genome.task, genome.values, s) for s in seeds])
    evolved = genome.values[None, :]
    records = [
        record(worker, evolved, seeds, body, plastic=True),
        record(worker, evolved, seeds, body, plastic=False),
        record(worker, random_genomes, seeds, body, plastic=True),
    ]
    figure = Figure(figsize=(10, 5.4), layout="constrained")
    upper, lower = figure.subfigures(2, 1, squeeze=False, height_ratios=(1, 1.75)).flat
    draw_body(upper.subplots(), env, body, records[0].poses)
    left, right = lower.subfigures(1, 2, width_ratios=(1.15, 1))
    draw_progress(left.subplots(), records)
    draw_weights(list(right.subplots(1, len(SNAPSHOTS))), records[0].weights)
    right.suptitle("first layer's weights, one lifetime", fontsize=9)
    figure.savefig(path, dpi=130)


def draw_progress(axes: Axes, records: list[Recorder]) -> None:
    """Draw progress over time, every lifetime and the mean."""
    for (label, color), recorded in zip(CONDITIONS.items(), records, strict=True):
        progress = np.cumsum(recorded.rewards, axis=0)
        time = np.arange(1, len(progress) + 1) * CONTROL_STEP
        axes.plot(time, progress, color=color, alpha=0.18, lw=0.7)
        axes.plot(
            time, progress.mean(axis=1), color=color, lw=2, label=f"{label}: {progress[-1].mean():.1f} m"
        )
    axes.set(xlabel="time since reset (s)", ylabel="progress (m)", xlim=(0, None))
    axes.legend(frameon=False, fontsize=8, loc="upper left")
    axes.spines[["top", "right"]].set_visible(False)


def draw_weights(axes: list[Axes], weights: dict[int, npt.NDArray[np.float32]]) -> None:
    """Draw the weight matrix at some instants, each on its own scale."""
    for panel, (step, matrix) in zip(axes, weights.items(), strict=True):
        limit = float(np.quantile(np.abs(matrix), 0.98)) or 1.0
        panel.imshow(matrix, aspect="auto", cmap="RdBu_r", vmin=-limit, vmax=limit, interpolation="nearest")
        panel.set_title(f"t = {step}\n±{limit:.2g}", fontsize=8)
        panel.set(xticks=[], yticks=[])


def main() -> None:
    """Read the arguments and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("genome")
    parser.add_argument("file", type=Path)
    parser.add_argument("--morphology", default="intact")
    parser.add_argument("--lifetimes", type=int, default=16)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    draw(
        load_genome(arguments.genome),
        arguments.morphology,
        arguments.lifetimes,
        arguments.seed,
        arguments.file,
    )


if __name__ == "__main__":
    main()
