"""Coefficients from a small network over the coordinates of neurons (CPPN; Stanley 2007, HyperNEAT).

Of fixed topology, as searches over vectors need: a multilayer perceptron whose hidden neurons have the functions
sin(pi s), exp(-s^2), tanh(s), s and |s| in turns. A coefficient is tanh of its own output, 0.1 tanh where its name
begins with ``eta``. The genome does not depend on the sizes of the populations: it decodes for any.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from typing_extensions import override

from hebbevo.errors import RuleError
from hebbevo.networks.encodings.coordinates import synapse_inputs
from hebbevo.networks.encodings.encoding import EncodedArray, Encoding, FloatArray, Scope
from hebbevo.networks.network_spec import NetworkSpec, Projection
from hebbevo.rules.distribution import Distribution

INPUTS = 11
"""Numbers that the network sees of a synapse; see `synapse_inputs`."""

RATE_SCALE = np.float32(0.1)
"""Largest coefficient whose name begins with ``eta``."""

ACTIVATIONS: tuple[Callable[[FloatArray], FloatArray], ...] = (
    lambda s: np.sin(np.float32(math.pi) * s),
    lambda s: np.exp(-(s * s)),
    np.tanh,
    lambda s: s,
    np.abs,
)


@dataclass(frozen=True)
class CPPN(Encoding):
    """One network for all coefficients that have the encoding, with an output for each.

    Arrays, with the bias as the last column: ``cppn.16_16.hidden.1`` (16, 12), ``cppn.16_16.hidden.2`` (16, 17), and
    ``cppn.16_16.A`` (17,) for each coefficient.
    """

    form = "cppn(h1, ...)"
    meaning = (
        "outputs of one small evolved network over the coordinates of neurons, with h1, ... hidden neurons"
    )
    scope = Scope.NETWORK
    hidden: tuple[int, ...]

    @classmethod
    @override
    def parse(cls, arguments: Sequence[int]) -> Self:
        if not arguments:
            raise RuleError(f"{cls.form} takes the sizes of its hidden layers, got none; write cppn(16, 16)")
        return cls(tuple(arguments))

    @override
    def arrays(
        self, network: NetworkSpec, projection: Projection, coefficient: str
    ) -> tuple[EncodedArray, ...]:
        source, sizes = (projection.name, coefficient), (INPUTS, *self.hidden)
        hidden = [
            EncodedArray(self._layer(layer), (size, before + 1), *source, _initial(before))
            for layer, (before, size) in enumerate(zip(sizes, self.hidden, strict=False), start=1)
        ]
        last = self.hidden[-1]
        return (*hidden, EncodedArray(self._output(coefficient), (last + 1,), *source, _initial(last)))

    @override
    def decode(
        self,
        network: NetworkSpec,
        projection: Projection,
        coefficients: Sequence[str],
        arrays: Mapping[str, FloatArray],
    ) -> dict[str, FloatArray]:
        inputs = _flat_inputs(network, projection)
        outputs = [self._output(name) for name in coefficients]
        read = [arrays[name] for name in (*map(self._layer, range(1, 1 + len(self.hidden))), *outputs)]
        batch, shape = read[-1].shape[:-1], network.shape(projection)
        decoded = np.empty((len(coefficients), *batch, *shape), np.float32)
        # genome by genome: functions of NumPy may round by where a number stands in its array
        for index in np.ndindex(batch):
            layers = [array[index] for array in read]
            decoded[(slice(None), *index)] = self._coefficients(layers, coefficients, inputs).reshape(
                -1, *shape
            )
        return dict(zip(coefficients, decoded, strict=True))

    def _coefficients(
        self, arrays: Sequence[FloatArray], names: Sequence[str], inputs: FloatArray
    ) -> FloatArray:
        """Return the coefficients that one genome gives the synapses, ``(coefficients, synapses)``."""
        values, depth = inputs, len(self.hidden)
        with np.errstate(all="ignore"):
            for layer in arrays[:depth]:
                values = _sums(layer, values)
                for neuron, row in enumerate(values):
                    row[...] = ACTIVATIONS[neuron % len(ACTIVATIONS)](row)
            outputs = np.tanh(_sums(np.stack(arrays[depth:]), values))
        for row, name in zip(outputs, names, strict=True):
            if name.startswith("eta"):
                row *= RATE_SCALE
        return outputs

    def _layer(self, layer: int) -> str:
        return f"{self._prefix}.hidden.{layer}"

    def _output(self, coefficient: str) -> str:
        return f"{self._prefix}.{coefficient}"

    @property
    def _prefix(self) -> str:
        return f"cppn.{'_'.join(map(str, self.hidden))}"


def _sums(layer: FloatArray, values: FloatArray) -> FloatArray:
    """Return the bias plus weights times values, added in their order, ``(neurons, synapses)``."""
    total = np.repeat(layer[:, -1:], values.shape[1], axis=1)
    product = np.empty_like(total)
    for k, value in enumerate(values):
        np.multiply(layer[:, k : k + 1], value, out=product)
        total += product
    return total


def _initial(inputs: int) -> Distribution:
    return Distribution("normal", 0.0, 1 / math.sqrt(inputs))


def _flat_inputs(network: NetworkSpec, projection: Projection) -> FloatArray:
    return synapse_inputs(network, projection).reshape(INPUTS, -1)
