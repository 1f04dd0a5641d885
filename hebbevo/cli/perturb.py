"""`hebbevo perturb`: evolved genomes through perturbations, and how they recover."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import BatchSize, Seed, Steps, StudyDirectory, Threads, execution_of
from hebbevo.cli.output import run_console, say


def perturb_command(
    genomes: Annotated[
        list[str], typer.Argument(metavar="GENOME...", help="Files, run directories or zoo:NAME.")
    ],
    out: StudyDirectory,
    perturb: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TEXT|FILE.yaml",
            help="A protocol, as zero_weights:at=300,fraction=0.5; several perturbations are joined by +; may be "
            "repeated. By default the published protocols.",
        ),
    ] = None,
    morphology: Annotated[
        list[str] | None,
        typer.Option(help="Initial body; may be repeated. By default the first that the genome evolved on."),
    ] = None,
    episodes: Annotated[int, typer.Option(help="Lifetimes per genome, protocol and body.")] = 64,
    seed: Seed = 1,
    steps: Steps = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
) -> None:
    """Perturb genomes in mid-lifetime and measure loss and recovery; write tables and a report."""
    from hebbevo.cli.study_display import Countdown, perturbation_table
    from hebbevo.genomes.genome import load_genome
    from hebbevo.studies.perturbation.study import perturb as study

    console = run_console()
    with Countdown(console, "lifetimes") as countdown:
        finished = study(
            [load_genome(genome).lasting(steps) for genome in genomes],
            out,
            protocols=perturb,
            morphologies=morphology,
            episodes=episodes,
            seed=seed,
            execution=execution_of(threads, batch_size),
            watch=countdown.watch,
        )
    console.print(perturbation_table(finished.table))
    say(console, f"done: {out / 'report.html'}")
