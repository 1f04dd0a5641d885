"""The forward pass of the network behind `cppn`, over all synapses of a projection.

Sums and products go one after the other, in a fixed order, without BLAS.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float32]

RATE_SCALE = np.float32(0.1)
"""Largest coefficient whose name begins with ``eta``."""

ACTIVATIONS: tuple[Callable[[FloatArray], FloatArray], ...] = (
    lambda s: np.sin(np.float32(math.pi) * s),
    lambda s: np.exp(-(s * s)),
    np.tanh,
    lambda s: s,
    np.abs,
)
"""Of hidden neurons, in turns."""


def coefficients_of(
    hidden: Sequence[FloatArray], outputs: Mapping[str, FloatArray], inputs: FloatArray
) -> dict[str, FloatArray]:
    """Return the coefficients that genomes give the synapses, each ``(..., n_out, n_in)``.

    Args:
        hidden: weights and bias of each hidden layer, ``(..., neurons, inputs of the layer + 1)``.
        outputs: those of each coefficient's output, ``(..., neurons of the last layer + 1)``.
        inputs: what the network sees of each synapse, ``(inputs, n_out, n_in)``.
    """
    read = (*hidden, *outputs.values())
    batch, shape = read[-1].shape[:-1], inputs.shape[1:]
    flat = inputs.reshape(len(inputs), -1)
    decoded = np.empty((len(outputs), *batch, *shape), np.float32)
    # genome by genome: functions of NumPy may round by where a number stands in its array
    for index in np.ndindex(batch):
        own = [array[index] for array in read]
        values = _of_one_genome(own[: len(hidden)], own[len(hidden) :], tuple(outputs), flat)
        decoded[(slice(None), *index)] = values.reshape(-1, *shape)
    return dict(zip(outputs, decoded, strict=True))


def _of_one_genome(
    hidden: Sequence[FloatArray], outputs: Sequence[FloatArray], names: Sequence[str], values: FloatArray
) -> FloatArray:
    """Return the coefficients of one genome, ``(coefficients, synapses)``."""
    with np.errstate(all="ignore"):
        for layer in hidden:
            values = _sums(layer, values)
            for neuron, row in enumerate(values):
                row[...] = ACTIVATIONS[neuron % len(ACTIVATIONS)](row)
        coefficients: FloatArray = np.tanh(_sums(np.stack(outputs), values))
    for row, name in zip(coefficients, names, strict=True):
        if name.startswith("eta"):
            row *= RATE_SCALE
    return coefficients


def _sums(layer: FloatArray, values: FloatArray) -> FloatArray:
    """Return the bias plus weights times values, added in their order, ``(neurons, synapses)``."""
    total = np.repeat(layer[:, -1:], values.shape[1], axis=1)
    product = np.empty_like(total)
    for k, value in enumerate(values):
        np.multiply(layer[:, k : k + 1], value, out=product)
        total += product
    return total
