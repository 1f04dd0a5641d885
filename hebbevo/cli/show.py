"""`hebbevo show`: what a run, a genome or an experiment is, how far, and from where."""

from __future__ import annotations

from typing import Annotated

import typer


def show_command(
    source: Annotated[
        str, typer.Argument(metavar="RUN|GENOME|EXPERIMENT", help="A directory, a genome file or zoo:NAME.")
    ],
) -> None:
    """Show what a run, a genome or an experiment is, how far it is, and where it came from."""
    from hebbevo.experiments.show import show

    show(source)
