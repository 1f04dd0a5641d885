"""Tables of a study of generalisation: one row per lifetime, and the statistics per group and per body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbevo.evaluation.bootstrap import FloatArray
from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.measures import metric_mean, metric_values
from hebbevo.evaluation.statistics import (
    interquartile_mean,
    probability_of_improvement,
    stratified_intervals,
)
from hebbevo.genomes.genome import Genome
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.studies.generalization.plan import GROUPS, Plan
from hebbevo.studies.generalization.results import Results

if TYPE_CHECKING:
    import pyarrow as pa

_BEFORE_METRICS = {
    **dict.fromkeys(("genome", "condition", "group", "morphology"), "string"),
    **dict.fromkeys(("bodies", "lifetimes", "diverged"), "int64"),
    **dict.fromkeys(
        ("mean", "mean_low", "mean_high", "sd", "median", "iqm", "iqm_low", "iqm_high"), "float64"
    ),
}
_AFTER_METRICS = {
    "improvement_over": "string",
    **dict.fromkeys(("improvement", "improvement_low", "improvement_high"), "float64"),
}


def lifetimes_table(plan: Plan, results: Results) -> pa.Table:
    """Return a row per lifetime; one that diverged has no progress."""
    import pyarrow as pa

    parts = [
        _lifetimes_part(plan, genome, condition, body, results[genome.name, body, condition])
        for genome in plan.genomes
        for condition in plan.conditions(genome)
        for body in plan.morphologies
    ]
    return pa.concat_tables(parts).combine_chunks()


def _lifetimes_part(
    plan: Plan, genome: Genome, condition: str, body: str, lifetimes: RolloutResult
) -> pa.Table:
    import pyarrow as pa

    episodes = range(plan.episodes)
    progress = pa.array(lifetimes.fitness, pa.float64(), mask=lifetimes.diverged)
    measures = {
        name: pa.array(metric_values(name, metric, lifetimes), pa.float64(), mask=lifetimes.diverged)
        for name, metric in plan.metrics.items()
    }
    return pa.table(
        {
            "genome": pa.repeat(genome.name, plan.episodes),
            "condition": pa.repeat(condition, plan.episodes),
            "morphology": pa.repeat(body, plan.episodes),
            "group": pa.repeat(plan.group(genome, body), plan.episodes),
            "episode": pa.array(episodes, pa.int64()),
            "seed": pa.array(
                [lifetime_seed(plan.seed, SeedPurpose.EVALUATION, n) for n in episodes], pa.int64()
            ),
            "progress_m": progress,
            **measures,
            "steps": pa.array(lifetimes.steps, pa.int64()),
            "diverged": pa.array(lifetimes.diverged, pa.bool_()),
        }
    )


def statistics_table(plan: Plan, results: Results) -> pa.Table:
    """Return the statistics: rows of groups, whose morphology is null, then rows of single bodies."""
    import pyarrow as pa

    parts = [
        (genome, group, bodies)
        for group in GROUPS
        for genome in plan.genomes
        if (bodies := plan.bodies(genome, group))
    ]
    singles = [(genome, group, (body,)) for genome, group, bodies in parts for body in bodies]
    rows = [
        {
            "genome": genome.name,
            "condition": condition,
            "group": group,
            "morphology": bodies[0] if level is singles else None,
            "bodies": len(bodies),
            **_statistics(plan, results, genome, condition, bodies),
        }
        for level in (parts, singles)
        for genome, group, bodies in level
        for condition in plan.conditions(genome)
    ]
    schema = {**_BEFORE_METRICS, **dict.fromkeys(plan.metrics, "float64"), **_AFTER_METRICS}
    return pa.Table.from_pylist(rows, pa.schema(schema))


def _statistics(
    plan: Plan, results: Results, genome: Genome, condition: str, bodies: Sequence[str]
) -> dict[str, Any]:
    """Return the columns of numbers; those without a value are left out, and become null."""
    lifetimes = [results[genome.name, body, condition] for body in bodies]
    diverged = sum(int(part.diverged.sum()) for part in lifetimes)
    row: dict[str, Any] = {"lifetimes": len(bodies) * plan.episodes, "diverged": diverged}
    strata = [values for part in lifetimes if len(values := _fitness_of_finished(part))]
    if not strata:
        return row
    pooled = np.concatenate(strata)
    row["mean"], row["iqm"] = float(pooled.mean()), float(interquartile_mean(pooled))
    row["sd"] = float(pooled.std(ddof=1)) if len(pooled) > 1 else 0.0
    row["median"] = float(np.median(pooled))
    intervals = stratified_intervals(strata, [np.mean, interquartile_mean])
    (row["mean_low"], row["mean_high"]), (row["iqm_low"], row["iqm_high"]) = intervals
    for name, metric in plan.metrics.items():
        row[name] = metric_mean(name, metric, row["mean"], lifetimes)
    return row | _improvement(plan, results, genome, condition, bodies)


def _improvement(
    plan: Plan, results: Results, genome: Genome, condition: str, bodies: Sequence[str]
) -> dict[str, Any]:
    """Return the columns on the baseline, of the bodies that both have lifetimes of."""
    if plan.baseline is None or (genome.name, condition) == (plan.baseline, GENOME):
        return {}
    pairs = [
        (values, baseline)
        for body in bodies
        if len(values := _fitness_of_finished(results[genome.name, body, condition]))
        and len(baseline := _fitness_of_finished(results[plan.baseline, body, GENOME]))
    ]
    if not pairs:
        return {}
    value, (low, high) = probability_of_improvement(*zip(*pairs, strict=True))
    return {
        "improvement_over": plan.baseline,
        "improvement": value,
        "improvement_low": low,
        "improvement_high": high,
    }


def _fitness_of_finished(lifetimes: RolloutResult) -> FloatArray:
    """Return the fitness of the lifetimes that did not diverge."""
    return lifetimes.fitness[~lifetimes.diverged]
