"""A recorded lifetime in the form that plain loops take, and the difference between weights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hebbevo.benchmarks.evotorch_peer import COEFFICIENTS
from hebbevo.benchmarks.replays import FloatArray, Recording


def plain_parts(
    recording: Recording, row: int, inputs: int
) -> tuple[list[int], list[FloatArray], list[FloatArray]]:
    """Return sizes, coefficients ``(n_out, n_in, 5)`` and initial weights of a lifetime, cut to so many inputs."""
    task, network = recording.task, recording.network
    arrays = task.layout.split(recording.genomes[recording.genome_of[row]])
    recording.reset()
    tables, weights = [], []
    for layer in range(1, len(task.sizes)):
        width = inputs if layer == 1 else task.sizes[layer - 1]
        named = [arrays[f"layer{layer}.{name}"][:, :width] for name in COEFFICIENTS]
        tables.append(np.ascontiguousarray(np.stack(named, axis=-1)))
        weights.append(network.weights(layer)[row, :, :width].copy())
    return [inputs, *task.sizes[1:]], tables, weights


def difference(layers: Sequence[Any], exact: Sequence[Any]) -> float:
    """Return the largest absolute difference over the largest absolute value, of the worst layer."""
    pairs = zip(layers, exact, strict=True)
    return max(float(np.abs(layer - expected).max() / np.abs(expected).max()) for layer, expected in pairs)
