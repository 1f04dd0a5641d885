"""`hebbevo render`: a video of one lifetime."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.options import Bodies, Steps, bodies_of
from hebbevo.cli.output import say


def render_command(
    genome: Annotated[str, typer.Argument(metavar="GENOME", help="A file, a run directory or zoo:NAME.")],
    out: Annotated[
        Path, typer.Option(metavar="FILE.mp4", help="The video; it must not exist.", show_default=False)
    ],
    morphology: Annotated[
        str | None, typer.Option(help="Body; by default the task's first.", show_default=False)
    ] = None,
    bodies: Bodies = None,
    perturb: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT|FILE.yaml",
            help="Perturbations, as zero_weights:at=300,fraction=0.333; several are joined by +. By default "
            "those that the genome evolved with.",
            show_default=False,
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Of the lifetime, which is the first of `evaluate` with this seed.")
    ] = 1,
    steps: Steps = None,
) -> None:
    """Draw a lifetime as a video: the body, the progress, and the weights as the rule rewrites them."""
    from rich.console import Console
    from rich.progress import Progress

    from hebbevo.genomes.genome import load_genome
    from hebbevo.rendering.mp4 import check_video
    from hebbevo.rendering.video import render

    check_video(out)
    loaded, console = load_genome(genome).with_bodies(bodies_of(bodies)), Console()
    with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("drawing")
        recording = render(
            loaded,
            out,
            morphology=morphology,
            perturb=perturb,
            seed=seed,
            steps=steps,
            watch=lambda done, frames: bar.update(task, completed=done, total=frames),
        )
    result, unit = recording.result, loaded.task.env.unit
    outcome = "diverged" if result.diverged[0] else f"{result.fitness[0]:.2f} {unit}"
    say(console, f"{out}: {recording.morphology}, {result.steps[0]} steps, {outcome}")
