"""The figures of weights: pictures at an event, trajectories in principal components, speeds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hebbevo.studies.drawing import COLORS, new_figure, numbers, rows_by, set_plain, wrapped
from hebbevo.studies.genomes import short_names
from hebbevo.studies.perturbation.plan import Plan, Protocol
from hebbevo.studies.perturbation.records import EVOLVED, RANDOM, Recorded
from hebbevo.studies.perturbation.tables import StudyTables
from hebbevo.studies.perturbation.weight_tables import WEIGHTS

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw_weights(plan: Plan, recorded: Recorded, events: Sequence[Protocol]) -> Figure | None:
    """Draw the weights of one lifetime before the event, at it and after it; exact zeros are black."""
    names, body = short_names(plan.genomes), plan.morphologies[0]
    rows = [
        (f"{names[genome.name]}\nlayer {layer + 1}", protocol, images, layer)
        for protocol in events
        for genome in plan.genomes
        for images in [recorded.records[genome.name, body, protocol.name].images]
        if len(images) == len(set(protocol.pictured)) > 0
        for layer in range(len(next(iter(images.values()))))
    ]
    if not rows:
        return None
    import matplotlib

    several = len({protocol.name for _, protocol, _, _ in rows}) > 1
    colors = matplotlib.colormaps["RdBu_r"].with_extremes(bad="black")
    columns = max(len(images) for _, _, images, _ in rows)
    figure = new_figure(1 + 2.6 * columns, 1.7 * len(rows) + 0.4)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (label, protocol, images, layer) in zip(grid, rows, strict=True):
        limit = max(_bound(layers[layer]) for layers in images.values()) or 1.0
        for axes, (step, layers) in zip(line, images.items(), strict=False):
            matrix = np.ma.masked_equal(np.clip(layers[layer], -limit, limit), 0.0)
            axes.imshow(matrix, aspect="auto", cmap=colors, vmin=-limit, vmax=limit, interpolation="nearest")
            zeros = np.mean(layers[layer] == 0)
            axes.set_title(f"t = {step}, {zeros:.0%} zero", fontsize=8)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(f"{label}\n±{limit:.2g}", fontsize=8)
        if several and layer == 0:
            line[0].set_title(
                f"{wrapped(protocol.name.replace('_', ' '))}\n{line[0].get_title()}", fontsize=8
            )
    return figure


def _bound(weights: npt.NDArray[np.float32]) -> float:
    """Return a bound of 98 percent of the weights that are finite; 0 where none is."""
    finite = np.abs(weights[np.isfinite(weights)])
    return float(np.quantile(finite, 0.98)) if len(finite) else 0.0


def draw_trajectories(plan: Plan, tables: StudyTables) -> Figure:
    """Draw the trajectories of the weights, and of their direction, in two and three components."""
    names = short_names(plan.genomes)
    lines = list(dict.fromkeys((genome, of) for genome, _, of in tables.components))
    figure = new_figure(14, 3.6 * len(lines))
    for row, (genome, of) in enumerate(lines):
        for column, condition in enumerate((EVOLVED, RANDOM)):
            components = tables.components.get((genome, condition, of))
            if components is None:
                continue
            flat = figure.add_subplot(len(lines), 4, 4 * row + 2 * column + 1)
            deep = figure.add_subplot(len(lines), 4, 4 * row + 2 * column + 2, projection="3d")
            for color, points in zip(COLORS, components.coordinates, strict=False):
                for axes, count in ((flat, 2), (deep, 3)):
                    axes.plot(*points[:, :count].T, color=color, lw=0.8)
                    axes.plot(*points[:1, :count].T, "o", color=color, ms=4)
                    axes.plot(*points[-1:, :count].T, "x", color=color, ms=6)
            shares = [f"{share:.0%}" for share in components.explained]
            suffix = "" if of == WEIGHTS else ": direction of the weights"
            flat.set_title(f"{names[genome]}, {condition} rule{suffix}", fontsize=8)
            set_plain(flat, xlabel=f"component 1 ({shares[0]})", ylabel=f"component 2 ({shares[1]})")
            deep.set_title(f"with component 3 ({shares[2]})", fontsize=8)
            deep.set(xticklabels=[], yticklabels=[], zticklabels=[])
            for number, name in enumerate("xyz", start=1):
                getattr(deep, f"set_{name}label")(number, labelpad=-12, fontsize=8)
            flat.ticklabel_format(style="sci", scilimits=(-2, 3))
            flat.tick_params(labelsize=7)
    return figure


_WEIGHT_SPEEDS = {
    "relative_change": "change in a step, relative to the weights",
    "turn": "turn in a step (radians)",
    "size": "size of the weights (root mean square)",
}


def draw_weight_speed(plan: Plan, tables: StudyTables) -> Figure:
    """Draw how far weights move in a step, how far they turn, and how large they are."""
    names, rows = short_names(plan.genomes), rows_by(tables.weight_speed, "genome", "weights")
    figure = new_figure(13, 3.8)
    panels = figure.subplots(1, len(_WEIGHT_SPEEDS))
    genomes = list(dict.fromkeys(genome for genome, _ in rows))
    for axes, (name, label) in zip(panels, _WEIGHT_SPEEDS.items(), strict=True):
        for (genome, rule), of_rule in rows.items():
            color = COLORS[genomes.index(genome) % len(COLORS)]
            style = "-" if rule == EVOLVED else ":"
            t, y = [row["t"] for row in of_rule], numbers(of_rule, name)
            axes.plot(t, y, style, color=color, lw=1.2, label=f"{names[genome]}, {rule} rule")
        set_plain(axes, xlabel="step t", title=label, yscale="log")
        axes.title.set_fontsize(9)
    panels[0].legend(frameon=False, fontsize=8)
    return figure
