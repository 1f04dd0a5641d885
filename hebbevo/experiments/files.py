"""The files of a comparison: tables as CSV and LaTeX, figures, a report. Equal runs give equal bytes."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hebbevo.errors import InputError
from hebbevo.experiments.comparison import Comparison
from hebbevo.experiments.figures import FIGURES
from hebbevo.experiments.report import write_comparison_report
from hebbevo.experiments.tex import tex_table
from hebbevo.io.atomic import write_atomically

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure

_SETTINGS: Any = {"svg.hashsalt": "hebbevo", "pdf.fonttype": 42}
"""Of matplotlib: the same names in SVG whenever it is drawn, and text in PDF as text."""
_WITHOUT_CLOCK: dict[str, dict[str, Any]] = {
    "png": {},
    "pdf": {"CreationDate": None},
    "svg": {"Date": None},
}


def write_comparison(comparison: Comparison, folder: Path, formats: Sequence[str]) -> None:
    """Write all files; those of the same names are replaced, each in one rename.

    Raises:
        InputError: the folder cannot be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"cannot make {folder}: {error.strerror}; choose another out") from None
    for name, table in comparison.tables.arrow().items():
        write_atomically(folder / f"{name}.csv", _csv(table))
    write_atomically(folder / "table.tex", tex_table(comparison).encode())
    drawn = []
    for name, draw in FIGURES.items():
        figure = draw(comparison)
        for kind in dict.fromkeys(("png", *formats)):
            write_atomically(folder / f"{name}.{kind}", _image(figure, kind))
        drawn.append(folder / f"{name}.png")
    write_comparison_report(folder / "report.html", comparison, drawn)


def _csv(table: pa.Table) -> bytes:
    import pyarrow as pa
    from pyarrow import csv

    sink = pa.BufferOutputStream()
    csv.write_csv(table, sink)
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def _image(figure: Figure, kind: str) -> bytes:
    import matplotlib as mpl

    content = io.BytesIO()
    with mpl.rc_context(_SETTINGS):
        figure.savefig(content, format=kind, dpi=150, metadata=_WITHOUT_CLOCK[kind])
    return content.getvalue()
