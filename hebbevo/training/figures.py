"""Figures of a run: one function and one entry of `FIGURES` each."""

from __future__ import annotations

from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hebbevo.errors import InputError
from hebbevo.io.figures import write_figure
from hebbevo.training.records import Row
from hebbevo.training.run_config import read_config
from hebbevo.training.run_directory import RunDirectory

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_LARGEST = 1e300
_ALL_BODIES = "#555555"
_POPULATION, _CENTERS = "#4c72b0", ("#c44e52", "#dd8452", "#55a868", "#8172b3", "#937860")


def draw_figures(directory: RunDirectory) -> list[Path]:
    """Draw all `FIGURES` of a run; return their paths.

    Raises:
        InputError: no generation is done yet.
    """
    return [draw(directory) for draw in FIGURES.values()]


def plot(run: str | PathLike[str]) -> list[Path]:
    """Draw the figures of a run, or of a run directory, from its progress.csv; return their paths.

    Raises:
        InputError: not a run directory, or no generation is done yet.
    """
    return draw_figures(RunDirectory.open(Path(run), read_only=True))


def learning_curve(directory: RunDirectory) -> Path:
    """Draw ``figures/learning_curve.png`` from progress.csv and return its path.

    Raises:
        InputError: no generation is done yet.
    """
    rows = directory.read_progress()
    if not rows:
        raise InputError(f"{directory.path} has no generation yet; there is nothing to plot")
    from matplotlib.figure import Figure

    env = read_config(directory).env
    measured = [name for name in env.measured_metrics if _series(rows, f"center_{name}")[0]]
    figure = Figure(figsize=(7, 4.2 + 2 * len(measured)), layout="constrained")
    heights = [2, *(1 for _ in measured)]
    panels = figure.subplots(len(heights), squeeze=False, sharex=True, height_ratios=heights)[:, 0]
    _draw_fitness(panels[0], rows)
    panels[0].set(ylabel=env.axis_label("{} in a lifetime"), xlim=(0, None))
    for name, axes in zip(measured, panels[1:], strict=True):
        axes.plot(*_series(rows, f"center_{name}"), "o-", color=_ALL_BODIES, ms=4)
        axes.set_ylabel(env.axis_label("{} of the center", name))
    for axes in panels:
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    panels[-1].set_xlabel("generation")
    directory.figures_path.mkdir(exist_ok=True)
    path = directory.figures_path / "learning_curve.png"
    write_figure(figure, path, dpi=150)
    return path


def _draw_fitness(axes: Axes, rows: list[Row]) -> None:
    """Draw the fitness of the population, and of the center on each body."""
    x, mean = _series(rows, "population_mean")
    _, best = _series(rows, "population_best")
    axes.plot(x, mean, color=_POPULATION, label="population, mean")
    if len(best) == len(mean):
        axes.fill_between(x, mean, best, color=_POPULATION, alpha=0.15, lw=0, label="to the best individual")
    morphologies = [name for name in rows[0] if name.startswith("center.")]
    for name, color in zip(morphologies, _CENTERS * len(morphologies), strict=False):
        morphology = name.removeprefix("center.").replace("_", " ")
        label = "center, fresh lifetimes" + ("" if morphology == "default" else f": {morphology}")
        axes.plot(*_series(rows, name), "o-", color=color, ms=4, label=label)
    axes.legend(frameon=False, loc="upper left")


def _series(rows: list[Row], column: str) -> tuple[list[float], list[float]]:
    """Return the generations at which a column has a number that can be drawn, and those numbers."""
    points = [(row["generation"], row.get(column)) for row in rows]
    drawn = [(x, y) for x, y in points if x is not None and y is not None and max(abs(x), abs(y)) < _LARGEST]
    return [float(x) for x, _ in drawn], [float(y) for _, y in drawn]


FIGURES: Final[dict[str, Callable[[RunDirectory], Path]]] = {"learning_curve": learning_curve}
"""By name, the functions that draw ``figures/NAME.png`` of a run, when it ends and whenever they are asked for."""
