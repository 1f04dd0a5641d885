#!/usr/bin/env python3
"""Draw the CarRacing tracks on which a genome does worst, and the point of each where the lifetime ended.

    scripts/figure_tracks.py FILE.png GENOME [--episodes N] [--tracks N]

GENOME is a file, a run or zoo:NAME. It runs one lifetime on each of N fresh tracks, with the early stop of its config
(more than 20 negative rewards in a row).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from hebbevo import load_genome
from hebbevo.envs.car_racing.environment import FastCarRacing
from hebbevo.seeding import SeedPurpose, level_seed, lifetime_seed
from hebbevo.tasks.worker import CpuWorker

COLUMNS = 6


def draw(lifetimes: list[tuple[int, float, int]], episodes: int, path: Path) -> None:
    """Draw the tracks of (lifetime seed, reward, steps)."""
    rows = -(-len(lifetimes) // COLUMNS)
    figure = Figure(figsize=(2 * COLUMNS, 2 * rows + 0.4), layout="constrained")
    panels = list(figure.subplots(rows, COLUMNS, squeeze=False).flat)
    for axes in panels:
        axes.set_axis_off()
    for axes, (seed, reward, steps) in zip(panels, lifetimes, strict=False):
        environment = FastCarRacing(track_seed=level_seed(seed))
        environment.reset()
        road = np.array(environment.track)[:, 2:4]  # (alpha, beta, x, y) of each tile
        environment.close()  # type: ignore[no-untyped-call]
        reached = round((reward + 0.1 * steps) / 1000 * len(road)) % len(road)  # reward 1000 / tiles for each
        axes.plot(*np.vstack([road, road[:1]]).T, color="0.75", linewidth=4)
        axes.plot(*road[:reached].T, color="#4c72b0", linewidth=1)
        axes.plot(*road[0], "o", color="#55a868", markersize=5)
        axes.plot(*road[reached], "*", color="#c44e52", markersize=10)
        axes.set_aspect("equal")
        axes.set_title(f"{reward:.0f}", fontsize=9)
    figure.suptitle(
        f"The {len(lifetimes)} worst of {episodes} lifetimes: start (green), end (red)", fontsize=10
    )
    figure.savefig(path, dpi=110)


def main() -> None:
    """Draw what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, metavar="FILE.png")
    parser.add_argument("genome", metavar="GENOME")
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--tracks", type=int, default=12)
    arguments = parser.parse_args()
    genome = load_genome(arguments.genome)
    if genome.task.env.name != "car_racing":
        parser.error(f"{arguments.genome} evolved on {genome.task.env.name}; name a genome of car_racing")
    worker, lifetimes = CpuWorker(genome.task, 1), []
    for episode in range(arguments.episodes):
        seed = lifetime_seed(0, SeedPurpose.EVALUATION, episode)
        result = worker.rollout(
            genome.values[None], [0], [seed], genome.task.env.morphology_names, early_stop=True
        )
        if not result.diverged[0]:
            lifetimes.append((seed, float(result.fitness[0]), int(result.steps[0])))
    worst = sorted(lifetimes, key=lambda lifetime: lifetime[1])[: arguments.tracks]
    draw(worst, arguments.episodes, arguments.file)


if __name__ == "__main__":
    main()
