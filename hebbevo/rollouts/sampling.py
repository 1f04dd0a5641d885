"""Actions drawn from the softmax of a network's outputs, with each lifetime's own random numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.seeding import Stream, stream

CHUNK = 64
"""Steps for which random numbers are drawn at a time; a change changes every run with sampled actions."""


class ActionSampler:
    """Chooses one of n actions per lifetime and step, with the probabilities of the outputs' softmax.

    Args:
        seeds: lifetime seeds, ``(lifetimes,)``.
    """

    def __init__(self, seeds: Sequence[int]) -> None:
        self._streams = [stream(seed, Stream.ACTION) for seed in seeds]
        self._uniforms = np.zeros((len(seeds), CHUNK), np.float32)

    def sample(self, outputs: npt.NDArray[np.float32], active: npt.NDArray[np.int64], step: int) -> None:
        """Replace the outputs ``(batch_size, n)`` of the rows `active` by 1 for the action drawn and 0 for the others.

        Steps come one after the other, from 0 on.
        """
        if step % CHUNK == 0:
            for row in active.tolist():
                self._uniforms[row] = self._streams[row].random(CHUNK, np.float32)
        logits = outputs[active].astype(np.float64)
        with np.errstate(all="ignore"):
            weights = np.exp(logits - logits.max(axis=1, keepdims=True))
            cumulative = np.cumsum(weights, axis=1)
        below = cumulative <= self._uniforms[active, step % CHUNK, None] * cumulative[:, -1:]
        chosen = np.minimum(below.sum(axis=1), outputs.shape[1] - 1)
        outputs[active] = 0.0
        outputs[active, chosen] = 1.0
