"""Compare arms over their run seeds, and write tables, figures and a report."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from hebbevo.errors import InputError, unknown
from hebbevo.experiments.comparison import Comparison, make_comparison

FORMATS: Final = ("png", "pdf", "svg")


def compare(
    sources: Sequence[str | Path],
    out: str | Path | None = None,
    *,
    baseline: str | None = None,
    score: float | None = None,
    formats: Sequence[str] = ("png",),
) -> Comparison:
    """Compare arms, and write tables, figures and a report.

    Args:
        sources: directories of experiments, of arms or of runs; or texts ``LABEL=DIR,DIR,...`` of runs.
        out: the directory to write to, whose files of the same names are replaced; None writes nothing.
        baseline: arm that the others are compared with; by default the experiment's, else the first that does not
            learn, else the first.
        score: that sample efficiency is about; by default where the baseline ends in training.
        formats: of the figures besides PNG: pdf, svg.

    Raises:
        InputError: nothing to compare, or nothing that can be compared.
    """
    if not sources:
        raise InputError("there is nothing to compare; name an experiment, or LABEL=DIR,DIR,... of runs")
    for name in formats:
        if name not in FORMATS:
            raise InputError(unknown("format", name, FORMATS))
    comparison = make_comparison(sources, baseline, score)
    if out is not None:
        from hebbevo.experiments.files import write_comparison

        write_comparison(comparison, Path(out), formats)
    return comparison
