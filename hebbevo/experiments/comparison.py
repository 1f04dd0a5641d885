"""Arms beside each other: a pure function of what lies in run directories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hebbevo.experiments.curves import Curve, curve_of, efficiency, final_score
from hebbevo.experiments.sources import Compared, read_sources
from hebbevo.experiments.tables import Tables, make_tables


@dataclass(frozen=True)
class Comparison:
    """A finished comparison.

    Attributes:
        compared: arms and runs.
        curves: learning curves by arm.
        score: that sample efficiency is about.
        tables: as in the files.
    """

    compared: Compared
    curves: dict[str, Curve]
    score: float | None
    tables: Tables


def make_comparison(
    sources: Sequence[str | Path], baseline: str | None = None, score: float | None = None
) -> Comparison:
    """Compare arms; see `hebbevo.experiments.compare.compare`."""
    compared = read_sources(sources, baseline)
    curves = {arm.name: curve_of(arm) for arm in compared.arms}
    target = final_score(compared.baseline) if score is None else score
    efficiencies = {} if target is None else {arm.name: efficiency(arm, target) for arm in compared.arms}
    return Comparison(compared, curves, target, make_tables(compared, curves, efficiencies, target))
