#!/usr/bin/env python3
"""Refresh docs/performance.md from a record of `hebbevo bench`: its tables, between their markers, and its figure.

Example: `hebbevo bench --json docs/performance.json && scripts/figure_performance.py docs/performance.json`
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

from hebbevo.benchmarks.tables import PEER_NAMES, sheets

DOCS = Path(__file__).resolve().parents[1] / "docs"
SECTION = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
BUSY = 0.5
"""Load average per core from which other processes slow a benchmark."""
PARTS = {
    "physics_us": ("physics", "#b8b8b8"),
    "network_us": ("network", "#0072b2"),
    "observation_us": ("observation", "#e69f00"),
    "rest_us": ("loop and caches", "#cc79a7"),
}


def refreshed(text: str, record: dict[str, Any]) -> str:
    """Return the page with the tables of the record in place of those between the markers."""

    def section(match: re.Match[str]) -> str:
        key = match.group(2)
        if key not in record:
            return match.group(0)
        return f"{match.group(1)}{markdown(key, record[key])}{match.group(3)}"

    return SECTION.sub(section, text)


def markdown(key: str, numbers: dict[str, Any]) -> str:
    """Return a key's tables, each under its title."""
    if key == "machine":
        return machine_line(numbers)
    texts = [
        (f"*{sheet.title}*\n\n" if sheet.title else "") + sheet.markdown() for sheet in sheets(key, numbers)
    ]
    return "\n" + "\n".join(texts) + "\n"


def machine_line(numbers: dict[str, Any]) -> str:
    """Return the machine in a sentence."""
    versions = ", ".join(
        f"{name} {numbers[name]}" for name in ("mujoco", "numba", "torch", "gymnasium", "evotorch", "ray")
    )
    busy = (numbers["load"] or 0) > BUSY * numbers["cores"]
    warning = " **The machine was busy: only CPU times and ratios can be trusted.**" if busy else ""
    return (
        f"{numbers['processor']}, {numbers['cores']} cores, load average {numbers['load']} at the start; "
        f"Python {numbers['python']}, {versions}.{warning}\n"
    )


def draw(record: dict[str, Any], path: Path) -> None:
    """Draw an agent-step by part across batch sizes, and beside the peers."""
    figure, (left, right) = pyplot.subplots(
        1, 2, figsize=(9, 3.6), layout="constrained", gridspec_kw={"width_ratios": [3, 2]}
    )
    draw_batch_sizes(left, record["quadruped"])
    draw_peers(right, record["peers"])
    for axes in (left, right):
        axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=130)


def draw_batch_sizes(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw stacked bars, one for each batch size, and the fraction of the physics' speed."""
    entries = numbers["blocks"]
    names = [str(entry["block"]) for entry in entries]
    bottoms = [0.0] * len(entries)
    for part, (label, color) in PARTS.items():
        # differences of times may be negative, by noise
        heights = [max(0.0, entry[part]) for entry in entries]
        axes.bar(names, heights, bottom=bottoms, label=label, color=color, width=0.65)
        bottoms = [bottom + height for bottom, height in zip(bottoms, heights, strict=True)]
    for column, entry in enumerate(entries):
        axes.annotate(
            f"{entry['us_per_step']:.1f}\n{entry['fraction_of_floor']:.0%}",
            (column, bottoms[column]),
            ha="center",
            va="bottom",
            fontsize=9,
        )
    axes.set(
        xlabel="lifetimes in a batch",
        ylabel="µs per agent-step, one core",
        ylim=(0, 1.35 * max(bottoms)),
        title="quadruped, 60 Hz; % of the physics' speed",
    )
    axes.legend(frameon=False, ncols=2, fontsize=8, loc="upper right")


def draw_peers(axes: Axes, numbers: dict[str, Any]) -> None:
    """Draw the physics alone, ours and the peers on Ant-v5's physics."""
    bars = {
        "physics alone": (numbers["physics_us"], "#b8b8b8"),
        "hebbevo": (numbers["us_per_step"], "#0072b2"),
    }
    for name, label in zip(PEER_NAMES, ("Gymnasium\nloop", "EvoTorch\nVecGymNE"), strict=True):
        if name in numbers:
            bars[label] = (numbers[name]["us_per_step"], "#d55e00")
    heights = [height for height, _ in bars.values()]
    drawn = axes.bar(list(bars), heights, color=[color for _, color in bars.values()], width=0.65)
    axes.bar_label(drawn, fmt="%.0f", fontsize=9)
    axes.tick_params(axis="x", labelsize=8)
    axes.set(title="Ant-v5's physics (RK4)", ylim=(0, 1.15 * max(heights)))


def main() -> None:
    """Parse the command line and refresh the page."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("record", type=Path, help="written by `hebbevo bench --json`")
    record = json.loads(parser.parse_args().record.read_text(encoding="utf-8"))
    page = DOCS / "performance.md"
    page.write_text(refreshed(page.read_text(encoding="utf-8"), record), encoding="utf-8")
    draw(record, DOCS / "figures" / "performance.png")


if __name__ == "__main__":
    main()
