"""Figures of a study of perturbations: the freeze curve, speeds, pictures of weights, the ways of weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from hebbevo.perturbations.perturbation import END_OF_LIFETIME
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan, Protocol
from hebbevo.studies.perturbation.records import EVOLVED, RANDOM
from hebbevo.studies.perturbation.study import Recorded
from hebbevo.studies.perturbation.tables import BIN, WEIGHTS, StudyTables

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS: Final = ("#c44e52", "#4c72b0", "#55a868", "#8172b3", "#937860", "#dd8452")
_TWIN: Final = "#8c8c8c"
_CURVES: Final = (0, 20, 50, 100, 300)
"""Points of the freeze curve whose way is drawn, besides the unperturbed one."""

Row = Mapping[str, Any]


def short_names(plan: Plan) -> dict[str, str]:
    """Return labels of the genomes: the last parts of their paths, as many as tell them apart."""
    names = [genome.name for genome in plan.genomes]
    files = ("center.safetensors", "best.safetensors")
    parts = {
        name: [part for part in name.split("/") if part and part not in files] or [name] for name in names
    }
    for count in range(1, 20):
        short = {name: "/".join(parts[name][-count:]) for name in names}
        if len(set(short.values())) == len(names):
            return short
    return {name: name for name in names}


def draw_figures(folder: Path, plan: Plan, recorded: Recorded, tables: StudyTables) -> dict[str, Path]:
    """Draw what there is data for, as PNG files in `folder`; return them by name."""
    events = [p for p in plan.protocols if p.frozen_at is None and p.name != UNPERTURBED]
    drawings = {
        "speed": _speed(plan, tables, events) if events else None,
        "freeze": _freeze(plan, tables) if tables.freeze.num_rows else None,
        "weights": _weights(plan, recorded, events),
        "trajectories": _trajectories(plan, tables) if tables.components else None,
        "weight_speed": _weight_speed(plan, tables) if tables.components else None,
    }
    paths = {}
    for name, figure in drawings.items():
        if figure is not None:
            paths[name] = folder / f"{name}.png"
            figure.savefig(paths[name], dpi=130, metadata={"Software": None})
    return paths


def _figure(width: float, height: float) -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _plain(axes: Axes, **labels: Any) -> None:
    axes.set(**labels)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def _speed(plan: Plan, tables: StudyTables, events: Sequence[Protocol]) -> Figure:
    """Draw a panel per body, protocol and genome: speed over time beside the unperturbed twins."""
    cases = [(body, protocol) for body in plan.morphologies for protocol in events]
    names, rows = short_names(plan), _by(tables.speed, "genome", "morphology", "protocol")
    statistics = _by(tables.table, "genome", "morphology", "protocol")
    figure = _figure(1.2 + 4.8 * len(plan.genomes), 0.6 + 2.6 * len(cases))
    grid = figure.subplots(len(cases), len(plan.genomes), sharex=True, sharey="row", squeeze=False)
    for line, (body, protocol) in zip(grid, cases, strict=True):
        for column, (axes, genome) in enumerate(zip(line, plan.genomes, strict=True)):
            key = (genome.name, body, protocol.name)
            _shade(axes, protocol, plan.env.steps)
            _curve(axes, rows.get((genome.name, body, UNPERTURBED), []), _TWIN, "unperturbed")
            _curve(axes, rows.get(key, []), COLORS[column % len(COLORS)], "perturbed")
            title = f"{names[genome.name]}, {protocol.name.replace('_', ' ')}"
            title += f" ({body})" if len(plan.morphologies) > 1 else ""
            axes.set_title(f"{_wrapped(title)}\n{_recovery(statistics[key][0])}", fontsize=8)
            _plain(
                axes, ylabel=f"speed ({tables.speed_unit})" if column == 0 else "", xlim=(0, plan.env.steps)
            )
            axes.legend(frameon=False, fontsize=7, loc="best")
    for axes in grid[-1]:
        axes.set_xlabel("step t")
    return figure


def _recovery(row: Row) -> str:
    if row["recovery_steps"] is None:
        return "no recovery within the life" if row["recovery_from"] is not None else ""
    low, high = (_steps(row[name]) for name in ("recovery_low", "recovery_high"))
    return f"recovers after {row['recovery_steps']:.0f} steps (95 %: {low} to {high})"


def _steps(value: float | None) -> str:
    return "never" if value is None else f"{value:.0f}"


def _shade(axes: Axes, protocol: Protocol, steps: int) -> None:
    """Mark when it happens."""
    for what in protocol.perturbations:
        if what.kind == "none":
            continue
        end = steps if what.ends == END_OF_LIFETIME else what.ends
        if end - what.begins > 1:
            axes.axvspan(what.begins, end, color="#f2c14e", alpha=0.3, lw=0)
        else:
            axes.axvline(what.begins, color="#d99a00", lw=1, ls="--")


def _curve(axes: Axes, rows: Sequence[Row], color: str, label: str) -> None:
    if not rows:
        return
    t, middle, low, high = (
        np.array([row[name] for row in rows], float) for name in ("t", "speed", "speed_low", "speed_high")
    )
    axes.fill_between(t + BIN / 2, low, high, color=color, alpha=0.2, lw=0)
    axes.plot(t + BIN / 2, middle, color=color, lw=1.3, label=label)


def _freeze(plan: Plan, tables: StudyTables) -> Figure:
    """Draw progress of a whole life over the step of freezing, and the way there."""
    names, curves = short_names(plan), _by(tables.freeze, "genome", "morphology")
    ways = list(dict.fromkeys(curves))
    figure = _figure(5 + 4 * len(ways), 4)
    left, *right = figure.subplots(1, 1 + len(ways), squeeze=False)[0]
    unit = "progress in a life (m)" if plan.env.unit == "m" else "reward in a life"
    statistics = _by(tables.table, "genome", "morphology", "protocol")
    for place, (way, axes) in enumerate(zip(ways, right, strict=True)):
        color = COLORS[place % len(COLORS)]
        rows, whole = curves[way], statistics[(*way, UNPERTURBED)][0]
        label = names[way[0]] + (f", {way[1]}" if len(plan.morphologies) > 1 else "")
        t = [row["frozen_at"] for row in rows]
        left.fill_between(
            t, *(_numbers(rows, name) for name in ("mean_low", "mean_high")), color=color, alpha=0.2, lw=0
        )
        left.plot(t, _numbers(rows, "mean"), "o-", ms=3, color=color, label=label)
        if whole["mean"] is not None:
            left.axhline(whole["mean"], color=color, lw=1, ls="--")
        _draw_ways(axes, plan, tables, way, label)
    left.set_xscale("symlog", linthresh=100, linscale=1.5)
    ticks = [0, 50, 100, 200, 500, 1000]
    left.set_xticks(ticks, [str(tick) for tick in ticks])
    left.minorticks_off()
    left.set_xlim(-3, plan.env.steps)
    _plain(left, xlabel="weights frozen at step t (linear to 100)", ylabel=unit)
    left.set_title("dashed: never frozen", fontsize=8)
    left.legend(frameon=False, fontsize=8)
    return figure


def _draw_ways(axes: Axes, plan: Plan, tables: StudyTables, way: tuple[str, str], label: str) -> None:
    """Draw cumulative progress over time for some steps of freezing."""
    import matplotlib

    shown = [p for p in plan.protocols if p.frozen_at in _CURVES]
    colors = matplotlib.colormaps["viridis"](np.linspace(0, 0.85, len(shown) + 1))
    for protocol, color in zip((*shown, plan.protocols[0]), colors, strict=True):
        record = tables.recorded.records[(*way, protocol.name)]
        good = ~record.lifetimes.diverged
        if good.any():
            mean = np.cumsum(record.progress[good], axis=1).mean(axis=0)
            name = "never" if protocol.frozen_at is None else f"at {protocol.frozen_at}"
            axes.plot(np.arange(1, len(mean) + 1), mean, color=color, lw=1.5, label=name)
    _plain(axes, xlabel="step t", ylabel="cumulative progress" + (" (m)" if plan.env.unit == "m" else ""))
    axes.set_title(label, fontsize=8)
    axes.legend(frameon=False, fontsize=8, title="frozen", title_fontsize=8)


def _weights(plan: Plan, recorded: Recorded, events: Sequence[Protocol]) -> Figure | None:
    """Draw the weights of one lifetime before the event, at it and after it; exact zeros are black."""
    names, body = short_names(plan), plan.morphologies[0]
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
    figure = _figure(1 + 2.6 * columns, 1.7 * len(rows) + 0.4)
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for line, (label, protocol, images, layer) in zip(grid, rows, strict=True):
        limit = max(float(np.quantile(np.abs(layers[layer]), 0.98)) for layers in images.values()) or 1.0
        for axes, (step, layers) in zip(line, images.items(), strict=False):
            matrix = np.ma.masked_equal(layers[layer], 0.0)
            axes.imshow(matrix, aspect="auto", cmap=colors, vmin=-limit, vmax=limit, interpolation="nearest")
            zeros = np.mean(layers[layer] == 0)
            axes.set_title(f"t = {step}, {zeros:.0%} zero", fontsize=8)
            axes.set(xticks=[], yticks=[])
        line[0].set_ylabel(f"{label}\n±{limit:.2g}", fontsize=8)
        if several and layer == 0:
            line[0].set_title(
                f"{_wrapped(protocol.name.replace('_', ' '))}\n{line[0].get_title()}", fontsize=8
            )
    return figure


def _trajectories(plan: Plan, tables: StudyTables) -> Figure:
    """Draw the ways of the weights, and of their direction, in two and three components."""
    names = short_names(plan)
    lines = list(dict.fromkeys((genome, of) for genome, _, of in tables.components))
    figure = _figure(14, 3.6 * len(lines))
    for row, (genome, of) in enumerate(lines):
        for column, condition in enumerate((EVOLVED, RANDOM)):
            components = tables.components.get((genome, condition, of))
            if components is None:
                continue
            flat = figure.add_subplot(len(lines), 4, 4 * row + 2 * column + 1)
            deep = figure.add_subplot(len(lines), 4, 4 * row + 2 * column + 2, projection="3d")
            for color, places in zip(COLORS, components.places, strict=False):
                for axes, count in ((flat, 2), (deep, 3)):
                    axes.plot(*places[:, :count].T, color=color, lw=0.8)
                    axes.plot(*places[:1, :count].T, "o", color=color, ms=4)
                    axes.plot(*places[-1:, :count].T, "x", color=color, ms=6)
            shares = [f"{share:.0%}" for share in components.explained]
            what = "" if of == WEIGHTS else ": direction of the weights"
            flat.set_title(f"{names[genome]}, {condition} rule{what}", fontsize=8)
            _plain(flat, xlabel=f"component 1 ({shares[0]})", ylabel=f"component 2 ({shares[1]})")
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


def _weight_speed(plan: Plan, tables: StudyTables) -> Figure:
    """Draw how far weights move in a step, how far they turn, and how large they are."""
    names, rows = short_names(plan), _by(tables.weight_speed, "genome", "weights")
    figure = _figure(13, 3.8)
    panels = figure.subplots(1, len(_WEIGHT_SPEEDS))
    genomes = list(dict.fromkeys(genome for genome, _ in rows))
    for axes, (name, label) in zip(panels, _WEIGHT_SPEEDS.items(), strict=True):
        for (genome, condition), mine in rows.items():
            color = COLORS[genomes.index(genome) % len(COLORS)]
            style = "-" if condition == EVOLVED else ":"
            t, y = [row["t"] for row in mine], _numbers(mine, name)
            axes.plot(t, y, style, color=color, lw=1.2, label=f"{names[genome]}, {condition} rule")
        _plain(axes, xlabel="step t", title=label, yscale="log")
        axes.title.set_fontsize(9)
    panels[0].legend(frameon=False, fontsize=8)
    return figure


def _by(table: Any, *columns: str) -> dict[Any, list[Row]]:
    """Return the rows of a table by the values of some columns."""
    groups: dict[Any, list[Row]] = {}
    for row in table.to_pylist():
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups


def _numbers(rows: Sequence[Row], name: str) -> list[float]:
    return [float("nan") if row[name] is None else row[name] for row in rows]


def _wrapped(text: str, width: int = 60) -> str:
    import textwrap

    return textwrap.fill(text, width)
