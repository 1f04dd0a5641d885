"""`hebbevo view`: a lifetime in a window."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import Seed, Steps
from hebbevo.cli.output import run_console, say


def view_command(
    genome: Annotated[str, typer.Argument(metavar="GENOME", help="A file, a run directory or zoo:NAME.")],
    morphology: Annotated[
        str | None, typer.Option(help="Body; by default the task's first.", show_default=False)
    ] = None,
    perturb: Annotated[
        str | None,
        typer.Option(
            metavar="TEXT",
            help="Perturbations, as push:at=300,speed=2; several are joined by +. By default those that the genome "
            "evolved with.",
            show_default=False,
        ),
    ] = None,
    seed: Seed = 1,
    steps: Steps = None,
    speed: Annotated[float, typer.Option(help="Simulated seconds in a second.")] = 1.0,
) -> None:
    """Show a lifetime in MuJoCo's own window, where there is a display."""
    from hebbevo.genomes.genome import load_genome
    from hebbevo.rendering.viewer import view

    loaded = load_genome(genome)
    result = view(loaded, morphology=morphology, perturb=perturb, seed=seed, steps=steps, speed=speed)
    if result is not None:
        outcome = "diverged" if result.diverged[0] else f"{result.fitness[0]:.2f} {loaded.task.env.unit}"
        say(run_console(), f"{genome}: {result.steps[0]} steps, {outcome}")
