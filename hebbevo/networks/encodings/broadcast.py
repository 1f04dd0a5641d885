"""Encodings whose array is the coefficient itself: its shape broadcasts to ``(n_out, n_in)``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from typing_extensions import override

from hebbevo.networks.encodings.encoding import EncodedArray, Encoding, Scope
from hebbevo.networks.network_spec import NetworkSpec, Projection

if TYPE_CHECKING:
    from hebbevo.networks.encodings.encoding import FloatArray


@dataclass(frozen=True)
class Broadcast(Encoding):
    """A coefficient that differs along some axes, or none, and is shared along the others."""

    plain: ClassVar[bool] = True
    differs: ClassVar[tuple[bool, bool]]

    @override
    def axes(self, coefficient: str) -> tuple[bool, bool]:
        return self.differs

    @override
    def arrays(
        self, network: NetworkSpec, projection: Projection, coefficient: str
    ) -> tuple[EncodedArray, ...]:
        post, pre = self.differs
        n_out, n_in = network.shape(projection)
        shape = (n_out if post else 1, n_in if pre else 1)
        return (EncodedArray(self._name(projection, coefficient), shape, projection.name, coefficient),)

    @override
    def decode(
        self,
        network: NetworkSpec,
        projection: Projection,
        coefficients: Sequence[str],
        arrays: Mapping[str, FloatArray],
    ) -> dict[str, FloatArray]:
        return {name: arrays[self._name(projection, name)] for name in coefficients}

    def _name(self, projection: Projection, coefficient: str) -> str:
        return f"{'network' if self.scope is Scope.NETWORK else projection.name}.{coefficient}"


class PerSynapse(Broadcast):
    """A number per synapse."""

    form, meaning = "synapse", "a number per synapse"
    differs = (True, True)


class PerPost(Broadcast):
    """A number per postsynaptic neuron."""

    form, meaning = "post", "a number per postsynaptic neuron of a projection"
    differs = (True, False)


class PerPre(Broadcast):
    """A number per presynaptic neuron."""

    form, meaning = "pre", "a number per presynaptic neuron of a projection"
    differs = (False, True)


class PerLayer(Broadcast):
    """A number per projection."""

    form, meaning = "layer", "a number per projection"
    differs = (False, False)


class PerNetwork(Broadcast):
    """A number for all projections whose rules have the coefficient under this encoding."""

    form, meaning = "network", "a number for all of the network"
    scope = Scope.NETWORK
    differs = (False, False)
