"""How good lifetimes were in each trial, in each phase, and around a change of what is right.

A score of a lifetime in a trial is the share of its choices that were the best ones (`optimal`). Trials that ask
nothing, and those after the end of a lifetime, have none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.envs.cognitive.learning_task import NO_CHOICE
from hebbevo.studies.learning.records import NOTHING, Record

BEFORE: Final = 5
AFTER: Final = 20
"""Trials before and after a change that are looked at."""

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Scores:
    """Trials of the lifetimes that did not diverge, each array ``(lifetimes, trials)``.

    Attributes:
        best: share of best choices; NaN where nothing was chosen.
        reward: sum over the trial's steps; NaN where there was no such trial.
        steps: of the trial; likewise.
        phase: `NOTHING` where there was no such trial.
    """

    best: Floats
    reward: Floats
    steps: Floats
    phase: Integers

    @classmethod
    def of(cls, record: Record) -> Scores:
        """Return the trials of recorded lifetimes."""
        finished = ~record.lifetimes.diverged
        steps = {name: values[finished] for name, values in vars(record.steps).items()}
        trials = int(record.steps.trial.max(initial=NOTHING)) + 1
        shape = (int(finished.sum()), trials)
        row, at = np.nonzero(steps["trial"] != NOTHING)
        place = row * trials + steps["trial"][row, at]

        def total(values: npt.NDArray[np.generic]) -> Floats:
            weights = values.astype(np.float64)
            return np.bincount(place, weights, shape[0] * trials).astype(np.float64).reshape(shape)

        optimal = steps["optimal"][row, at]
        counted, asked = total(np.ones(len(row))), total(optimal != NO_CHOICE)
        phase = np.full(shape[0] * trials, NOTHING, np.int64)
        phase[place] = steps["phase"][row, at]
        return cls(
            _ratio(total(optimal == 1), asked),
            np.where(counted > 0, total(steps["rewards"][row, at]), np.nan),
            np.where(counted > 0, counted, np.nan),
            phase.reshape(shape),
        )

    def in_bins(self, values: Floats, width: int) -> Floats:
        """Return the mean over every `width` trials, ``(lifetimes, bins)``; the last bin may have fewer."""
        bins = np.broadcast_to(np.arange(values.shape[1]) // width, values.shape)
        return _means(values, bins, np.full(values.shape, True))

    def by_phase(self, values: Floats) -> Floats:
        """Return the mean over the trials of each phase, ``(lifetimes, phases)``."""
        return _means(values, self.phase, self.phase >= 0)

    def around_changes(self, values: Floats) -> Floats:
        """Return the mean over changes of phase, by trial, ``(lifetimes, BEFORE + AFTER)``; all NaN without one.

        Column `BEFORE` is the first trial after a change. Of the trials after it those of the new phase alone count,
        and of those before it those of the old one.
        """
        since, until = trials_since(self.phase), trials_until(self.phase)
        window = BEFORE + AFTER
        after = _grouped(values, BEFORE + since, (since >= 0) & (since < AFTER), window)
        before = _grouped(values, BEFORE - until, (until > 0) & (until <= BEFORE), window)
        return _ratio(after[0] + before[0], after[1] + before[1])


def best_shares(record: Record) -> Floats:
    """Return the share of best choices of each lifetime, ``(lifetimes,)``; NaN where it diverged or chose nothing."""
    optimal, finished = record.steps.optimal, ~record.lifetimes.diverged[:, None]
    asked = (optimal != NO_CHOICE) & finished
    return _ratio(
        ((optimal == 1) & finished).sum(axis=1).astype(np.float64), asked.sum(axis=1).astype(np.float64)
    )


def gains(record: Record) -> Floats:
    """Return the reward of the second half of each lifetime less that of its first; NaN where it diverged."""
    lived = record.lifetimes.steps[:, None]
    step, half = np.arange(record.steps.rewards.shape[1]), lived // 2
    late = (step >= lived - half) & (step < lived)
    halves = np.where(late, 1.0, np.where(step < half, -1.0, 0.0))
    gained: Floats = (halves * record.steps.rewards).sum(axis=1)
    return np.where(record.lifetimes.diverged, np.nan, gained)


def trials_since(phase: Integers) -> Integers:
    """Return the trials since the change that a trial's phase began with, 0 in its first; -1 in the first phase."""
    changed = np.diff(phase, axis=1, prepend=phase[:, :1]) != 0
    trials = np.arange(phase.shape[1])
    began = np.maximum.accumulate(np.where(changed, trials, -1), axis=1)
    return np.where((began >= 0) & (phase != NOTHING), trials - began, -1)


def trials_until(phase: Integers) -> Integers:
    """Return the trials until the change that ends a trial's phase, 1 in its last; 0 where none follows."""
    trials = np.arange(phase.shape[1])
    changed = np.diff(phase, axis=1, prepend=phase[:, :1]) != 0
    changed &= phase != NOTHING
    following = np.where(changed, trials, phase.shape[1])[:, ::-1]
    next_change = np.minimum.accumulate(following, axis=1)[:, ::-1]
    next_change = np.concatenate([next_change[:, 1:], np.full((len(phase), 1), phase.shape[1])], axis=1)
    return np.where(next_change < phase.shape[1], next_change - trials, 0)


def _means(values: Floats, group: Integers, wanted: npt.NDArray[np.bool_]) -> Floats:
    return _ratio(*_grouped(values, group, wanted, int(group.max(initial=NOTHING)) + 1))


def _grouped(
    values: Floats, group: Integers, wanted: npt.NDArray[np.bool_], groups: int
) -> tuple[Floats, Floats]:
    """Return sums and numbers of each lifetime's values by group, ``(lifetimes, groups)`` each; NaN are left out."""
    row, at = np.nonzero(wanted & ~np.isnan(values))
    place, shape = row * groups + group[row, at], (len(values), groups)
    sums, numbers = (
        np.bincount(place, weights, shape[0] * groups).astype(np.float64).reshape(shape)
        for weights in (values[row, at], None)
    )
    return sums, numbers


def _ratio(sums: Floats, numbers: Floats) -> Floats:
    ratio: Floats = np.divide(sums, numbers, out=np.full(sums.shape, np.nan), where=numbers > 0)
    return ratio
