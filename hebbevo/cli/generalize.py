"""`hebbevo generalize`: evolved genomes on bodies that they have never seen."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import BatchSize, Seed, Steps, StudyDirectory, Threads, execution_of
from hebbevo.cli.output import run_console, say


def generalize_command(
    genomes: Annotated[
        list[str], typer.Argument(metavar="GENOME", help="Files, run directories or zoo:NAME.")
    ],
    out: StudyDirectory,
    morphology: Annotated[
        list[str] | None,
        typer.Option(
            help="Body; may be repeated. By default the named bodies, the genomes' own and the test split."
        ),
    ] = None,
    episodes: Annotated[int, typer.Option(help="Lifetimes per genome, condition and body.")] = 16,
    seed: Seed = 1,
    steps: Steps = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="GENOME",
            help="Genome to compare with; by default the first static genome given, else a shipped one.",
            show_default=False,
        ),
    ] = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
) -> None:
    """Evaluate genomes on bodies seen and unseen, beside controls and a static baseline; write tables and a report."""
    from hebbevo.cli.study_display import Countdown, generalization_table
    from hebbevo.genomes.genome import load_genome
    from hebbevo.studies.generalization.study import generalize

    console = run_console()
    with Countdown(console, "lifetimes") as countdown:
        study = generalize(
            [load_genome(genome).lasting(steps) for genome in genomes],
            out,
            morphologies=morphology,
            episodes=episodes,
            seed=seed,
            baseline=load_genome(baseline).lasting(steps) if baseline is not None else None,
            execution=execution_of(threads, batch_size),
            watch=countdown.watch,
        )
    console.print(generalization_table(study.table))
    if (compared := study.plan.baseline) is not None:
        say(console, f"P(better): how often a lifetime goes further than one of {compared} on the same body")
    say(console, f"done: {out / 'report.html'}")
