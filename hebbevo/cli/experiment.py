"""`hebbevo experiment`: arms x run seeds, killed at any instant and gone on with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.options import BatchSize, Device, Ray, Threads, Track, Workers, execution_of
from hebbevo.cli.output import run_console, say


def experiment_command(
    file: Annotated[Path, typer.Argument(metavar="FILE.yaml", help="Base, arms, seeds, evaluation.")],
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Directory of the experiment: new, or the same one, to go on.")
    ],
    jobs: Annotated[
        int | None,
        typer.Option(
            help="Runs side by side, each on its share of the cores. By default 1, or one per core if the environment "
            "holds the GIL.",
            show_default=False,
        ),
    ] = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
    track: Track = None,
) -> None:
    """Evolve every arm from every seed; called again, go on, or grow by seeds and arms; write tables and a report."""
    from hebbevo.cli.experiment_display import RunsTable, say_comparison
    from hebbevo.experiments.experiment import experiment
    from hebbevo.experiments.plan import read_plan

    plan, console = read_plan(file), run_console()
    with RunsTable(console, plan) as table:
        finished = experiment(
            plan,
            out,
            jobs=jobs,
            execution=execution_of(threads, batch_size, workers, ray, device),
            watch=table.watch,
            track=track or (),
        )
    if finished.comparison is not None:
        say_comparison(console, finished.comparison)
        say(console, f"done: {out / 'report.html'}")
        for kind in () if finished.failures else plan.studies:
            say(console, f"      {out / 'studies' / kind / 'report.html'}")
    if finished.failures:
        for name, failure in finished.failures.items():
            typer.echo(f"hebbevo: {name} failed: {failure}", err=True)
        again = f"hebbevo experiment {file} --out {out}"
        count = "1 run" if len(finished.failures) == 1 else f"{len(finished.failures)} runs"
        typer.echo(f"hebbevo: {count} failed; to try again: {again}", err=True)
        raise typer.Exit(1)
