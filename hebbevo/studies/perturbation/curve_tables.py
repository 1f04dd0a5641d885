"""The tables of curves: progress over the step of freezing, and speed over time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from hebbevo.evaluation.statistics import mean_estimate, mean_intervals, ratio_of_means
from hebbevo.studies.perturbation.comparison import Comparison
from hebbevo.studies.perturbation.lifetime_tables import Row, columns
from hebbevo.studies.perturbation.plan import Plan

BIN: Final = 10
"""Steps over which the speeds of the table are averaged."""

FREEZE: Final = {
    **dict.fromkeys(("genome", "morphology"), "string"),
    "frozen_at": "int64",
    **dict.fromkeys(("mean", "mean_low", "mean_high", "of_unperturbed"), "float64"),
}
SPEED: Final = {
    **dict.fromkeys(("genome", "morphology", "protocol"), "string"),
    "t": "int64",
    "unit": "string",
    **dict.fromkeys(("speed", "speed_low", "speed_high"), "float64"),
}


def freeze_row(comparison: Comparison) -> Row:
    """Return a point of the freeze curve: progress of lifetimes whose weights change no more from a step on."""
    comparable = comparison.comparable
    progress = comparison.record.lifetimes.fitness[comparable]
    twin = comparison.twin.lifetimes.fitness[comparable]
    return {
        "genome": comparison.genome.name,
        "morphology": comparison.morphology,
        "frozen_at": comparison.protocol.frozen_at,
        **columns("mean", "mean", mean_estimate(progress)),
        "of_unperturbed": ratio_of_means(progress, twin).value,
    }


def speed_rows(plan: Plan, comparison: Comparison) -> Iterator[Row]:
    """Yield the speed in every bin of `BIN` steps, with intervals over lifetimes."""
    record = comparison.record
    progress = record.progress[~record.lifetimes.diverged]
    bins = progress.shape[1] // BIN
    if not len(progress):
        return
    in_bins = progress[:, : bins * BIN].reshape(len(progress), bins, BIN)
    speeds = in_bins.mean(axis=2) * plan.speed_scale
    means, (low, high) = speeds.mean(axis=0), mean_intervals(speeds)
    for number in range(bins):
        yield {
            **comparison.names,
            "t": number * BIN,
            "unit": plan.speed_unit,
            "speed": float(means[number]),
            "speed_low": float(low[number]),
            "speed_high": float(high[number]),
        }
