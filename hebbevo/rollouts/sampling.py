"""Actions drawn from the softmax of a network's outputs, with each lifetime's own random numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled
from hebbevo.seeding import Stream
from hebbevo.seeding.batches import singles, stream_keys

CHUNK = 64
"""Steps for which random numbers are drawn at a time."""


class ActionSampler:
    """Chooses one of n actions per lifetime and step, with the probabilities of the outputs' softmax.

    Args:
        seeds: lifetime seeds, ``(lifetimes,)``.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._keys = stream_keys(seeds, Stream.ACTION)
        self._uniforms = np.zeros((len(seeds), CHUNK), np.float32)

    def sample(self, outputs: npt.NDArray[np.float32], active: npt.NDArray[np.int64], step: int) -> None:
        """Replace the outputs ``(batch_size, n)`` of the rows `active` by 1 for the action drawn and 0 for the others.

        Step t takes number t of each lifetime's stream; steps come one after the other, from 0 on.
        """
        if step % CHUNK == 0:
            self._uniforms[active] = singles(self._keys[active], CHUNK, after=step)
        weights = np.empty((len(active), outputs.shape[1]))
        _below_largest(outputs, active, weights)
        with np.errstate(all="ignore"):
            np.exp(weights, out=weights)
        _choose(weights, active, self._uniforms, step % CHUNK, outputs)


@compiled
def _below_largest(
    outputs: npt.NDArray[np.float32], active: npt.NDArray[np.int64], distances: npt.NDArray[np.float64]
) -> None:
    """Set each output less the largest of its row; NaN where one of the row is NaN."""
    for i, row in enumerate(active):
        largest = np.float64(outputs[row, 0])
        for k in range(1, outputs.shape[1]):
            output = np.float64(outputs[row, k])
            if output > largest or math.isnan(output):
                largest = output
        for k in range(outputs.shape[1]):
            distances[i, k] = np.float64(outputs[row, k]) - largest


@compiled
def _choose(
    weights: npt.NDArray[np.float64],
    active: npt.NDArray[np.int64],
    uniforms: npt.NDArray[np.float32],
    column: int,
    outputs: npt.NDArray[np.float32],
) -> None:
    """Choose action k of row `active[i]` with probability ``weights[i, k] / weights[i].sum()``."""
    last = outputs.shape[1] - 1
    for i, row in enumerate(active):
        total = 0.0
        for k in range(last + 1):
            total += weights[i, k]
        bound, sum_up_to, chosen = np.float64(uniforms[row, column]) * total, 0.0, 0
        for k in range(last):
            sum_up_to += weights[i, k]
            chosen += sum_up_to <= bound  # false where a weight is NaN
        for k in range(last + 1):
            outputs[row, k] = 1.0 if k == chosen else 0.0
