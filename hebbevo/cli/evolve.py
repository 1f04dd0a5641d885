"""`hebbevo evolve`: a new run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.options import BatchSize, Device, Overrides, Ray, Threads, Track, Workers, execution_of
from hebbevo.cli.output import run_console, say, say_done


def evolve_command(
    source: Annotated[str, typer.Argument(metavar="PRESET|FILE.yaml", help="The configuration to evolve.")],
    overrides: Overrides = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory, which must not exist.", show_default="runs/NAME")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="GENOME", help="Start at a genome: a file, a run or zoo:NAME."),
    ] = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
    track: Track = None,
) -> None:
    """Evolve a preset or a config file into a new run directory."""
    from hebbevo.cli.display import StatusLine
    from hebbevo.config.loading import load_config
    from hebbevo.genomes.genome import load_genome
    from hebbevo.tasks.description import task_lines
    from hebbevo.tasks.task import Task
    from hebbevo.training.evolution import evolve

    config, console = load_config(source, overrides or ()), run_console()
    for text in task_lines(Task.of(config)):
        say(console, text)
    with StatusLine(console) as line:
        run = evolve(
            config,
            out or Path("runs") / Path(source).stem,
            start=load_genome(start) if start else None,
            execution=execution_of(threads, batch_size, workers, ray, device),
            watch=line.watch,
            track=track or (),
        )
    say_done(console, run.path)
