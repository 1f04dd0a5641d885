"""Coefficients of low rank: a sum of outer products of numbers per post- and per presynaptic neuron.

Rank 1 is decomposed plasticity (Wang et al. 2022).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from typing_extensions import override

from hebbevo.networks.encodings.encoding import EncodedArray, Encoding
from hebbevo.networks.network_spec import NetworkSpec, Projection

if TYPE_CHECKING:
    from hebbevo.networks.encodings.encoding import FloatArray


@dataclass(frozen=True)
class LowRank(Encoding):
    """coefficient[i, j] = sum over k < rank of post[i, k] * pre[k, j], in the order of k."""

    form = "low_rank(r)"
    meaning = "a sum of r products of a number per postsynaptic and one per presynaptic neuron"
    rank: int

    @property
    @override
    def multiplications(self) -> int:
        return self.rank

    @override
    def arrays(
        self, network: NetworkSpec, projection: Projection, coefficient: str
    ) -> tuple[EncodedArray, ...]:
        n_out, n_in = network.shape(projection)
        name, source = f"{projection.name}.{coefficient}", (projection.name, coefficient)
        return (
            EncodedArray(f"{name}.post", (n_out, self.rank), *source),
            EncodedArray(f"{name}.pre", (self.rank, n_in), *source),
        )

    @override
    def decode(
        self,
        network: NetworkSpec,
        projection: Projection,
        coefficients: Sequence[str],
        arrays: Mapping[str, FloatArray],
    ) -> dict[str, FloatArray]:
        names = {name: f"{projection.name}.{name}" for name in coefficients}
        return {
            name: self._product(arrays[f"{array}.post"], arrays[f"{array}.pre"])
            for name, array in names.items()
        }

    def _product(self, post: FloatArray, pre: FloatArray) -> FloatArray:
        total: FloatArray = post[..., :, :1] * pre[..., :1, :]
        for k in range(1, self.rank):
            total += post[..., :, k : k + 1] * pre[..., k : k + 1, :]
        return total
