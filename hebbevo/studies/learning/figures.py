"""Figures of a study of learning: by trial, around changes, whole lifetimes beside chance and oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from hebbevo.evaluation.controls import GENOME
from hebbevo.io.figures import write_figure
from hebbevo.studies.arms import subjects
from hebbevo.studies.drawing import Row, new_figure, numbers, rows_by, set_plain, wrapped
from hebbevo.studies.genomes import short_names, shorten
from hebbevo.studies.learning.columns import references
from hebbevo.studies.learning.lifetime_figure import draw_lifetime
from hebbevo.studies.learning.plan import LearningCondition, Plan
from hebbevo.studies.learning.results import Records
from hebbevo.studies.learning.special import SPECIAL
from hebbevo.studies.learning.styles import label, style
from hebbevo.studies.learning.tables import StudyTables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    Rows = Mapping[tuple[str, str, str], Sequence[Row]]

_LINES: Final = {"chance": ":", "reactive": "--", "oracle": "-"}


def draw_figures(folder: Path, plan: Plan, records: Records, tables: StudyTables) -> dict[str, Path]:
    """Draw the figures; return their paths by name."""
    figures = {"curve": _draw_curves(plan, tables)}
    for number, genome in enumerate(plan.drawn):
        record = records[genome.name, plan.morphologies[0], GENOME]
        name = "lifetime" if len(plan.drawn) == 1 else f"lifetime_{number}"
        if not record.lifetimes.diverged[0]:
            figures[name] = draw_lifetime(genome, record, short_names(plan.drawn)[genome.name])
    if special := SPECIAL.get(plan.env.name):
        figures[special.name] = special.draw(plan, tables.special)
    paths = {name: folder / f"{name}.png" for name in figures}
    for name, figure in figures.items():
        write_figure(figure, paths[name], dpi=150)
    return paths


def _draw_curves(plan: Plan, tables: StudyTables) -> Figure:
    """A row of panels for each genome or arm, and task: by trial, around a change, the reward of whole lifetimes."""
    import pyarrow as pa

    drawn = subjects(plan.genomes, plan.arms)
    places = [(name, body) for name in drawn for body in plan.morphologies]
    keys = ("genome", "morphology", "condition")
    curve = rows_by(tables.bins, *keys)
    changes = rows_by(pa.concat_tables([tables.changes, tables.arm_changes]), *keys)
    table = {**rows_by(tables.table, *keys), **_arm_totals(tables)}
    trials = "trial" if tables.bin_width == 1 else f"trial (means of {tables.bin_width})"
    panels = 3 if changes else 2
    figure = new_figure(4.2 * panels, 0.4 + 3.1 * len(places))
    grid = figure.subplots(len(places), panels, squeeze=False)
    short = shorten(list(drawn))
    for line, where in zip(grid, places, strict=True):
        name, body = where
        conditions, guess = plan.conditions(drawn[name][0]), plan.world(body).guess
        _by_trial(line[0], where, conditions, curve, "trial", guess)
        line[0].set_xlabel(trials)
        runs = f", {len(drawn[name])} runs" if name in plan.arms else ""
        line[0].set_title(wrapped(short[name] + (f" ({body})" if plan.tasks else "") + runs), fontsize=9)
        if panels == 3:
            _by_trial(line[1], where, conditions, changes, "since", guess)
            line[1].axvline(-0.5, color="#d99a00", lw=1, ls="--")
            line[1].set_xlabel("trials since a change of what is right")
        _whole_lifetimes(line[-1], where, conditions, table, references(plan, body))
    return figure


def _arm_totals(tables: StudyTables) -> dict[tuple[str, str, str], list[Row]]:
    """Return the rows of arms under the names of a genome's columns."""
    bounds = ("", "_low", "_high")
    return {
        (row["arm"], row["morphology"], row["condition"]): [
            {f"reward{bound}": row[f"iqm{bound}"] for bound in bounds}
        ]
        for row in tables.arms.to_pylist()
    }


def _by_trial(
    axes: Axes,
    where: tuple[str, str],
    conditions: Sequence[LearningCondition],
    table: Rows,
    column: str,
    guess: float,
) -> None:
    """Draw the share of best choices, of those trials that half of the lifetimes have."""
    from matplotlib.ticker import MaxNLocator

    axes.axhline(guess, color="#888888", lw=0.8, ls=":")
    for condition in reversed(conditions):
        rows = [row for row in table.get((*where, condition.name), ()) if row["best"] is not None]
        most = max((row["lifetimes"] for row in rows), default=0)
        rows = [row for row in rows if row["lifetimes"] >= most / 2]
        if not rows:
            continue
        at, best, low, high = (
            np.array(numbers(rows, name)) for name in (column, "best", "best_low", "best_high")
        )
        color, line = style(condition, conditions)
        axes.plot(
            at, best, line, marker="o", ms=2.5, color=color, lw=1.8 if condition.kind == GENOME else 1.1
        )
        axes.fill_between(at, low, high, color=color, alpha=0.15, lw=0)
    set_plain(axes, ylabel="share of best choices", ylim=(-0.02, 1.04))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))


def _whole_lifetimes(
    axes: Axes,
    where: tuple[str, str],
    conditions: Sequence[LearningCondition],
    table: Rows,
    known: Mapping[str, float],
) -> None:
    """Draw the mean reward of each condition, with the lines of chance, fixed maps and oracle."""
    _references(axes, known)
    for height, condition in enumerate(conditions):
        (row,) = table[(*where, condition.name)]
        if row["reward"] is None:
            continue
        color, _ = style(condition, conditions)
        if row["reward_low"] is not None:
            axes.plot([row["reward_low"], row["reward_high"]], [height, height], color=color, lw=1.6)
        axes.plot(row["reward"], height, "o", color=color, ms=5)
    set_plain(axes, xlabel="reward of a lifetime", ylim=(len(conditions) - 0.5, -0.5))
    labels = [label(condition) for condition in conditions]
    for tick, condition in zip(
        axes.set_yticks(range(len(conditions)), labels, fontsize=8), conditions, strict=True
    ):
        tick.label1.set_color(style(condition, conditions)[0])


def _references(axes: Axes, rewards: Mapping[str, float]) -> None:
    """Draw a line at each reward, with the names of all that come to it."""
    for reward in dict.fromkeys(rewards.values()):
        names = [name for name, value in rewards.items() if value == reward]
        axes.axvline(reward, color="#888888", lw=1, ls=_LINES[names[-1]])
        axes.text(
            reward,
            1.02,
            ", ".join(names),
            transform=axes.get_xaxis_transform(),
            fontsize=7,
            rotation=20,
            color="#555555",
        )
