"""How the right answer of a world changes in the course of a lifetime, for many lifetimes at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def pick(uniforms: Floats, count: int) -> Integers:
    """Return one of `count` numbers for each uniform number in [0, 1)."""
    return (uniforms * count).astype(np.int64)


def switching(first: Integers, switches: npt.NDArray[np.bool_], uniforms: Floats, count: int) -> Integers:
    """Return which of `count` is right in each trial, ``(lifetimes, trials)``.

    Args:
        first: the right one at the start, ``(lifetimes,)``.
        switches: trials that begin with a change, ``(lifetimes, trials)``.
        uniforms: which of the others follows, ``(lifetimes, trials)``.
        count: at least 2.
    """
    steps = np.where(switches, 1 + pick(uniforms, count - 1), 0)
    result: Integers = (first[:, None] + np.cumsum(steps, axis=1)) % count
    return result


def reflected_walks(uniforms: Floats, low: float, high: float, sd: float) -> Floats:
    """Return Gaussian random walks that bounce off both limits, ``(..., trials)``.

    The first value is uniform in [low, high], and so is every later one: a reflected symmetric walk keeps that
    distribution. Normal numbers are those of Box and Muller (1958), from the uniform numbers ``(..., 2 * trials)``.
    """
    radius, angle = uniforms[..., 0::2], uniforms[..., 1::2]
    steps = sd * np.sqrt(-2 * np.log1p(-radius)) * np.cos(2 * np.pi * angle)
    steps[..., 0] = (high - low) * radius[..., 0]
    unfolded = np.cumsum(steps, axis=-1) % (2 * (high - low))
    result: Floats = low + np.minimum(unfolded, 2 * (high - low) - unfolded)
    return result
