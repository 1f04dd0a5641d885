"""`hebbevo plot`: the learning curve of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def plot_command(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")]) -> None:
    """Draw a run's learning curve from its progress.csv."""
    from hebbevo.training.figures import learning_curve
    from hebbevo.training.run_directory import RunDirectory

    path = learning_curve(RunDirectory.open(directory, read_only=True))
    typer.echo(path)
