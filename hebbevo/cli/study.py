"""`hebbevo study`: a study of a user's own."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import (
    BatchSize,
    Device,
    Genomes,
    Ray,
    Steps,
    StudyDirectory,
    Threads,
    Workers,
    study_execution,
)
from hebbevo.cli.output import run_console, say


def study_command(
    name: Annotated[
        str, typer.Argument(metavar="STUDY", help="Its name, as a module of yours registers it.")
    ],
    genomes: Genomes,
    out: StudyDirectory,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A setting of the study; may be repeated."),
    ] = None,
    steps: Steps = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Run a study of your own on genomes, and write its tables and report."""
    from hebbevo.cli.study_display import Countdown, rows_table
    from hebbevo.experiments.genomes import study_genomes
    from hebbevo.studies.running import study

    console = run_console()
    with Countdown(console, "lifetimes") as countdown:
        rows = study(
            name,
            study_genomes(genomes, steps),
            out,
            settings=settings or (),
            execution=study_execution(threads, batch_size, workers, ray, device),
            watch=countdown.watch,
        )
    console.print(rows_table(rows))
    say(console, f"done: {out / 'report.html'}")
