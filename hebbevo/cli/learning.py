"""`hebbevo learning`: what evolved genomes learn within a lifetime."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import (
    BatchSize,
    Device,
    Genomes,
    Ray,
    Seed,
    Steps,
    StudyDirectory,
    Threads,
    Workers,
    study_execution,
)
from hebbevo.cli.output import run_console, say


def learning_command(
    genomes: Genomes,
    out: StudyDirectory,
    freeze: Annotated[
        list[int] | None,
        typer.Option(
            metavar="TRIAL",
            help="Freeze weights from this trial on; may be repeated. By default a tenth and half of the trials.",
            show_default=False,
        ),
    ] = None,
    morphology: Annotated[
        list[str] | None,
        typer.Option(
            help="Task, where the world has several; may be repeated. By default those of evolution."
        ),
    ] = None,
    episodes: Annotated[int, typer.Option(help="Lifetimes per genome, condition and task.")] = 64,
    seed: Seed = 1,
    steps: Steps = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Follow genomes of learning tasks trial by trial, beside controls and an oracle; write tables and a report."""
    from hebbevo.cli.study_display import Countdown, learning_table
    from hebbevo.experiments.genomes import study_genomes
    from hebbevo.studies.learning.study import learning

    console = run_console()
    with Countdown(console, "lifetimes") as countdown:
        study = learning(
            study_genomes(genomes, steps),
            out,
            freezes=freeze,
            morphologies=morphology,
            episodes=episodes,
            seed=seed,
            execution=study_execution(threads, batch_size, workers, ray, device),
            watch=countdown.watch,
        )
    console.print(learning_table(study.arms if study.plan.arms else study.table))
    if study.plan.arms:
        say(console, "over runs, reward as IQM; every genome by itself is in table.csv")
    say(console, f"done: {out / 'report.html'}")
