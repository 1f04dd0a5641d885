"""Figures of a comparison, each a function of its tables: scores, learning curves, performance profiles.

Arms differ in colour (Okabe & Ito's, for the colour-blind), in line and in marker, so that they differ in grey too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hebbevo.evaluation.run_statistics import profile
from hebbevo.experiments.comparison import Comparison
from hebbevo.experiments.records import ArmRecord
from hebbevo.experiments.tables import levels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000")
_LINES = ("-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1)))
_MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
_MOST_PANELS = 4
_PANELS_IN_A_ROW = 3
_THRESHOLDS = 101


def scores(comparison: Comparison) -> Figure:
    """Draw interquartile means with their intervals over every run, by body, and P(better than the baseline)."""
    arms, compared = comparison.compared.arms, comparison.compared
    shown = levels(compared.bodies)[:_MOST_PANELS]
    improved = len(arms) > 1
    panels = len(shown) + improved
    columns = min(panels, _PANELS_IN_A_ROW)
    lines = -(-panels // columns)
    figure = _figure(2.6 * columns + 1.6, lines * (1.3 + 0.42 * len(arms)))
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    axes = list(grid.flat[:panels])
    for unused in grid.flat[panels:]:
        unused.set_visible(False)
    for panel, (body, at) in zip(axes, shown, strict=False):
        for height, arm in enumerate(arms):
            row = _row(comparison, arm, body)
            values = arm.body_scores[:, at].mean(axis=1)
            offsets = height + 0.13 + 0.1 * (np.arange(len(values)) % 2)
            style = _style(comparison, arm)
            panel.plot(values, offsets, "o", ms=3, color=style["color"], alpha=0.45, mew=0)
            _interval(panel, row, "iqm", height, style)
        panel.set_title(_body_title(body, compared.bodies), fontsize=9)
        panel.set_xlabel(_unit(comparison, "{} in a lifetime"), fontsize=8)
    if improved:
        for height, arm in enumerate(arms):
            _interval(
                axes[-1], _row(comparison, arm, shown[0][0]), "improvement", height, _style(comparison, arm)
            )
        axes[-1].axvline(0.5, color="#888888", lw=0.8, ls=":")
        axes[-1].set(xlim=(-0.04, 1.04))
        axes[-1].set_title(f"P(better than {compared.baseline.name})", fontsize=9)
        axes[-1].set_xlabel("probability", fontsize=8)
    for panel in axes:
        _frame(panel, "x")
        panel.tick_params(axis="y", length=0)
    axes[0].set_yticks(range(len(arms)), [f"{arm.name} ({len(arm.runs)})" for arm in arms], fontsize=8)
    axes[0].set_ylim(len(arms) - 0.5, -0.5)
    return figure


def learning_curves(comparison: Comparison) -> Figure:
    """Draw the center's mean over agent-steps: interquartile mean over runs, its band, and single runs faint."""
    from matplotlib.ticker import EngFormatter

    figure = _figure(7.0, 4.2)
    axes = figure.subplots()
    for arm in comparison.compared.arms:
        curve, style = comparison.curves[arm.name], _style(comparison, arm)
        for run in arm.runs:
            faint = min(0.25, 2 / len(arm.runs))
            axes.plot(run.curve_steps, run.curve, color=style["color"], lw=0.7, alpha=faint, zorder=1)
        axes.fill_between(curve.steps, curve.low, curve.high, color=style["color"], alpha=0.2, lw=0, zorder=2)
        axes.plot(curve.steps, curve.middle, label=_label(arm, curve.runs), ms=4, zorder=3, **style)
    if comparison.score is not None:
        axes.axhline(comparison.score, color="#888888", lw=0.8, ls=":")
    axes.set_xlim(0, None)
    axes.xaxis.set_major_formatter(EngFormatter(sep=""))
    axes.set_xlabel("agent-steps")
    axes.set_ylabel(_unit(comparison, "{} of the center"))
    _frame(axes, "both")
    _legend(figure)
    return figure


def profiles(comparison: Comparison) -> Figure:
    """Draw the share of runs whose mean over all bodies is above each score, with its pointwise interval."""
    arms = comparison.compared.arms
    values = np.concatenate([arm.scores for arm in arms])
    margin = 0.03 * float(np.ptp(values)) or 0.5
    thresholds = np.linspace(values.min() - margin, values.max() + margin, _THRESHOLDS)
    figure = _figure(7.0, 4.0)
    axes = figure.subplots()
    for arm in arms:
        style = _style(comparison, arm)
        share, low, high = profile(arm.scores, arm.resampled.mean(axis=2), thresholds)
        if len(arm.runs) > 1:
            axes.fill_between(thresholds, low, high, color=style["color"], alpha=0.15, lw=0)
        axes.plot(thresholds, share, label=_label(arm, len(arm.runs)), markevery=10, ms=4, **style)
    axes.set(ylim=(-0.03, 1.03), xlim=(thresholds[0], thresholds[-1]), ylabel="share of runs above it")
    axes.set_xlabel(_unit(comparison, "{} in a lifetime, mean of a run"))
    _frame(axes, "both")
    _legend(figure)
    return figure


FIGURES: Final[dict[str, Callable[[Comparison], Figure]]] = {
    "scores": scores,
    "curves": learning_curves,
    "profile": profiles,
}
"""By name of the file, the functions that draw a comparison."""


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _style(comparison: Comparison, arm: ArmRecord) -> dict[str, Any]:
    number = comparison.compared.arms.index(arm)
    return {
        "color": _COLORS[number % len(_COLORS)],
        "linestyle": _LINES[number % len(_LINES)],
        "marker": _MARKERS[number % len(_MARKERS)],
    }


def _label(arm: ArmRecord, runs: int) -> str:
    return f"{arm.name} ({runs} {'run' if runs == 1 else 'runs'})"


def _row(comparison: Comparison, arm: ArmRecord, body: str | None) -> dict[str, Any]:
    rows = comparison.tables.table
    return next(row for row in rows if (row["arm"], row["morphology"]) == (arm.name, body))


def _interval(axes: Axes, row: dict[str, Any], name: str, height: float, style: dict[str, Any]) -> None:
    if (value := row.get(name)) is None:
        return
    if row[f"{name}_low"] is not None:
        axes.plot([row[f"{name}_low"], row[f"{name}_high"]], [height, height], color=style["color"], lw=2.2)
    axes.plot(value, height, style["marker"], color=style["color"], ms=7, mec="white", mew=0.8, zorder=3)


def _body_title(body: str | None, bodies: Sequence[str]) -> str:
    if body is None:
        return f"mean of {len(bodies)} bodies"
    return "interquartile mean over runs" if len(bodies) == 1 else body.replace("_", " ")


def _unit(comparison: Comparison, text: str) -> str:
    return comparison.compared.baseline.config.env.axis_label(text)


def _frame(axes: Axes, grid: Any) -> None:
    axes.grid(axis=grid, alpha=0.3)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=8)
    axes.spines[["top", "right"]].set_visible(False)


def _legend(figure: Figure) -> None:
    figure.legend(loc="outside upper center", ncols=3, frameon=False, fontsize=8, handlelength=3.5)
