"""`hebbevo generalize`: evolved genomes on bodies that they have never seen."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import (
    BatchSize,
    Bodies,
    Controls,
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


def generalize_command(
    genomes: Genomes,
    out: StudyDirectory,
    morphology: Annotated[
        list[str] | None,
        typer.Option(
            help="Body; may be repeated. By default the named bodies, the genomes' own and the test split."
        ),
    ] = None,
    bodies: Bodies = None,
    episodes: Annotated[int, typer.Option(help="Lifetimes per genome, condition and body.")] = 16,
    seed: Seed = 1,
    steps: Steps = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="GENOME|LABEL",
            help="Genome or arm to compare with; by default the first static one given, else a shipped one.",
            show_default=False,
        ),
    ] = None,
    metric: Metric = None,
    controls: Controls = True,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Evaluate genomes on bodies seen and unseen, beside controls and a static baseline; write tables and a report."""
    from hebbevo.cli.study_display import Countdown, arms_table, generalization_table
    from hebbevo.experiments.genomes import study_baseline, study_genomes
    from hebbevo.studies.generalization.study import generalize

    console, subjects = run_console(), study_genomes(genomes, steps, bodies_of(bodies))
    with Countdown(console, "lifetimes") as countdown:
        study = generalize(
            subjects,
            out,
            morphologies=morphology,
            episodes=episodes,
            seed=seed,
            metric=metric,
            controls=controls,
            baseline=study_baseline(baseline, subjects, steps, bodies_of(bodies)),
            execution=study_execution(threads, batch_size, workers, ray, device),
            watch=countdown.watch,
        )
    if study.plan.arms:
        console.print(arms_table(study.arms, study.plan.unit, study.plan.measured))
        say(console, "over runs; every genome by itself is in table.csv")
    else:
        console.print(generalization_table(study.table, study.plan.unit, study.plan.measured))
    if study.plan.baseline is not None:
        unit = "run" if study.plan.arms else "lifetime"
        where = "" if study.plan.arms else " on the same body"
        say(
            console,
            f"P(better): how often a {unit} goes further than one of {study.plan.compared_with}{where}",
        )
    say(console, f"done: {out / 'report.html'}")
