"""The files of a comparison: tables as CSV and LaTeX, figures, a report. Equal runs give equal bytes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from hebbevo.errors import InputError
from hebbevo.experiments.comparison import Comparison
from hebbevo.experiments.figures import FIGURES
from hebbevo.experiments.report import write_comparison_report
from hebbevo.experiments.tex import tex_table
from hebbevo.io.atomic import write_atomically
from hebbevo.io.directories import make_directory
from hebbevo.io.figures import write_figure
from hebbevo.io.tables import csv_bytes


def write_comparison(comparison: Comparison, folder: Path, formats: Sequence[str]) -> None:
    """Write all files; those of the same names are replaced, each in one rename.

    Raises:
        InputError: the folder cannot be made.
    """
    try:
        make_directory(folder)
    except OSError as error:
        raise InputError(f"cannot make {folder}: {error.strerror}; choose another out") from None
    for name, table in comparison.tables.arrow().items():
        write_atomically(folder / f"{name}.csv", csv_bytes(table))
    write_atomically(folder / "table.tex", tex_table(comparison).encode())
    drawn = []
    for name, draw in FIGURES.items():
        figure = draw(comparison)
        for kind in dict.fromkeys(("png", *formats)):
            write_figure(figure, folder / f"{name}.{kind}", dpi=150)
        drawn.append(folder / f"{name}.png")
    write_comparison_report(folder / "report.html", comparison, drawn)
