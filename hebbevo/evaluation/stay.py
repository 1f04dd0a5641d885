"""Stay probabilities of the two-step task: does a choice follow the reward, or the state that paid?

For consecutive trials *stay* is the same first action. After Daw et al. 2011 it is conditioned on whether the trial
before was rewarded (R) or not (U) and its transition common (C) or rare (R):

    model-free index  = (RC + RR - UC - UR) / 2
    model-based index = (RC - RR - UC + UR) / 2

On the schedule of Wang et al. the better first action is the same for many trials, and a purely model-free learner has
a model-based index of 0.19. `regression` takes that out: it also asks whether the last choice was the right one.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.bootstrap import (
    FloatArray,
    IndexArray,
    bootstrap_distribution,
    counts,
    percentile_interval,
)
from hebbevo.evaluation.statistics import NO_ESTIMATE, Estimate

STAYS: Final = ("rewarded_common", "rewarded_rare", "unrewarded_common", "unrewarded_rare")
"""Trials by what they were like; the share of them after which the first action stays the same."""
INDICES: Final = ("model_free_index", "model_based_index")
FACTORS: Final = ("reward", "transition", "reward_by_transition", "correct")
"""Of the regression."""

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Trials:
    """Trials of the two-step task, each ``(lifetimes, trials)``.

    Attributes:
        choices: the first action.
        rewarded: whether the second step paid.
        common: whether the first led to its action's own state.
        correct: whether the first action mostly led to the better state.
    """

    choices: npt.NDArray[np.int64]
    rewarded: Flags
    common: Flags
    correct: Flags

    @classmethod
    def empty(cls, lifetimes: int, trials: int) -> Trials:
        """Return trials of which nothing is known yet."""
        shape = (lifetimes, trials)
        return cls(np.zeros(shape, np.int64), *(np.zeros(shape, np.bool_) for _ in range(3)))

    @property
    def stays(self) -> Flags:
        """Whether the next choice was the same, ``(lifetimes, trials - 1)``."""
        stays: Flags = self.choices[:, 1:] == self.choices[:, :-1]
        return stays


def stay_probabilities(trials: Trials) -> npt.NDArray[np.float64]:
    """Return the share of stays after (rewarded, common), (rewarded, rare), (unrewarded, common), (unrewarded, rare).

    It is NaN where no trial was of the kind.
    """
    return np.array([trials.stays[kind].mean() if kind.any() else np.nan for kind in _kinds(trials)])


def indices(probabilities: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the model-free and the model-based index of `stay_probabilities`."""
    rc, rr, uc, ur = probabilities.tolist()
    return (rc + rr - uc - ur) / 2, (rc - rr - uc + ur) / 2


def regression(trials: Trials) -> dict[str, float]:
    """Return least-squares coefficients of staying, each factor +1/2 or -1/2.

    Without the factor `correct`, `reward` would be the model-free and `reward_by_transition` the model-based index of a
    balanced sample. With it, the latter is about 0 for a model-free learner.
    """
    columns = _factors(trials).reshape(-1, 1 + len(FACTORS))
    coefficients = np.linalg.lstsq(columns, trials.stays.ravel().astype(np.float64))[0]
    return dict(zip(("intercept", *FACTORS), coefficients.tolist(), strict=True))


def stay_estimates(trials: Trials) -> dict[str, Estimate]:
    """Return `STAYS`, `INDICES` and the coefficients of `FACTORS`, each with its interval over lifetimes.

    None stands for what has no trial of its kind; a resample without such a trial is left out.
    """
    lifetimes = len(trials.choices)
    sums = _sums(trials)

    def of_draws(*draws: IndexArray) -> FloatArray:
        return _statistics(counts(draws[0], lifetimes) @ sums).T

    values = _statistics(sums.sum(axis=0, keepdims=True))[0]
    with warnings.catch_warnings():
        warnings.filterwarnings(
            "ignore", "The BCa confidence interval"
        )  # SciPy's, where a resample lacks a kind
        drawn = bootstrap_distribution([lifetimes], of_draws, sums.shape[1] + lifetimes)
    found = {}
    for name, value, resampled in zip((*STAYS, *INDICES, *FACTORS), values, drawn, strict=True):
        known = resampled[~np.isnan(resampled)]
        bounds = percentile_interval(known) if len(known) else (np.nan, np.nan)
        found[name] = NO_ESTIMATE if np.isnan(value) else Estimate(float(value), *map(float, bounds))
    return found


def _kinds(trials: Trials) -> npt.NDArray[np.bool_]:
    """Return which of `STAYS` a trial is followed by, ``(4, lifetimes, trials - 1)``."""
    rewarded, common = trials.rewarded[:, :-1], trials.common[:, :-1]
    return np.stack([r & c for r in (rewarded, ~rewarded) for c in (common, ~common)])


def _factors(trials: Trials) -> FloatArray:
    """Return 1 and the factors of each trial but the last, ``(lifetimes, trials - 1, 5)``."""
    rewarded, common, correct = (
        flags[:, :-1] - 0.5 for flags in (trials.rewarded, trials.common, trials.correct)
    )
    return np.stack([np.ones(rewarded.shape), rewarded, common, 2 * rewarded * common, correct], axis=-1)


def _sums(trials: Trials) -> FloatArray:
    """Return what all statistics are made of, summed over the trials of each lifetime, ``(lifetimes, 38)``."""
    kinds, factors, stays = _kinds(trials), _factors(trials), trials.stays.astype(np.float64)
    parts = [
        kinds.sum(axis=2).T.astype(np.float64),
        (kinds * stays).sum(axis=2).T,
        np.einsum("lti,ltj->lij", factors, factors).reshape(len(stays), -1),
        np.einsum("lti,lt->li", factors, stays),
    ]
    return np.concatenate(parts, axis=1)


def _statistics(sums: FloatArray) -> FloatArray:
    """Return stay probabilities, indices and coefficients, ``(resamples, 10)``, of sums ``(resamples, 38)``."""
    size = 1 + len(FACTORS)
    number, stayed, products, against = np.split(sums, np.cumsum([4, 4, size * size]), axis=1)
    stays = np.divide(stayed, number, out=np.full(number.shape, np.nan), where=number > 0)
    inverses = np.linalg.pinv(products.reshape(-1, size, size), hermitian=True)
    coefficients = (inverses @ against[:, :, None])[:, 1:, 0]
    rc, rr, uc, ur = stays.T
    both = np.stack([(rc + rr - uc - ur) / 2, (rc - rr - uc + ur) / 2], axis=1)
    return np.concatenate([stays, both, coefficients], axis=1)
