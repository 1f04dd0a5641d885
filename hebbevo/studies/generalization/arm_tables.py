"""The statistics of arms: how far a number would vary over other runs, and over other lifetimes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import numpy as np

from hebbevo.envs.metrics import Metric
from hebbevo.evaluation.bootstrap import FloatArray
from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.measures import metric_values
from hebbevo.evaluation.run_statistics import (
    estimate_of,
    improvement_over,
    mean_of_bodies,
    resample_runs,
    run_scores,
)
from hebbevo.evaluation.statistics import NO_ESTIMATE, Estimate, interquartile_mean
from hebbevo.genomes.genome import Genome
from hebbevo.rollouts.result import RolloutResult
from hebbevo.studies.arms import subjects
from hebbevo.studies.generalization.plan import GROUPS, SEEN, Plan
from hebbevo.studies.generalization.results import Results

if TYPE_CHECKING:
    import pyarrow as pa

_INDEPENDENT = 1
"""The stream of a baseline that is drawn independently of the arm that it is compared with."""

_BEFORE_METRICS = {
    **dict.fromkeys(("arm", "condition", "group", "morphology"), "string"),
    **dict.fromkeys(("bodies", "runs", "lifetimes", "diverged"), "int64"),
    **dict.fromkeys(("iqm", "iqm_low", "iqm_high", "mean", "median"), "float64"),
}
_AFTER_METRICS = {
    **dict.fromkeys(("retention", "retention_low", "retention_high"), "float64"),
    "improvement_over": "string",
    **dict.fromkeys(("improvement", "improvement_low", "improvement_high"), "float64"),
}


def arms_table(plan: Plan, results: Results) -> pa.Table:
    """Return the statistics of arms over their runs: rows of groups, whose morphology is null, then of bodies."""
    import pyarrow as pa

    places: list[tuple[str, str | None]] = [(group, None) for group in GROUPS]
    places += [(group, body) for group in GROUPS for body in plan.morphologies]
    rows = [row for group, body in places for row in _rows(plan, results, group, body)]
    schema = {**_BEFORE_METRICS, **dict.fromkeys(plan.metrics, "float64"), **_AFTER_METRICS}
    return pa.Table.from_pylist(rows, pa.schema(schema))


def _rows(plan: Plan, results: Results, group: str, body: str | None) -> Iterator[dict[str, Any]]:
    by_name, over = subjects(plan.genomes, plan.arms), plan.compared_with
    baseline = [] if over is None else _parts(plan, results, by_name[over], group, body, GENOME)
    for arm in plan.arms:
        for condition in plan.conditions(by_name[arm][0]):
            parts = _parts(plan, results, by_name[arm], group, body, condition)
            if not parts:
                continue
            place = {"arm": arm, "condition": condition, "group": group, "morphology": body}
            row = {**place, **_statistics(plan, parts)}
            if condition == GENOME:
                row |= _columns("retention", _retention(plan, results, by_name[arm], group, body))
            if baseline and (arm, condition) != (over, GENOME):
                row |= {"improvement_over": over, **_improvement(parts, baseline)}
            yield row


def _parts(
    plan: Plan, results: Results, genomes: Sequence[Genome], group: str, body: str | None, condition: str
) -> list[list[RolloutResult]]:
    """Return the lifetimes of each run on each body of a group, or on one; runs without such a body are left out."""
    found = [
        [
            results[genome.name, one, condition]
            for one in plan.bodies(genome, group)
            if body in (None, one) and (genome.name, one, condition) in results
        ]
        for genome in genomes
    ]
    return [parts for parts in found if parts]


def _statistics(plan: Plan, parts: Sequence[Sequence[RolloutResult]]) -> dict[str, Any]:
    diverged = [of_body.diverged for run in parts for of_body in run]
    row: dict[str, Any] = {"bodies": len(parts[0]), "runs": len(parts)}
    row |= {"lifetimes": sum(map(len, diverged)), "diverged": sum(int(one.sum()) for one in diverged)}
    lifetimes = _lifetimes(parts)
    if not len(lifetimes):
        return row
    scores = run_scores(lifetimes)
    row |= _columns("iqm", estimate_of(scores, _resampled(lifetimes), interquartile_mean))
    row |= {"mean": float(scores.mean()), "median": float(np.median(scores))}
    return row | {name: _metric(name, metric, row["mean"], parts) for name, metric in plan.metrics.items()}


def _metric(name: str, metric: Metric, mean: float, parts: Sequence[Sequence[RolloutResult]]) -> float:
    """Return the mean of a metric over runs; it is that of the same lifetimes as `mean`."""
    if not metric.measured:
        return metric.of(mean)
    return float(run_scores(_lifetimes(parts, partial(metric_values, name, metric))).mean())


def _improvement(
    parts: Sequence[Sequence[RolloutResult]], baseline: Sequence[Sequence[RolloutResult]]
) -> dict[str, Any]:
    runs, others = _lifetimes(parts), _lifetimes(baseline)
    if not len(runs) or not len(others):
        return {}
    resampled = _resampled(runs), _resampled(others, _INDEPENDENT)
    return _columns("improvement", improvement_over(run_scores(runs), run_scores(others), *resampled))


def _retention(
    plan: Plan, results: Results, genomes: Sequence[Genome], group: str, body: str | None
) -> Estimate:
    """Return what runs keep of their score on the first body that they evolved on: the one over the other, by run.

    Without an estimate where that body is not in the study; or the score there is not above zero in every run, so
    that no ratio to it means anything.
    """
    runs = [
        np.concatenate([_lifetimes(here), _lifetimes(home)])
        for genome in genomes
        if (here := _parts(plan, results, [genome], group, body, GENOME))
        and (home := _parts(plan, results, [genome], SEEN, genome.task.env.morphology_names[0], GENOME))
    ]
    lifetimes = np.array([pair for pair in runs if len(pair) == 2])
    if not len(lifetimes):
        return NO_ESTIMATE
    scores = run_scores(lifetimes)
    if (scores[:, 1] <= 0).any():
        return NO_ESTIMATE
    kept, resampled = scores[:, 0] / scores[:, 1], resample_runs(lifetimes)
    if (resampled[..., 1] <= 0).any():
        return Estimate(float(interquartile_mean(kept)), None, None)
    return estimate_of(kept, resampled[..., 0] / resampled[..., 1], interquartile_mean)


def _lifetimes(
    parts: Sequence[Sequence[RolloutResult]],
    values: Callable[[RolloutResult], FloatArray] = attrgetter("known_fitness"),
) -> FloatArray:
    """Return ``(runs, lifetimes)``, means over the bodies of each run; without runs that always diverge on one."""
    stacked = np.stack([mean_of_bodies([values(one) for one in run]) for run in parts])
    return stacked[~np.isnan(stacked).all(axis=1)]


def _resampled(lifetimes: FloatArray, stream: int = 0) -> FloatArray:
    return np.asarray(resample_runs(lifetimes[:, None, :], stream)[:, :, 0])


def _columns(name: str, estimate: Estimate) -> dict[str, float | None]:
    return {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
