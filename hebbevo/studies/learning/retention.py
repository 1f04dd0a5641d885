"""Retention in the seasons: does what was learnt in one season outlive the other?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hebbevo.evaluation.statistics import mean_estimate
from hebbevo.studies.drawing import new_figure, rows_by, set_plain, wrapped
from hebbevo.studies.genomes import short_names
from hebbevo.studies.learning.columns import columns
from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.results import Records
from hebbevo.studies.learning.scores import Scores
from hebbevo.studies.learning.styles import label, style

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

MEASURES: Final = ("first", "learnt", "retained")
RETENTION_TEXT: Final = """
first: best choices on the first day of a season that never was before. learnt: on its last day, of all years.
retained: on its first day of a later year, after the other seasons. Whoever forgets comes back to where it was on
the first.
"""
_SCHEMA: Final = {
    **dict.fromkeys(("genome", "morphology", "condition"), "string"),
    **{f"{name}{bound}": "float64" for name in MEASURES for bound in ("", "_low", "_high")},
}


def retention_table(plan: Plan, records: Records) -> pa.Table:
    """Return a row per genome and condition: means over lifetimes of `MEASURES`, with intervals."""
    import pyarrow as pa

    settings = plan.env.model_dump()
    rows = []
    for (genome, body, condition), record in records.items():
        best = Scores.of(record).best
        days = _days(settings["seasons"], settings["days"], best.shape[1])
        row = {"genome": genome, "morphology": body, "condition": condition}
        for name in MEASURES:
            row |= columns(name, mean_estimate(_finite_means(best[:, days[name]])))
        rows.append(row)
    return pa.Table.from_pylist(rows, schema=pa.schema(_SCHEMA))


def _days(seasons: int, days: int, count: int) -> dict[str, np.ndarray]:
    """Return which of so many days of a lifetime count for each of `MEASURES`."""
    day = np.arange(count)
    opening = day % days == 0
    first_year = day < seasons * days
    return {
        "first": opening & first_year,
        "learnt": day % days == days - 1,
        "retained": opening & ~first_year,
    }


def _finite_means(values: np.ndarray) -> np.ndarray:
    """Return the mean of each lifetime's days, ``(lifetimes,)``, of those that have any."""
    known = values[~np.isnan(values).all(axis=1)] if values.shape[1] else values[:0]
    return np.nanmean(known, axis=1) if len(known) else np.zeros(0)


def draw_retention(plan: Plan, table: pa.Table) -> Figure:
    """Draw a panel per genome: the three measures of every condition."""
    rows = rows_by(table, "genome", "condition")
    figure = new_figure(1 + 4.2 * len(plan.drawn), 3.4)
    panels = figure.subplots(1, len(plan.drawn), sharey=True, squeeze=False)[0]
    names = short_names(plan.drawn)
    for axes, genome in zip(panels, plan.drawn, strict=True):
        conditions = plan.conditions(genome)
        for number, condition in enumerate(conditions):
            (row,) = rows[genome.name, condition.name]
            at = np.arange(len(MEASURES)) + 0.08 * (number - (len(conditions) - 1) / 2)
            value, low, high = (
                np.array([row[f"{name}{bound}"] for name in MEASURES], float)
                for bound in ("", "_low", "_high")
            )
            color, _ = style(condition, conditions)
            axes.vlines(at, low, high, color=color, lw=1.4)
            axes.plot(at, value, "o", color=color, ms=4.5, label=label(condition))
        axes.axhline(0.5, color="#888888", lw=0.8, ls=":")
        axes.set_xticks(range(len(MEASURES)), MEASURES)
        axes.set_title(wrapped(names[genome.name]), fontsize=9)
        set_plain(axes, ylim=(0, 1.04))
    panels[0].set_ylabel("share of best choices")
    panels[-1].legend(frameon=False, fontsize=7, loc="lower right")
    return figure
