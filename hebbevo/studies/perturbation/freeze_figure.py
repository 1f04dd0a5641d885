"""The figure of the freeze curve: progress over the step from which weights change no more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from hebbevo.studies.drawing import COLORS, new_figure, numbers, rows_by, set_plain
from hebbevo.studies.genomes import short_names
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan
from hebbevo.studies.perturbation.records import Recorded
from hebbevo.studies.perturbation.tables import StudyTables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_CURVES: Final = (0, 20, 50, 100, 300)
"""Points of the freeze curve whose progress over time is drawn, besides the unperturbed one."""


def draw_freeze(plan: Plan, recorded: Recorded, tables: StudyTables) -> Figure:
    """Draw progress of full lifetimes over the step of freezing, and how it adds up."""
    names, curves = short_names(plan.genomes), rows_by(tables.freeze, "genome", "morphology")
    figure = new_figure(5 + 4 * len(curves), 4)
    left, *right = figure.subplots(1, 1 + len(curves), squeeze=False)[0]
    unit = plan.env.axis_label("{} in a lifetime", plan.metric)
    statistics = rows_by(tables.table, "genome", "morphology", "protocol")
    for number, ((case, rows), axes) in enumerate(zip(curves.items(), right, strict=True)):
        color = COLORS[number % len(COLORS)]
        unperturbed = statistics[(*case, UNPERTURBED)][0]
        label = names[case[0]] + (f", {case[1]}" if len(plan.morphologies) > 1 else "")
        t = [row["frozen_at"] for row in rows]
        left.fill_between(
            t, *(numbers(rows, name) for name in ("mean_low", "mean_high")), color=color, alpha=0.2, lw=0
        )
        left.plot(t, numbers(rows, "mean"), "o-", ms=3, color=color, label=label)
        if unperturbed["mean"] is not None:
            left.axhline(unperturbed["mean"], color=color, lw=1, ls="--")
        _draw_progress(axes, plan, recorded, case, label)
    left.set_xscale("symlog", linthresh=100, linscale=1.5)
    ticks = [0, 50, 100, 200, 500, 1000]
    left.set_xticks(ticks, [str(tick) for tick in ticks])
    left.minorticks_off()
    left.set_xlim(-3, plan.env.steps)
    set_plain(left, xlabel="weights frozen at step t (linear to 100)", ylabel=unit)
    left.set_title("dashed: never frozen", fontsize=8)
    left.legend(frameon=False, fontsize=8)
    return figure


def _draw_progress(axes: Axes, plan: Plan, recorded: Recorded, case: tuple[str, str], label: str) -> None:
    """Draw cumulative progress over time for some steps of freezing."""
    import matplotlib

    shown = [p for p in plan.protocols if p.frozen_at in _CURVES]
    colors = matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(shown) + 1))
    for protocol, color in zip((*shown, plan.protocols[0]), colors, strict=True):
        record = recorded.records[(*case, protocol.name)]
        finished = ~record.lifetimes.diverged
        if finished.any():
            mean = np.cumsum(record.progress[finished], axis=1).mean(axis=0)
            name = "never" if protocol.frozen_at is None else f"at {protocol.frozen_at}"
            axes.plot(np.arange(1, len(mean) + 1), mean, color=color, lw=1.5, label=name)
    set_plain(axes, xlabel="step t", ylabel=plan.env.axis_label("cumulative {}", plan.metric))
    axes.set_title(label, fontsize=8)
    axes.legend(frameon=False, fontsize=8, title="frozen", title_fontsize=8)
