"""Actions of Gymnasium's spaces, made of a network's outputs in [-1, 1].

A Discrete action is the index of the largest of its outputs; a MultiBinary is where outputs are positive; a bounded
dimension of a Box takes [-1, 1] mapped affinely to its bounds, clipped there and, between integers, rounded; an
unbounded one takes the output as it is. The parts of a MultiDiscrete, a Tuple or a Dict take outputs in turn.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Space, Tuple

from hebbevo.errors import EnvError

Outputs = npt.NDArray[np.float32]

WIDEST: Final = 2.0**31
"""From this range on, integers count as unbounded."""
MOST_OUTPUTS: Final = 2**20


@dataclass(frozen=True, eq=False)
class Actor:
    """Makes actions of a space.

    Attributes:
        slopes: float32, one for each output that an action takes; see `EnvironmentInterface.action_slopes`.
        act: makes an action of ``(len(slopes),)`` outputs.
    """

    slopes: npt.NDArray[np.float32]
    act: Callable[[Outputs], Any]


def actor(identifier: str, space: Space[Any]) -> Actor:
    """Return the actor of a space, or raise `EnvError` where outputs cannot become its actions."""
    if not 1 <= outputs_of(space) <= MOST_OUTPUTS:
        raise EnvError(
            f"{identifier} acts in {str(space)[:80]}, which takes {outputs_of(space):,} outputs; it must be 1 to "
            f"{MOST_OUTPUTS:,}"
        )
    return _actor(identifier, space)


def outputs_of(space: Any) -> int:
    """Return how many outputs an action of a space takes; 1 for a space that is not known."""
    if isinstance(space, Discrete):
        return int(space.n)
    if isinstance(space, MultiDiscrete):
        return int(space.nvec.sum(dtype=np.float64))
    if isinstance(space, Box | MultiBinary):
        return math.prod(space.shape)
    if isinstance(space, Dict | Tuple):
        parts = space.spaces.values() if isinstance(space, Dict) else space.spaces
        return sum(map(outputs_of, parts))
    return 1


def _actor(identifier: str, space: Space[Any]) -> Actor:
    if isinstance(space, Discrete):
        first = int(space.start)
        return Actor(np.ones(int(space.n), np.float32), lambda outputs: first + int(outputs.argmax()))
    if isinstance(space, MultiBinary):
        return Actor(
            np.ones(int(np.prod(space.shape)), np.float32),
            lambda outputs: (outputs > 0).astype(space.dtype).reshape(space.shape),
        )
    if isinstance(space, MultiDiscrete):
        return _choices(space)
    if isinstance(space, Tuple):
        return _together([_actor(identifier, part) for part in space.spaces], tuple)
    if isinstance(space, Dict):
        keys = tuple(space.spaces)
        parts = [_actor(identifier, part) for part in space.spaces.values()]
        return _together(parts, lambda values: dict(zip(keys, values, strict=True)))
    if isinstance(space, Box):
        return _box(identifier, space)
    raise EnvError(
        f"{identifier} acts in {space}, which no outputs can be mapped to; wrap it in a space of numbers"
    )


def _together(parts: Sequence[Actor], collect: Callable[[list[Any]], Any]) -> Actor:
    """Return the actor of several spaces, which take outputs in turn."""
    cuts = np.cumsum([len(part.slopes) for part in parts])[:-1]
    return Actor(
        np.concatenate([part.slopes for part in parts]),
        lambda outputs: collect(
            [part.act(piece) for part, piece in zip(parts, np.split(outputs, cuts), strict=True)]
        ),
    )


def _choices(space: MultiDiscrete) -> Actor:
    counts, first = space.nvec.ravel(), space.start.ravel()
    cuts = np.cumsum(counts)[:-1]

    def act(outputs: Outputs) -> npt.NDArray[Any]:
        chosen = [int(piece.argmax()) for piece in np.split(outputs, cuts)]
        return (first + chosen).astype(space.dtype).reshape(space.shape)

    return Actor(np.ones(int(counts.sum()), np.float32), act)


def _box(identifier: str, space: Box) -> Actor:
    """Return the affine map of outputs in [-1, 1] to the bounds of `space`."""
    low, high = space.low.astype(np.float64).ravel(), space.high.astype(np.float64).ravel()
    if np.isnan(low).any() or np.isnan(high).any():
        raise EnvError(f"{identifier} acts in {str(space)[:80]}, whose bounds are NaN; give its Box bounds")
    bounded = np.isfinite(low) & np.isfinite(high)
    whole = np.issubdtype(space.dtype, np.integer)
    if whole and (high - low >= WIDEST).any():
        raise EnvError(f"{identifier} acts in integers without bounds, {space}; give its Box bounds")
    # unbounded dimensions: bounds of -1 and 1 map the output to itself
    bottom, top = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
    middle, half = (bottom + top) / 2, (top - bottom) / 2

    def act(outputs: Outputs) -> npt.NDArray[Any]:
        action = (middle + half * outputs).clip(low, high)
        return (np.rint(action) if whole else action).astype(space.dtype).reshape(space.shape)

    one_sided = bounded & ((low >= 0) | (high <= 0))
    return Actor(np.where(one_sided, 0.5, 1.0).astype(np.float32), act)
