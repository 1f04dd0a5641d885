"""The statistics of arms in a study of learning: rewards and best choices over runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

import numpy as np

from hebbevo.evaluation.run_statistics import bands, estimate_of, resample_runs, run_scores
from hebbevo.evaluation.statistics import NO_ESTIMATE, Estimate, interquartile_mean
from hebbevo.studies.learning.columns import Row, columns, share_of
from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.records import Record
from hebbevo.studies.learning.scores import Floats, best_shares

ARMS: Final = {
    **dict.fromkeys(("arm", "morphology", "condition"), "string"),
    **dict.fromkeys(("runs", "lifetimes", "diverged"), "int64"),
    **dict.fromkeys(("iqm", "iqm_low", "iqm_high", "mean"), "float64"),
    **dict.fromkeys(("share", "share_low", "share_high"), "float64"),
    **dict.fromkeys(("best", "best_low", "best_high"), "float64"),
}


def arm_rows(plan: Plan, records: Mapping[tuple[str, str, str], Record]) -> Iterator[Row]:
    """Yield a row per arm, task and condition, over the runs that have this condition."""
    for arm, names in plan.arms.items():
        of_arm = [genome for genome in plan.genomes if genome.name in names]
        conditions = dict.fromkeys(one.name for genome in of_arm for one in plan.conditions(genome))
        for body in plan.morphologies:
            for condition in conditions:
                places = [(genome.name, body, condition) for genome in of_arm]
                runs = [records[place] for place in places if place in records]
                place = {"arm": arm, "morphology": body, "condition": condition}
                yield {**place, **_statistics(plan, body, runs)}


def arm_curve_rows(
    plan: Plan, columns_of: Mapping[tuple[str, str, str], Floats], column: str, numbers: Sequence[int]
) -> Iterator[Row]:
    """Yield the points of an arm's curves, as those of a genome that is called so: IQM over runs, with intervals.

    Args:
        plan: with the arms.
        columns_of: share of best choices by genome, task and condition, ``(lifetimes, columns)``.
        column: name of the columns' numbers.
        numbers: of all columns that there may be.
    """
    for arm, names in plan.arms.items():
        places = [place for place in columns_of if place[0] in names]
        for body, condition in dict.fromkeys(place[1:] for place in places):
            runs = [run_scores(columns_of[place].T) for place in places if place[1:] == (body, condition)]
            shared = min(map(len, runs))
            curves = np.stack([run[:shared] for run in runs])
            known = np.flatnonzero(~np.isnan(curves).any(axis=0))
            if not len(known):
                continue
            for at, *point in zip(known, *bands(curves[:, known]), strict=True):
                best = (None if np.isnan(value) else float(value) for value in point)
                yield {
                    "genome": arm,
                    "morphology": body,
                    "condition": condition,
                    column: numbers[int(at)],
                    "lifetimes": len(runs) * plan.episodes,
                    **columns("best", Estimate(*best)),
                }


def _statistics(plan: Plan, body: str, runs: Sequence[Record]) -> Row:
    diverged = np.stack([run.lifetimes.diverged for run in runs])
    rewards = np.stack([run.lifetimes.known_fitness for run in runs])
    reward = _over_runs(rewards)
    bounds = (share_of(plan, body, value) for value in (reward.value, reward.low, reward.high))
    scores = run_scores(rewards)
    finished = scores[~np.isnan(scores)]
    return {
        "runs": len(runs),
        "lifetimes": diverged.size,
        "diverged": int(diverged.sum()),
        **columns("iqm", reward),
        "mean": float(finished.mean()) if len(finished) else None,
        **columns("share", Estimate(*bounds)),
        **columns("best", _over_runs(np.stack([best_shares(run) for run in runs]))),
    }


def _over_runs(lifetimes: Floats) -> Estimate:
    """Return the interquartile mean over the runs that have a value, ``(runs, lifetimes)``, with its interval."""
    known = lifetimes[~np.isnan(lifetimes).all(axis=1)]
    if not len(known):
        return NO_ESTIMATE
    drawn = resample_runs(known[:, None, :])[:, :, 0]
    return estimate_of(run_scores(known), drawn, interquartile_mean)
