"""The statistics of arms under perturbations: progress, loss and recovery over runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from hebbevo.evaluation.bootstrap import percentile_interval
from hebbevo.evaluation.measures import metric_values
from hebbevo.evaluation.run_statistics import (
    estimate_of,
    median_with_never,
    resample_runs,
    run_scores,
)
from hebbevo.evaluation.statistics import NO_ESTIMATE, Estimate, interquartile_mean
from hebbevo.studies.perturbation.comparison import Comparison
from hebbevo.studies.perturbation.lifetime_tables import Row, columns
from hebbevo.studies.perturbation.plan import Plan
from hebbevo.studies.perturbation.records import Floats
from hebbevo.studies.perturbation.recovery import mean_recovery_steps

ARMS: Final = {
    **dict.fromkeys(("arm", "morphology", "protocol"), "string"),
    **dict.fromkeys(("begins", "recovery_from", "runs", "lifetimes", "diverged"), "int64"),
    "unit": "string",
    **dict.fromkeys(("iqm", "iqm_low", "iqm_high", "mean"), "float64"),
    **dict.fromkeys(("loss", "loss_low", "loss_high"), "float64"),
    **dict.fromkeys(("loss_share", "loss_share_low", "loss_share_high"), "float64"),
    "recovered": "int64",
    **dict.fromkeys(("recovery_steps", "recovery_low", "recovery_high"), "float64"),
}


def arm_rows(plan: Plan, compared: Sequence[Comparison]) -> Iterator[Row]:
    """Yield a row per arm, body and protocol, of the comparisons of its genomes."""
    for arm, names in plan.arms.items():
        for body in plan.morphologies:
            for protocol in plan.protocols:
                found = [
                    one
                    for one in compared
                    if one.genome.name in names and (one.morphology, one.protocol) == (body, protocol)
                ]
                if found:
                    place = {"arm": arm, "morphology": body, "protocol": protocol.name}
                    yield {**place, **_statistics(plan, found)}


def _statistics(plan: Plan, runs: Sequence[Comparison]) -> Row:
    lifetimes, protocol = [run.record.lifetimes for run in runs], runs[0].protocol
    row: Row = {
        "begins": protocol.begins,
        "recovery_from": protocol.since,
        "runs": len(runs),
        "lifetimes": len(runs) * plan.episodes,
        "diverged": sum(int(one.diverged.sum()) for one in lifetimes),
        "unit": plan.unit,
    }
    progress = _known(np.stack([one.known_fitness for one in lifetimes]))
    if not len(progress):
        return row
    scores = run_scores(progress)
    row |= columns("iqm", "iqm", estimate_of(scores, _resampled(progress), interquartile_mean))
    row["mean"] = float(scores.mean())
    for name, metric in plan.metrics.items():
        values = _known(np.stack([metric_values(name, metric, one) for one in lifetimes]))
        row[name] = float(run_scores(values).mean())
    if protocol.begins is not None:
        row |= _loss(runs, protocol.begins)
    if protocol.since is not None:
        row |= _recovery(runs, protocol.since)
    return row


def _loss(runs: Sequence[Comparison], begins: int) -> Row:
    losses = np.stack([np.where(run.comparable, run.losses, np.nan) for run in runs])
    expected = np.stack(
        [np.where(run.comparable, run.twin.progress[:, begins:].sum(axis=1), np.nan) for run in runs]
    )
    losses, expected = _known(losses), _known(expected)
    if not len(losses):
        return {}
    drawn = _resampled(losses), _resampled(expected)  # the same draws: the shapes are the same
    estimate = estimate_of(run_scores(losses), drawn[0], np.mean)
    return {
        **columns("loss", "loss", estimate),
        **columns("loss_share", "loss_share", _share(run_scores(losses), run_scores(expected), *drawn)),
    }


def _share(losses: Floats, expected: Floats, drawn: Floats, drawn_expected: Floats) -> Estimate:
    """Return the mean loss as a part of the mean progress; no number where that is not positive."""
    if expected.mean() <= 0:
        return NO_ESTIMATE
    value, below = float(losses.mean() / expected.mean()), drawn_expected.mean(axis=1)
    if len(losses) < 2 or below.min() <= 0:
        return Estimate(value, None, None)
    return Estimate(value, *map(float, percentile_interval(drawn.mean(axis=1) / below)))


def _recovery(runs: Sequence[Comparison], since: int) -> Row:
    """Return the median over runs of the recovery time of a run's mean speed, and how many recover."""
    times = [
        mean_recovery_steps(run.record.progress[run.comparable], run.twin.progress[run.comparable], since)
        for run in runs
        if run.comparable.any()
    ]
    known = np.array([time for time in times if time is not None])
    if not len(known):
        return {}
    row = columns("recovery_steps", "recovery", median_with_never(known))
    return {**row, "recovered": int(np.isfinite(known).sum())}


def _known(lifetimes: Floats) -> Floats:
    """Return the runs that have a finished lifetime."""
    return lifetimes[~np.isnan(lifetimes).all(axis=1)]


def _resampled(lifetimes: Floats) -> Floats:
    return np.asarray(resample_runs(lifetimes[:, None, :])[:, :, 0])
