"""`hebbevo perturb`: evolved genomes through perturbations, and how they recover."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import (
    BatchSize,
    Bodies,
    Device,
    Genomes,
    Metric,
    Ray,
    Seed,
    Steps,
    StudyDirectory,
    Threads,
    Workers,
    bodies_of,
    study_execution,
)
from hebbevo.cli.output import run_console, say


def perturb_command(
    genomes: Genomes,
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
    bodies: Bodies = None,
    episodes: Annotated[int, typer.Option(help="Lifetimes per genome, protocol and body.")] = 64,
    seed: Seed = 1,
    steps: Steps = None,
    metric: Metric = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Perturb genomes in mid-lifetime and measure loss and recovery; write tables and a report."""
    from hebbevo.cli.study_display import Countdown, perturbation_table
    from hebbevo.experiments.genomes import study_genomes
    from hebbevo.studies.perturbation.study import perturb as study

    console = run_console()
    with Countdown(console, "lifetimes") as countdown:
        finished = study(
            study_genomes(genomes, steps, bodies_of(bodies)),
            out,
            protocols=perturb,
            morphologies=morphology,
            episodes=episodes,
            seed=seed,
            metric=metric,
            execution=study_execution(threads, batch_size, workers, ray, device),
            watch=countdown.watch,
        )
    plan, table = finished.plan, finished.arms if finished.plan.arms else finished.table
    console.print(perturbation_table(table, plan.quantity, plan.metrics))
    if plan.arms:
        say(console, f"over runs, {plan.quantity} as IQM; every genome by itself is in table.csv")
    say(console, f"done: {out / 'report.html'}")
