"""`hebbevo report`: the tables, figures and report of a study again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.output import say


def report_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The directory of a finished study.")],
) -> None:
    """Write the tables, figures and report of a study again, from its finished cases; nothing is computed."""
    from rich.console import Console

    from hebbevo.studies.running import redraw

    redraw(directory)
    say(Console(), f"done: {directory / 'report.html'}")
