"""`hebbevo resume`: a run goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.options import BatchSize, Device, Ray, Threads, Track, Workers, execution_of
from hebbevo.cli.output import run_console, say, say_done


def resume_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")],
    generations: Annotated[
        int | None,
        typer.Option(help="Prolong the run to this many in all; by default as config.yaml says."),
    ] = None,
    agent_steps: Annotated[
        int | None,
        typer.Option(metavar="<int>", help="Prolong it to this budget of agent-steps in all."),
    ] = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
    track: Track = None,
) -> None:
    """Continue a run from the last checkpoint."""
    from hebbevo.cli.display import StatusLine
    from hebbevo.training.evolution import resume

    console = run_console()
    with StatusLine(console) as line:
        run = resume(
            directory,
            generations=generations,
            agent_steps=agent_steps,
            execution=execution_of(threads, batch_size, workers, ray, device),
            watch=line.watch,
            track=track or (),
        )
    if run.already_finished:
        say(console, f"{directory} is finished: {run.generation} generations; nothing changed")
    else:
        say_done(console, run.path)
