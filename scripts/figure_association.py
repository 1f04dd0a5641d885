#!/usr/bin/env python3
"""Draw what plasticity is worth in `association` by the number of stimuli: every arm's share, and plastic less static.

    scripts/figure_association.py FILE.png EXPERIMENT [EXPERIMENT ...]

An EXPERIMENT is a directory of `hebbevo experiment`, or holds its experiment.yaml, table.csv and differences.csv. A
share is of the oracle's reward over chance. Points are interquartile means over runs, differences are means over run
seeds; bars are 95 % intervals.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from hebbevo.envs import config_class
from hebbevo.io.figures import write_figure
from hebbevo.io.yaml_text import read_yaml

LOOKS = {
    "plastic": ("#0072b2", "o", "-"),
    "recurrent": ("#009e73", "^", "-."),
    "blind": ("#cc79a7", "D", ":"),
    "static": ("#d55e00", "s", "--"),
}
"""Colour, marker and line of each arm."""

Interval = tuple[float, float, float]
"""A value, and where its interval begins and ends."""


@dataclass(frozen=True)
class Experiment:
    """The tables of one number of stimuli, as shares of the oracle over chance."""

    stimuli: int
    arms: dict[str, Interval]
    gap: Interval

    @classmethod
    def read(cls, directory: Path) -> Experiment:
        """Read an experiment's directory."""
        text = (directory / "experiment.yaml").read_text("utf-8")
        env = read_yaml(text, "experiment.yaml")["arms"]["plastic"]["env"]
        world = config_class("association")(**env)

        def share(row: dict[str, Any], name: str, chance: float) -> Interval:
            values = (float(row[name + end]) for end in ("", "_low", "_high"))
            first, low, high = ((value - chance) / (world.oracle - world.chance) for value in values)
            return first, low, high

        arms = {row["arm"]: share(row, "iqm", world.chance) for row in _rows(directory / "table.csv")}
        gaps = {row["arm"]: share(row, "difference", 0.0) for row in _rows(directory / "differences.csv")}
        return cls(env["stimuli"], arms, gaps["plastic"])


def _rows(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def draw(experiments: Sequence[Experiment]) -> Figure:
    """Draw the shares of all arms, and the gap between plastic and static."""
    figure = Figure(figsize=(7, 3.4), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for number, (name, look) in enumerate(LOOKS.items()):
        # side by side: controls lie on each other
        shift = 1 + 0.03 * (number - (len(LOOKS) - 1) / 2)
        known = [experiment for experiment in experiments if name in experiment.arms]
        _curve(left, [e.stimuli * shift for e in known], [e.arms[name] for e in known], look, name)
    _curve(right, [e.stimuli for e in experiments], [e.gap for e in experiments], ("#222222", "o", "-"), "")
    for axes, title in ((left, "share of oracle over chance"), (right, "plastic less static")):
        axes.set_xscale("log", base=2)
        axes.set_xticks([e.stimuli for e in experiments], [str(e.stimuli) for e in experiments], minor=False)
        axes.set(xlabel="stimuli", ylim=(-0.1, 1.02))
        axes.set_title(title, fontsize=10)
        axes.axhline(0, color="0.6", linewidth=0.8, zorder=0)
        axes.spines[["top", "right"]].set_visible(False)
    left.legend(frameon=False, fontsize=8)
    return figure


def _curve(
    axes: Axes, at: Sequence[float], values: Sequence[Interval], look: tuple[str, str, str], label: str
) -> None:
    color, marker, line = look
    middles = [value for value, _, _ in values]
    below, above = [v - low for v, low, _ in values], [high - v for v, _, high in values]
    axes.errorbar(
        at, middles, [below, above], color=color, marker=marker, linestyle=line, label=label, capsize=2, ms=5
    )


def main() -> None:
    """Draw what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path)
    parser.add_argument("experiments", type=Path, nargs="+", metavar="EXPERIMENT")
    arguments = parser.parse_args()
    experiments = sorted(map(Experiment.read, arguments.experiments), key=lambda one: one.stimuli)
    write_figure(draw(experiments), arguments.file, dpi=150)
    for one in experiments:
        value, low, high = one.gap
        print(f"{one.stimuli} stimuli: plastic less static {value:.2f} ({low:.2f} to {high:.2f})")


if __name__ == "__main__":
    main()
