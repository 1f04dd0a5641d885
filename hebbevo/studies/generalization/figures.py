"""Figures of a study of generalisation: groups of bodies seen and unseen, and every body by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbevo.evaluation.controls import CONTROLS, GENOME
from hebbevo.io.figures import write_figure
from hebbevo.studies.arms import subjects
from hebbevo.studies.generalization.plan import GROUPS, Plan
from hebbevo.studies.genomes import shorten

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes

Row = Mapping[str, Any]

_COLORS = ("#4c72b0", "#dd8452", "#55a868", "#8172b3", "#c44e52", "#937860", "#da8bc3", "#64b5cd")
_CONTROLS = (("#555555", "x"), ("#7f7f7f", "^"), ("#a0a0a0", "s"))
"""Color and marker of each control, in the order of the registry."""
_BANDS = {"seen": "#e9f2ea", "unseen": "#ffffff", "test": "#eef1f6"}


def draw_figures(folder: Path, plan: Plan, table: pa.Table, arms: pa.Table) -> list[Path]:
    """Draw ``groups.png`` and ``bodies.png``, an arm in place of its genomes; return their paths."""
    in_arms = {name for names in plan.arms.values() for name in names}
    rows = [{**row, "genome": row["arm"]} for row in arms.to_pylist()]
    alone = [row for row in table.to_pylist() if row["genome"] not in in_arms]
    if plan.baseline in in_arms:  # theirs is over one run of it
        alone = [{**row, "improvement": None} for row in alone]
    rows += alone
    groups, bodies = folder / "groups.png", folder / "bodies.png"
    _draw_groups(groups, plan, [row for row in rows if row["morphology"] is None])
    _draw_bodies(bodies, plan, [row for row in rows if row["morphology"] is not None])
    return [groups, bodies]


def _fitness(plan: Plan) -> str:
    return plan.genomes[0].task.env.axis_label("{} in a lifetime", plan.metric)


def _draw_groups(path: Path, plan: Plan, rows: Sequence[Row]) -> None:
    """Interquartile means by group, and the probability of improvement over the baseline."""
    from matplotlib.figure import Figure

    panels = 1 if plan.baseline is None else 2
    lines = [(group, row) for group in GROUPS for row in rows if row["group"] == group]
    figure = Figure(figsize=(4 + 3 * panels, 1.3 + 0.27 * len(lines)), layout="constrained")
    axes = figure.subplots(1, panels, sharey=True, squeeze=False)[0]
    for height, (_, row) in enumerate(lines):
        color, marker = _style(plan, row)
        _point(axes[0], row, "iqm", height, color, marker)
        if panels == 2 and row["improvement"] is not None:
            _point(axes[1], row, "improvement", height, color, marker)
    for axis in axes:
        _bands(axis, [group for group, _ in lines])
        _frame(axis)
    short = shorten(list(subjects(plan.genomes, plan.arms)))
    names = [short[row["genome"]] if row["condition"] == GENOME else row["condition"] for _, row in lines]
    for label, (_, row) in zip(axes[0].set_yticks(range(len(lines)), names, fontsize=8), lines, strict=True):
        label.label1.set_color(_style(plan, row)[0])
    axes[0].set_ylim(len(lines) - 0.5, -0.5)
    axes[0].set_xlabel(f"{_fitness(plan)}, IQM", fontsize=9)
    _name_groups(axes[-1], [group for group, _ in lines])
    if panels == 2:
        axes[1].axvline(0.5, color="#888888", lw=0.8, ls=":")
        axes[1].set_xlim(-0.04, 1.04)
        axes[1].set_xlabel(f"P(better than {short[str(plan.compared_with)]})", fontsize=9)
    write_figure(figure, path, dpi=150)


def _draw_bodies(path: Path, plan: Plan, rows: Sequence[Row]) -> None:
    """Interquartile means of every body: a line each, in the groups of the first genome."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    first, names = plan.genomes[0], list(subjects(plan.genomes, plan.arms))
    bodies = [(group, body) for group in GROUPS for body in plan.bodies(first, group)]
    spacing = min(0.22, 0.7 / len(names))
    figure = Figure(figsize=(7.5, 1.6 + len(bodies) * max(0.21, 0.07 * len(names))), layout="constrained")
    axes = figure.subplots()
    heights = {body: height for height, (_, body) in enumerate(bodies)}
    short, drawn = shorten(names), dict[str, tuple[str, str]]()
    for row in rows:
        if row["condition"] != GENOME and row["genome"] != names[0]:
            continue
        color, marker = _style(plan, row)
        number = names.index(row["genome"])
        shift = spacing * (number - (len(names) - 1) / 2) if row["condition"] == GENOME else 0.0
        _point(
            axes,
            row,
            "iqm",
            heights[row["morphology"]] + shift,
            color,
            marker,
            whisker=row["condition"] == GENOME,
            hollow=(row["group"], row["morphology"]) not in bodies,
        )
        name = short[row["genome"]]
        drawn[name if row["condition"] == GENOME else f"control of {name}: {row['condition']}"] = (
            color,
            marker,
        )
    _bands(axes, [group for group, _ in bodies])
    _frame(axes)
    axes.set_yticks(range(len(bodies)), [body.replace("_", " ") for _, body in bodies], fontsize=8)
    axes.set_ylim(len(bodies) - 0.5, -0.5)
    axes.tick_params(axis="x", labeltop=True)
    axes.set_xlabel(f"{_fitness(plan)}: interquartile mean, 95 % bootstrap interval", fontsize=9)
    _name_groups(axes, [group for group, _ in bodies])
    handles = [
        Line2D([], [], color=color, marker=marker, ls="", ms=5, label=name)
        for name, (color, marker) in drawn.items()
    ]
    if any((row["group"], row["morphology"]) not in bodies for row in rows):
        label = "hollow: in another group for these"
        handles.append(Line2D([], [], color="#555555", marker="o", mfc="white", ls="", ms=5, label=label))
    figure.legend(handles=handles, loc="outside upper center", ncols=2, frameon=False, fontsize=8)
    write_figure(figure, path, dpi=150)


def _style(plan: Plan, row: Row) -> tuple[str, str]:
    if row["condition"] != GENOME:
        return _CONTROLS[list(CONTROLS).index(row["condition"]) % len(_CONTROLS)]
    names = list(subjects(plan.genomes, plan.arms))
    return _COLORS[names.index(row["genome"]) % len(_COLORS)], "o"


def _point(
    axes: Axes,
    row: Row,
    name: str,
    height: float,
    color: str,
    marker: str,
    *,
    whisker: bool = True,
    hollow: bool = False,
) -> None:
    """Draw a statistic and its interval; nothing where every lifetime diverged."""
    if row[name] is None:
        return
    if whisker and row[f"{name}_low"] is not None:
        axes.plot([row[f"{name}_low"], row[f"{name}_high"]], [height, height], color=color, lw=1.4, zorder=2)
    face = "white" if hollow else color
    axes.plot(row[name], height, marker, color=color, mfc=face, ms=4.5 if whisker else 3, zorder=3)


def _bands(axes: Axes, groups: Sequence[str]) -> None:
    for start, stop, group in _runs(groups):
        axes.axhspan(start - 0.5, stop - 0.5, color=_BANDS[group], lw=0, zorder=0)
        if start:
            axes.axhline(start - 0.5, color="#999999", lw=0.8, zorder=1)


def _name_groups(axes: Axes, groups: Sequence[str]) -> None:
    for start, stop, group in _runs(groups):
        middle = (start + stop - 1) / 2
        axes.text(1.015, middle, group, transform=axes.get_yaxis_transform(), va="center", fontsize=9)


def _runs(groups: Sequence[str]) -> Iterable[tuple[int, int, str]]:
    """Yield start, stop and name of each run of equal names."""
    start = 0
    for stop in range(1, len(groups) + 1):
        if stop == len(groups) or groups[stop] != groups[start]:
            yield start, stop, groups[start]
            start = stop


def _frame(axes: Axes) -> None:
    axes.grid(axis="x", alpha=0.3, zorder=1)
    axes.tick_params(axis="y", length=0)
    axes.tick_params(axis="x", labelsize=8)
    axes.axvline(0, color="#bbbbbb", lw=0.8, zorder=1)
    axes.spines[["top", "right", "left"]].set_visible(False)
