"""Stay probabilities of the two-step task: does a choice follow the reward, or the state that paid?

For consecutive trials *stay* is the same first action. After Daw et al. 2011 it is conditioned on whether the trial
before was rewarded (R) or not (U) and its transition common (C) or rare (R):

    model-free index  = (RC + RR - UC - UR) / 2
    model-based index = (RC - RR - UC + UR) / 2

On the schedule of Wang et al. the better first action is the same for many trials, and a purely model-free learner has
a model-based index of 0.19. `regression` takes that out: it also asks whether the last choice was the right one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

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

    @property
    def stays(self) -> Flags:
        """Whether the next choice was the same, ``(lifetimes, trials - 1)``."""
        stays: Flags = self.choices[:, 1:] == self.choices[:, :-1]
        return stays


def stay_probabilities(trials: Trials) -> npt.NDArray[np.float64]:
    """Return the share of stays after (rewarded, common), (rewarded, rare), (unrewarded, common), (unrewarded, rare).

    It is NaN where no trial was of the kind.
    """
    rewarded, common = trials.rewarded[:, :-1], trials.common[:, :-1]
    kinds = [r & c for r in (rewarded, ~rewarded) for c in (common, ~common)]
    return np.array([trials.stays[kind].mean() if kind.any() else np.nan for kind in kinds])


def indices(probabilities: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Return the model-free and the model-based index of `stay_probabilities`."""
    rc, rr, uc, ur = probabilities.tolist()
    return (rc + rr - uc - ur) / 2, (rc - rr - uc + ur) / 2


def regression(trials: Trials) -> dict[str, float]:
    """Return least-squares coefficients of staying, each factor +1/2 or -1/2.

    Without the factor `correct`, `reward` would be the model-free and `reward_by_transition` the model-based index of a
    balanced sample. With it, the latter is about 0 for a model-free learner.
    """
    rewarded, common = trials.rewarded[:, :-1] - 0.5, trials.common[:, :-1] - 0.5
    factors = {
        "reward": rewarded,
        "transition": common,
        "reward_by_transition": 2 * rewarded * common,
        "correct": trials.correct[:, :-1] - 0.5,
    }
    columns = np.column_stack([np.ones(rewarded.size), *(factor.ravel() for factor in factors.values())])
    coefficients = np.linalg.lstsq(columns, trials.stays.ravel().astype(np.float64))[0]
    return dict(zip(("intercept", *factors), coefficients.tolist(), strict=True))
