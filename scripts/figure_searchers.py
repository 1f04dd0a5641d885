#!/usr/bin/env python3
"""Draw the learning curves of several runs beside each other, at equal numbers of lifetimes or of agent-steps.

    scripts/figure_searchers.py FILE.png "NAME=RUN[,RUN...]" ["NAME=RUN[,RUN...]" ...] [--lifetimes N] [--per-steps N]

Lines with dots are the center's mean over fresh lifetimes, thin lines the population's mean, both from progress.csv.
Several runs after one name are stages of one evolution, each begun where the one before ended. --per-steps scales the
progress of lifetimes of other lengths to lifetimes of N steps, and puts agent-steps along the axis.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from hebbevo.training.run_config import read_config
from hebbevo.training.run_directory import RunDirectory

COLORS = ("#c44e52", "#4c72b0", "#8c8c8c", "#55a868", "#8172b2")


@dataclass(frozen=True)
class Curve:
    """One evolution: points (lifetimes or agent-steps, progress)."""

    name: str
    population: list[tuple[int, float]]
    center: list[tuple[int, float]]

    def until(self, cost: float) -> Curve:
        """Return the curve up to a number of lifetimes or agent-steps."""
        cut = [[point for point in points if point[0] <= cost] for points in (self.population, self.center)]
        return Curve(self.name, *cut)


def read(name: str, runs: list[Path], per_steps: int | None) -> Curve:
    """Read the progress.csv of the stages of an evolution."""
    population, center, cost = [], [], 0
    for run in runs:
        directory = RunDirectory.open(run, read_only=True)
        config = read_config(directory)
        lifetimes = config.search.population * len(config.env.morphology_names)
        scale = 1.0 if per_steps is None else per_steps / config.env.steps
        rows: list[dict[str, Any]] = [dict(row) for row in directory.read_progress()]
        for row in rows:
            cost += lifetimes if per_steps is None else row["agent_steps"]
            population.append((cost, scale * row["population_mean"]))
            if row["center_mean"] is not None:
                center.append((cost, scale * row["center_mean"]))
    return Curve(name, population, center)


def draw(curves: list[Curve], unit: str, per_steps: int | None, path: Path) -> None:
    """Draw the curves."""
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    for curve, color in zip(curves, COLORS, strict=False):
        axes.plot(*zip(*curve.population, strict=True), color=color, linewidth=0.9, alpha=0.7)
        axes.plot(*zip(*curve.center, strict=True), "o-", color=color, markersize=4, label=curve.name)
    x_label, y_label = "lifetimes", f"progress ({unit})"
    if per_steps is not None:
        x_label, y_label = "agent-steps", f"progress in {per_steps} steps ({unit})"
    axes.set(xlabel=x_label, ylabel=y_label, xlim=(0, None))
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="best", title="center (dots) and population (thin)")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Draw what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN[,RUN...]")
    parser.add_argument(
        "--lifetimes", type=int, default=2**62, help="draw no further (in agent-steps with --per-steps)"
    )
    parser.add_argument("--per-steps", type=int, help="scale progress to lifetimes of so many steps")
    arguments = parser.parse_args()
    texts = [text.rpartition("=")[::2] for text in arguments.runs]
    named = [(name, [Path(run) for run in runs.split(",")]) for name, runs in texts]
    per_steps = arguments.per_steps
    curves = [read(name, runs, per_steps).until(arguments.lifetimes) for name, runs in named]
    unit = read_config(RunDirectory.open(named[0][1][0], read_only=True)).env.unit
    draw(curves, unit, per_steps, arguments.file)
    for curve in curves:
        cost, center = curve.center[-1]
        mean, unit_of_cost = dict(curve.population)[cost], "lifetimes" if per_steps is None else "agent-steps"
        print(f"{curve.name}: {cost:,} {unit_of_cost}, center {center:.2f}, population {mean:.2f}")


if __name__ == "__main__":
    main()
