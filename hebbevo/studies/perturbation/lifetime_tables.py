"""The table of every lifetime, and that of the statistics per genome, body and protocol."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from hebbevo.evaluation.measures import metric_mean, metric_values
from hebbevo.evaluation.statistics import Estimate, mean_estimate, ratio_of_means
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.studies.perturbation.comparison import Comparison
from hebbevo.studies.perturbation.plan import Plan
from hebbevo.studies.perturbation.recovery import mean_recovery

Row = dict[str, Any]

LIFETIMES: Final = {
    **dict.fromkeys(("genome", "morphology", "protocol"), "string"),
    **dict.fromkeys(("episode", "seed"), "int64"),
    "progress": "float64",
    "steps": "int64",
    "diverged": "bool",
    **dict.fromkeys(("loss", "recovery_steps"), "float64"),
}
STATISTICS: Final = {
    **dict.fromkeys(("genome", "rule", "morphology", "protocol", "perturbations"), "string"),
    **dict.fromkeys(("begins", "recovery_from", "lifetimes", "diverged"), "int64"),
    "unit": "string",
    **dict.fromkeys(("mean", "mean_low", "mean_high", "sd"), "float64"),
    **dict.fromkeys(("loss", "loss_low", "loss_high"), "float64"),
    **dict.fromkeys(("loss_share", "loss_share_low", "loss_share_high"), "float64"),
    **dict.fromkeys(("recovery_steps", "recovery_low", "recovery_high"), "float64"),
    **dict.fromkeys(("recovered", "recovery_median"), "float64"),
}


def lifetime_rows(plan: Plan, comparison: Comparison) -> Iterator[Row]:
    """Yield a row per lifetime; one that diverged, or whose twin did, has no loss and no recovery."""
    lifetimes, comparable = comparison.record.lifetimes, comparison.comparable
    losses, recoveries = comparison.losses, comparison.recoveries
    further = {name: metric_values(name, metric, lifetimes) for name, metric in plan.metrics.items()}
    for episode in range(plan.episodes):
        diverged = bool(lifetimes.diverged[episode])
        yield {
            **comparison.names,
            "episode": episode,
            "seed": lifetime_seed(plan.seed, SeedPurpose.EVALUATION, episode),
            "progress": None if diverged else float(lifetimes.fitness[episode]),
            "steps": int(lifetimes.steps[episode]),
            "diverged": diverged,
            "loss": float(losses[episode]) if comparable[episode] else None,
            "recovery_steps": _finite(recoveries[episode]) if comparable[episode] else None,
            **{name: _finite(values[episode]) for name, values in further.items()},
        }


def statistics_row(plan: Plan, comparison: Comparison) -> Row:
    """Return the statistics of lifetimes and, where they are perturbed, of loss and recovery."""
    protocol, lifetimes = comparison.protocol, comparison.record.lifetimes
    progress = lifetimes.fitness[~lifetimes.diverged]
    row: Row = {
        **comparison.names,
        "rule": comparison.genome.task.plasticity.parsed_rule.name,
        "perturbations": protocol.text,
        "begins": protocol.begins,
        "recovery_from": protocol.since,
        "lifetimes": plan.episodes,
        "diverged": int(lifetimes.diverged.sum()),
        "unit": plan.unit,
        **columns("mean", "mean", mean_estimate(progress)),
        "sd": float(progress.std(ddof=1)) if len(progress) > 1 else None,
    }
    if len(progress):
        for name, metric in plan.metrics.items():
            row[name] = metric_mean(name, metric, row["mean"], [lifetimes])
    if protocol.begins is not None:
        row |= _loss(comparison, protocol.begins)
    if protocol.since is not None:
        row |= _recovery(comparison, protocol.since)
    return row


def _loss(comparison: Comparison, begins: int) -> Row:
    comparable = comparison.comparable
    losses = comparison.losses[comparable]
    expected = comparison.twin.progress[comparable, begins:].sum(axis=1)
    return {
        **columns("loss", "loss", mean_estimate(losses)),
        **columns("loss_share", "loss_share", ratio_of_means(losses, expected)),
    }


def _recovery(comparison: Comparison, since: int) -> Row:
    comparable = comparison.comparable
    progress, twin = comparison.record.progress[comparable], comparison.twin.progress[comparable]
    row = columns("recovery_steps", "recovery", mean_recovery(progress, twin, since))
    times = comparison.recoveries[comparable]
    if not len(times):
        return row
    median = _finite(np.sort(times)[len(times) // 2])
    return {**row, "recovered": float(np.isfinite(times).mean()), "recovery_median": median}


def columns(value: str, bounds: str, estimate: Estimate) -> Row:
    """Return an estimate as columns: `value`, `bounds`_low, `bounds`_high."""
    return {value: estimate.value, f"{bounds}_low": estimate.low, f"{bounds}_high": estimate.high}


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
