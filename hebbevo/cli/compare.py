"""`hebbevo compare`: arms over their run seeds, from what lies in run directories."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.output import say


def compare_command(
    sources: Annotated[
        list[str],
        typer.Argument(metavar="DIR...", help="Experiments, arms, runs, or LABEL=RUN,RUN,... of one recipe."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Directory to write to; by default the experiment, where there is one; else nothing is written.",
            show_default=False,
        ),
    ] = None,
    baseline: Annotated[
        str | None,
        typer.Option(
            metavar="ARM",
            help="Arm to compare with; by default the experiment's, or the first that does not learn, or the first.",
            show_default=False,
        ),
    ] = None,
    score: Annotated[
        float | None,
        typer.Option(
            help="For sample efficiency; by default where the baseline ends in training.", show_default=False
        ),
    ] = None,
    figures: Annotated[
        list[str] | None,
        typer.Option(
            "--format", metavar="pdf|svg", help="Figures besides PNG; may be repeated.", show_default=False
        ),
    ] = None,
) -> None:
    """Compare arms over their run seeds: tables, learning curves, intervals, a report."""
    from rich.console import Console

    from hebbevo.cli.experiment_display import say_comparison
    from hebbevo.experiments.compare import compare
    from hebbevo.experiments.directory import is_experiment

    if out is None and len(sources) == 1 and is_experiment(Path(sources[0])):
        out = Path(sources[0])
    comparison = compare(sources, out, baseline=baseline, score=score, formats=figures or ())
    console = Console()
    say_comparison(console, comparison)
    say(
        console, "nothing was written; --out DIR writes it" if out is None else f"done: {out / 'report.html'}"
    )
