"""`hebbevo evaluate`: fresh lifetimes of a genome, beside controls."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import (
    BatchSize,
    Bodies,
    Controls,
    Device,
    JsonFile,
    Seed,
    Steps,
    Threads,
    Workers,
    bodies_of,
    execution_of,
)
from hebbevo.cli.output import STANDARD_OUTPUT, check_json_file, say, write_json


def evaluate_command(
    genome: Annotated[str, typer.Argument(metavar="GENOME", help="A file, a run directory or zoo:NAME.")],
    episodes: Annotated[int, typer.Option(help="Lifetimes per morphology and condition.")] = 64,
    seed: Seed = 1,
    steps: Steps = None,
    morphology: Annotated[
        list[str] | None, typer.Option(help="Body; may be repeated. By default the task's own.")
    ] = None,
    bodies: Bodies = None,
    controls: Controls = True,
    official: Annotated[
        bool,
        typer.Option("--official", help="On Gymnasium's own CarRacing; by default on a Ray worker per core."),
    ] = False,
    json_file: JsonFile = None,
    workers: Workers = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Evaluate a genome over fresh lifetimes of full length, beside controls."""
    from rich.console import Console

    from hebbevo.cli.display import evaluation_table, evaluation_title
    from hebbevo.evaluation.evaluation import evaluate
    from hebbevo.genomes.genome import load_genome

    check_json_file(json_file)
    evaluation = evaluate(
        load_genome(genome).lasting(steps).with_bodies(bodies_of(bodies)),
        episodes=episodes,
        seed=seed,
        morphologies=morphology,
        controls=controls,
        official=official,
        execution=execution_of(threads, batch_size, workers if official or workers else 0, device=device),
    )
    if json_file != STANDARD_OUTPUT:
        console = Console()
        say(console, evaluation_title(evaluation))
        console.print(evaluation_table(evaluation))
    write_json(json_file, evaluation.summary(lifetimes=True))
