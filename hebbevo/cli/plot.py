"""`hebbevo plot`: the figures of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.io.text import visible


def plot_command(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")]) -> None:
    """Draw a run's figures from its progress.csv."""
    from hebbevo.training.figures import plot

    for path in plot(directory):
        typer.echo(visible(str(path)))
