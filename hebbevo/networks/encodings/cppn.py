"""Coefficients from a small network over the coordinates of neurons (CPPN; Stanley 2007, HyperNEAT).

Of fixed topology, as searches over vectors need: a multilayer perceptron whose hidden neurons have the functions
sin(pi s), exp(-s^2), tanh(s), s and |s| in turns. A coefficient is tanh of its own output, 0.1 tanh where its name
begins with ``eta``. The genome does not depend on the sizes of the populations: it decodes for any.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from typing_extensions import override

from hebbevo.errors import RuleError
from hebbevo.networks.encodings.encoding import EncodedArray, Encoding, Scope
from hebbevo.networks.network_spec import NetworkSpec, Projection
from hebbevo.rules.distribution import Distribution

if TYPE_CHECKING:
    from hebbevo.networks.encodings.encoding import FloatArray

INPUTS = 11
"""Numbers that the network sees of a synapse; see `synapse_inputs`."""


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

    @property
    @override
    def multiplications(self) -> int:
        return sum(before * after for before, after in pairwise((INPUTS, *self.hidden, 1)))

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
        from hebbevo.networks.encodings.coordinates import synapse_inputs
        from hebbevo.networks.encodings.cppn_forward import coefficients_of

        hidden = [arrays[self._layer(layer)] for layer in range(1, 1 + len(self.hidden))]
        outputs = {name: arrays[self._output(name)] for name in coefficients}
        return coefficients_of(hidden, outputs, synapse_inputs(network, projection))

    def _layer(self, layer: int) -> str:
        return f"{self._prefix}.hidden.{layer}"

    def _output(self, coefficient: str) -> str:
        return f"{self._prefix}.{coefficient}"

    @property
    def _prefix(self) -> str:
        return f"cppn.{'_'.join(map(str, self.hidden))}"


def _initial(inputs: int) -> Distribution:
    return Distribution("normal", 0.0, 1 / math.sqrt(inputs))
