"""A number per neuron, the same for the synapses onto it and for those that leave it (Ferigo et al. 2024, NcHL).

A coefficient ``eta_post`` under this encoding is ``eta`` of the postsynaptic neuron, ``eta_pre`` that of the
presynaptic one. The neurons of a population have one array ``neuron.{population}.eta``, which all projections of the
population read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from hebbevo.networks.encodings.encoding import EncodedArray, Encoding, Scope
from hebbevo.networks.network_spec import NetworkSpec, Projection

if TYPE_CHECKING:
    from hebbevo.networks.encodings.encoding import FloatArray

_POST, _PRE = "_post", "_pre"


@dataclass(frozen=True)
class PerNeuron(Encoding):
    """A number per neuron for both of its roles."""

    form = "neuron"
    meaning = "a number per neuron, for its synapses in and out; the name says whose: eta_pre, eta_post"
    scope = Scope.POPULATION

    @override
    def refusal(self, coefficient: str) -> str:
        stem = coefficient.removesuffix(_POST).removesuffix(_PRE)
        if stem and coefficient in (stem + _POST, stem + _PRE):
            return ""
        return (
            f"neuron needs a name that says which neuron's number it is; call it {coefficient}_pre or "
            f"{coefficient}_post in the rule, or share it otherwise"
        )

    @override
    def axes(self, coefficient: str) -> tuple[bool, bool]:
        return coefficient.endswith(_POST), coefficient.endswith(_PRE)

    @override
    def arrays(
        self, network: NetworkSpec, projection: Projection, coefficient: str
    ) -> tuple[EncodedArray, ...]:
        size = network.by_name[_population(projection, coefficient)].size
        return (EncodedArray(_array(projection, coefficient), (size,), projection.name, coefficient),)

    @override
    def decode(
        self,
        network: NetworkSpec,
        projection: Projection,
        coefficients: Sequence[str],
        arrays: Mapping[str, FloatArray],
    ) -> dict[str, FloatArray]:
        numbers = {name: arrays[_array(projection, name)] for name in coefficients}
        return {
            name: values[..., :, None] if name.endswith(_POST) else values[..., None, :]
            for name, values in numbers.items()
        }


def _population(projection: Projection, coefficient: str) -> str:
    return projection.target if coefficient.endswith(_POST) else projection.source


def _array(projection: Projection, coefficient: str) -> str:
    stem = coefficient.rpartition("_")[0]
    return f"neuron.{_population(projection, coefficient)}.{stem}"
