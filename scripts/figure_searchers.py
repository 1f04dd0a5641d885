#!/usr/bin/env python3
"""Draw the learning curves of several runs beside each other, at equal numbers of lifetimes.

    scripts/figure_searchers.py FILE.png "NAME=RUN" ["NAME=RUN" ...] [--lifetimes N]

Lines with dots are the centre's mean over fresh lifetimes, thin lines the population's mean, both from progress.csv.
"""

from __future__ import annotations

import argparse
import csv
from dataclasses import dataclass
from pathlib import Path

from matplotlib.figure import Figure

from hebbevo import load_config

COLOURS = ("#c44e52", "#4c72b0", "#8c8c8c", "#55a868", "#8172b2")


@dataclass(frozen=True)
class Curve:
    """One run: points (lifetimes, metres)."""

    name: str
    population: list[tuple[int, float]]
    center: list[tuple[int, float]]

    def until(self, lifetimes: int) -> Curve:
        """Return the curve up to a number of lifetimes."""
        cut = [
            [point for point in points if point[0] <= lifetimes] for points in (self.population, self.center)
        ]
        return Curve(self.name, *cut)


def read(name: str, run: Path) -> Curve:
    """Read a run's progress.csv."""
    config = load_config(run / "config.yaml")
    each = config.search.population * len(config.env.morphology_names)
    with (run / "progress.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    def points(column: str) -> list[tuple[int, float]]:
        return [(each * int(row["generation"]), float(row[column])) for row in rows if row[column]]

    return Curve(name, points("population_mean"), points("center_mean"))


def draw(curves: list[Curve], unit: str, path: Path) -> None:
    """Draw the curves."""
    figure = Figure(figsize=(7, 3.8), layout="constrained")
    axes = figure.subplots()
    for curve, colour in zip(curves, COLOURS, strict=False):
        axes.plot(*zip(*curve.population, strict=True), color=colour, linewidth=0.9, alpha=0.7)
        axes.plot(*zip(*curve.center, strict=True), "o-", color=colour, markersize=4, label=curve.name)
    axes.set(xlabel="lifetimes", ylabel=f"progress ({unit})", xlim=(0, None))
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.axhline(0, color="0.85", linewidth=0.8, zorder=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, loc="upper left", title="centre (dots) and population (thin)")
    figure.savefig(path, dpi=150)


def main() -> None:
    """Draw what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("runs", nargs="+", metavar="NAME=RUN")
    parser.add_argument("--lifetimes", type=int, default=2**62, help="draw no further")
    arguments = parser.parse_args()
    named = [text.rpartition("=")[::2] for text in arguments.runs]
    curves = [read(name, Path(run)).until(arguments.lifetimes) for name, run in named]
    draw(curves, load_config(Path(named[0][1]) / "config.yaml").env.unit, arguments.file)
    for curve in curves:
        lifetimes, center = curve.center[-1]
        mean = dict(curve.population)[lifetimes]
        print(f"{curve.name}: {lifetimes:,} lifetimes, centre {center:.2f}, population {mean:.2f}")


if __name__ == "__main__":
    main()
