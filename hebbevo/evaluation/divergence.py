"""Diverged lifetimes among others: left out of means, and ranked by how many there are, never by a number.

A lifetime that diverged has no fitness. Whatever number stood for it would be the better one in some world whose
returns are lower still, and would drown all others in a mean.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hebbevo.rollouts.result import LARGEST_FITNESS, WORST_FITNESS

FloatArray = npt.NDArray[np.float64]


def mean_of_rest(values: FloatArray, left_out: npt.NDArray[np.bool_], axis: int) -> FloatArray:
    """Return the mean along an axis without the values left out; NaN where none is left."""
    with np.errstate(over="ignore", invalid="ignore"):
        total = np.where(left_out, 0.0, values).sum(axis=axis)
        return np.asarray(total / (~left_out).sum(axis=axis))


def ranked_last(values: FloatArray, diverged: npt.NDArray[np.int64]) -> FloatArray:
    """Return fitness whose order puts individuals with diverged lifetimes below all others, whatever the scale.

    The more diverged, the lower; among equally many, the mean of the rest decides; without any rest, all are equal. No
    number, or one beyond `LARGEST_FITNESS`, counts as without any rest. All others keep their value; the new ones lie
    below `WORST_FITNESS` too, for algorithms that compare individuals of several generations.

    Args:
        values: mean of the lifetimes that did not diverge, ``(individuals,)``.
        diverged: number of lifetimes that did, ``(individuals,)``.
    """
    usable = np.abs(values) <= LARGEST_FITNESS  # false of NaN
    lost = np.where(usable, diverged, diverged.max(initial=0) + 1)
    last = lost > 0
    if not last.any():
        return values
    keys = np.stack([-lost[last].astype(np.float64), np.where(usable, values, 0.0)[last]], axis=1)
    places, place = np.unique(keys, axis=0, return_inverse=True)
    lowest = values[~last].min(initial=WORST_FITNESS)
    ranked = values.copy()
    ranked[last] = lowest - abs(lowest) * (len(places) - place.ravel())
    return ranked
