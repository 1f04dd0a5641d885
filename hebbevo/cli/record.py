"""`hebbevo record`: what a network sees, is and does in its lifetimes, for analysis."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.options import Seed, Steps
from hebbevo.cli.output import run_console, say


def record_command(
    genome: Annotated[str, typer.Argument(metavar="GENOME", help="A file, a run directory or zoo:NAME.")],
    out: Annotated[
        Path,
        typer.Option(
            metavar="FILE.npz|FILE.parquet", help="The recording; it must not exist.", show_default=False
        ),
    ],
    kind: Annotated[
        list[str] | None,
        typer.Option(
            help="weights, states, activations, observations, actions or rewards; may be repeated. By default all.",
            show_default=False,
        ),
    ] = None,
    every: Annotated[int, typer.Option(help="Record every so many steps.")] = 1,
    at: Annotated[
        list[int] | None,
        typer.Option(metavar="STEP", help="Record this step; may be repeated.", show_default=False),
    ] = None,
    episodes: Annotated[int, typer.Option(help="Lifetimes.")] = 1,
    seed: Seed = 1,
    steps: Steps = None,
    morphology: Annotated[
        str | None, typer.Option(help="Body; by default the task's first.", show_default=False)
    ] = None,
    perturb: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Perturbations, as zero_weights:at=300; several are joined by +. By default those that the genome "
            "evolved with.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Record weights, states, activations, observations, actions and rewards of lifetimes, at chosen steps."""
    from hebbevo.evaluation.record import record
    from hebbevo.evaluation.record_files import check_record

    check_record(out)
    recording = record(
        genome,
        kinds=kind or None,
        every=every,
        at=at or None,
        episodes=episodes,
        seed=seed,
        steps=steps,
        morphology=morphology,
        perturb=perturb,
    )
    recording.save(out)
    points, size = len(recording.at), out.stat().st_size / 1e6
    say(run_console(), f"{out}: {episodes} x {points} steps of {', '.join(recording.arrays)}; {size:.1f} MB")
