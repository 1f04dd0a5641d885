"""The tables of a study of learning; their columns are described in docs/studies.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from hebbevo.evaluation.statistics import NO_ESTIMATE, Estimate, mean_estimate, mean_intervals
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.studies.learning.arm_tables import ARMS, arm_curve_rows, arm_rows
from hebbevo.studies.learning.columns import Row, columns, references, share_of
from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.records import Record
from hebbevo.studies.learning.results import Records
from hebbevo.studies.learning.scores import AFTER, BEFORE, Floats, Scores, best_shares, gains
from hebbevo.studies.learning.special import SPECIAL

if TYPE_CHECKING:
    import pyarrow as pa

MOST_POINTS: Final = 40
"""Of a curve in a figure."""
_WHO: Final = dict.fromkeys(("genome", "morphology", "condition"), "string")
_BEST: Final = dict.fromkeys(("best", "best_low", "best_high"), "float64")
_REWARD: Final = dict.fromkeys(("reward", "reward_low", "reward_high"), "float64")
_NUMBERS: Final = {"lifetimes": "int64", **_BEST, **_REWARD}

LIFETIMES: Final = {
    **_WHO,
    **dict.fromkeys(("episode", "seed"), "int64"),
    **dict.fromkeys(("reward", "best"), "float64"),
    **dict.fromkeys(("trials", "steps"), "int64"),
    "diverged": "bool",
}
STATISTICS: Final = {
    **_WHO,
    **dict.fromkeys(("lifetimes", "diverged"), "int64"),
    **_REWARD,
    "reward_sd": "float64",
    **dict.fromkeys(("share", "share_low", "share_high"), "float64"),
    **dict.fromkeys(("gain", "gain_low", "gain_high"), "float64"),
    **_BEST,
}
CURVE: Final = {**_WHO, "trial": "int64", **_NUMBERS, "steps": "float64"}
BINS: Final = {**_WHO, "trial": "int64", **_NUMBERS}
PHASES: Final = {**_WHO, "phase": "int64", **_NUMBERS}
CHANGES: Final = {**_WHO, "since": "int64", **_NUMBERS}


@dataclass(frozen=True)
class StudyTables:
    """The tables of a study.

    Attributes:
        lifetimes: a row per lifetime.
        table: a row per genome, task and condition, and one for each of `REFERENCES`.
        arms: a row per arm, task and condition, over its runs.
        curve: by trial.
        bins: the same, over every `bin_width` trials, for figures, of arms too; `trial` is the first.
        phases: by phase, where there are several.
        changes: by trial before and after a change of phase, where there are any.
        arm_changes: the same of arms, for figures.
        special: of `hebbevo.studies.learning.special`, where the world has an entry there.
    """

    lifetimes: pa.Table
    table: pa.Table
    arms: pa.Table
    curve: pa.Table
    bins: pa.Table
    bin_width: int
    phases: pa.Table
    changes: pa.Table
    arm_changes: pa.Table
    special: pa.Table | None


def make_tables(plan: Plan, records: Records) -> StudyTables:
    """Return the tables of recorded lifetimes."""
    places = [
        (genome.name, body, condition.name)
        for genome in plan.genomes
        for body in plan.morphologies
        for condition in plan.conditions(genome)
    ]
    scores = {place: Scores.of(records[place]) for place in places}
    parts = [(dict(zip(_WHO, place, strict=True)), scores[place]) for place in places]
    rows = (row for place in places for row in _lifetime_rows(plan, place, records[place]))
    trials = max(of.best.shape[1] for of in scores.values())
    width = -(-trials // MOST_POINTS)
    bins = {place: of.in_bins(of.best, width) for place, of in scores.items() if plan.arms}
    around = {place: of.around_changes(of.best) for place, of in scores.items() if plan.arms}
    return StudyTables(
        lifetimes=_table(LIFETIMES, rows),
        table=_table(STATISTICS, _statistics(plan, places, records, scores)),
        arms=_table(ARMS, arm_rows(plan, records)),
        curve=_table(CURVE, (row for who, of in parts for row in _curve_rows(who, of))),
        bins=_table(
            BINS,
            (
                *(row for who, of in parts for row in _bin_rows(who, of, width)),
                *arm_curve_rows(plan, bins, "trial", range(0, trials, width)),
            ),
        ),
        bin_width=width,
        phases=_table(PHASES, (row for who, of in parts for row in _phase_rows(who, of))),
        changes=_table(CHANGES, (row for who, of in parts for row in _change_rows(who, of))),
        arm_changes=_table(CHANGES, arm_curve_rows(plan, around, "since", range(-BEFORE, AFTER))),
        special=special.table(plan, records) if (special := SPECIAL.get(plan.env.name)) else None,
    )


def _table(schema: Mapping[str, str], rows: Iterable[Row]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(list(rows), schema=pa.schema(schema))


def _lifetime_rows(plan: Plan, place: tuple[str, str, str], record: Record) -> Iterator[Row]:
    lifetimes, best = record.lifetimes, best_shares(record)
    for episode in range(plan.episodes):
        diverged = bool(lifetimes.diverged[episode])
        yield {
            **dict(zip(_WHO, place, strict=True)),
            "episode": episode,
            "seed": lifetime_seed(plan.seed, SeedPurpose.EVALUATION, episode),
            "reward": None if diverged else float(lifetimes.fitness[episode]),
            "best": None if np.isnan(best[episode]) else float(best[episode]),
            "trials": int(record.steps.trial[episode].max()) + 1,
            "steps": int(lifetimes.steps[episode]),
            "diverged": diverged,
        }


def _statistics(
    plan: Plan,
    places: Iterable[tuple[str, str, str]],
    records: Records,
    scores: Mapping[tuple[str, str, str], Scores],
) -> Iterator[Row]:
    for place in places:
        yield _statistics_row(plan, place, records[place])
    for body in plan.morphologies:
        for name, value in references(plan, body).items():
            yield {
                "genome": None,
                "morphology": body,
                "condition": name,
                "reward": value,
                "share": share_of(plan, body, value),
                "best": plan.world(body).guess if name == "chance" else None,
            }


def _statistics_row(plan: Plan, place: tuple[str, str, str], record: Record) -> Row:
    lifetimes, body = record.lifetimes, place[1]
    rewards = lifetimes.fitness[~lifetimes.diverged]
    reward = mean_estimate(rewards)
    best = best_shares(record)
    bounds = [share_of(plan, body, value) for value in (reward.value, reward.low, reward.high)]
    return {
        **dict(zip(_WHO, place, strict=True)),
        "lifetimes": plan.episodes,
        "diverged": int(lifetimes.diverged.sum()),
        **columns("reward", reward),
        "reward_sd": float(rewards.std(ddof=1)) if len(rewards) > 1 else None,
        **columns("share", Estimate(*bounds)),
        **columns("gain", mean_estimate(gains(record)[~lifetimes.diverged])),
        **columns("best", mean_estimate(best[~np.isnan(best)])),
    }


def _curve_rows(who: Row, scores: Scores) -> Iterator[Row]:
    rows = _rows(who, "trial", 0, scores.best, scores.reward)
    for row, steps in zip(rows, scores.steps.T, strict=True):
        if row["lifetimes"]:
            yield {**row, "steps": float(np.nanmean(steps))}


def _bin_rows(who: Row, scores: Scores, width: int) -> Iterator[Row]:
    binned = (scores.in_bins(values, width) for values in (scores.best, scores.reward))
    for row in _rows(who, "trial", 0, *binned):
        yield {**row, "trial": width * row["trial"]}


def _phase_rows(who: Row, scores: Scores) -> Iterator[Row]:
    if scores.phase.max(initial=0) > 0:
        yield from _rows(who, "phase", 0, scores.by_phase(scores.best), scores.by_phase(scores.reward))


def _change_rows(who: Row, scores: Scores) -> Iterator[Row]:
    best, reward = (scores.around_changes(values) for values in (scores.best, scores.reward))
    yield from (row for row in _rows(who, "since", -BEFORE, best, reward) if row["lifetimes"])


def _rows(who: Row, name: str, first: int, best: Floats, reward: Floats) -> Iterator[Row]:
    """Yield a row per column of ``(lifetimes, columns)``: means over the lifetimes that have a value, and intervals."""
    bests, rewards = _estimates(best), _estimates(reward)
    numbers = (~np.isnan(reward)).sum(axis=0)
    for at, (one, other) in enumerate(zip(bests, rewards, strict=True)):
        yield {
            **who,
            name: first + at,
            "lifetimes": int(numbers[at]),
            **columns("best", one),
            **columns("reward", other),
        }


def _estimates(values: Floats) -> list[Estimate]:
    known = (~np.isnan(values)).any(axis=0) if len(values) else np.zeros(values.shape[1], np.bool_)
    found = [NO_ESTIMATE] * values.shape[1]
    if known.any():
        low, high = mean_intervals(values[:, known])
        means = np.nanmean(values[:, known], axis=0)
        for at, numbers in zip(np.flatnonzero(known), zip(means, low, high, strict=True), strict=True):
            found[at] = Estimate(*map(float, numbers))
    return found
