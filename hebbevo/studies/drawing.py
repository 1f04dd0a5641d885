"""Parts that the figures of studies share."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS: Final = ("#c44e52", "#4c72b0", "#55a868", "#8172b3", "#937860", "#dd8452")

Row = Mapping[str, Any]


def new_figure(width: float, height: float) -> Figure:
    """Return a figure of a size in inches, without pyplot and its global state."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def set_plain(axes: Axes, **labels: Any) -> None:
    """Set labels and limits, a pale grid, and no frame at the top and on the right."""
    axes.set(**labels)
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)


def rows_by(table: pa.Table, *columns: str) -> dict[Any, list[Row]]:
    """Return the rows of a table by the values of some columns."""
    groups: dict[Any, list[Row]] = {}
    for row in table.to_pylist():
        groups.setdefault(tuple(row[column] for column in columns), []).append(row)
    return groups


def numbers(rows: Sequence[Row], name: str) -> list[float]:
    """Return a column of rows; NaN where there is no number."""
    return [float("nan") if row[name] is None else row[name] for row in rows]


def wrapped(text: str, width: int = 60) -> str:
    """Return text in three lines at most, each of at most so many characters."""
    return textwrap.fill(text, width, max_lines=3, placeholder=" …")
