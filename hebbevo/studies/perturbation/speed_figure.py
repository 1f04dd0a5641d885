"""The figure of speeds over time, beside those of the unperturbed twins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

from hebbevo.perturbations.perturbation import END_OF_LIFETIME
from hebbevo.studies.drawing import COLORS, Row, new_figure, rows_by, set_plain, wrapped
from hebbevo.studies.genomes import short_names
from hebbevo.studies.perturbation.curve_tables import BIN
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan, Protocol
from hebbevo.studies.perturbation.tables import StudyTables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_TWIN: Final = "#8c8c8c"


def draw_speed(plan: Plan, tables: StudyTables, events: Sequence[Protocol]) -> Figure:
    """Draw a panel per body, protocol and genome: speed over time beside the unperturbed twins."""
    cases = [(body, protocol) for body in plan.morphologies for protocol in events]
    names, rows = short_names(plan.genomes), rows_by(tables.speed, "genome", "morphology", "protocol")
    statistics = rows_by(tables.table, "genome", "morphology", "protocol")
    figure = new_figure(1.2 + 4.8 * len(plan.genomes), 0.6 + 2.6 * len(cases))
    grid = figure.subplots(len(cases), len(plan.genomes), sharex=True, sharey="row", squeeze=False)
    for line, (body, protocol) in zip(grid, cases, strict=True):
        for column, (axes, genome) in enumerate(zip(line, plan.genomes, strict=True)):
            key = (genome.name, body, protocol.name)
            _shade(axes, protocol, plan.env.steps)
            _curve(axes, rows.get((genome.name, body, UNPERTURBED), []), _TWIN, "unperturbed")
            _curve(axes, rows.get(key, []), COLORS[column % len(COLORS)], "perturbed")
            title = f"{names[genome.name]}, {protocol.name.replace('_', ' ')}"
            title += f" ({body})" if len(plan.morphologies) > 1 else ""
            axes.set_title(f"{wrapped(title)}\n{_recovery(statistics[key][0])}", fontsize=8)
            set_plain(
                axes, ylabel=f"speed ({plan.speed_unit})" if column == 0 else "", xlim=(0, plan.env.steps)
            )
            axes.legend(frameon=False, fontsize=7, loc="best")
    for axes in grid[-1]:
        axes.set_xlabel("step t")
    return figure


def _recovery(row: Row) -> str:
    if row["recovery_steps"] is None:
        return "no recovery within the lifetime" if row["recovery_from"] is not None else ""
    low, high = (_steps(row[name]) for name in ("recovery_low", "recovery_high"))
    return f"recovers after {row['recovery_steps']:.0f} steps (95 %: {low} to {high})"


def _steps(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f}"


def _shade(axes: Axes, protocol: Protocol, steps: int) -> None:
    """Mark the steps at which perturbations act."""
    for event in protocol.perturbations:
        if event.kind == "none":
            continue
        end = steps if event.ends == END_OF_LIFETIME else event.ends
        if end - event.begins > 1:
            axes.axvspan(event.begins, end, color="#f2c14e", alpha=0.3, lw=0)
        else:
            axes.axvline(event.begins, color="#d99a00", lw=1, ls="--")


def _curve(axes: Axes, rows: Sequence[Row], color: str, label: str) -> None:
    if not rows:
        return
    t, middle, low, high = (
        np.array([row[name] for row in rows], float) for name in ("t", "speed", "speed_low", "speed_high")
    )
    axes.fill_between(t + BIN / 2, low, high, color=color, alpha=0.2, lw=0)
    axes.plot(t + BIN / 2, middle, color=color, lw=1.3, label=label)
