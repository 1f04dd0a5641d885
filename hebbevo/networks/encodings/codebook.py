"""A codebook of coefficients: every synapse has one of a few labels, and the synapses of a label share their numbers.

Labels do not evolve. They are a pure function of the projection's name, its size and the number of labels, and the same
for all coefficients, so that a label stands for a rule. Rules that merge by what they are (Pedersen & Risi 2021) are
`training.merge_to`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from typing_extensions import override

from hebbevo.networks.encodings.encoding import EncodedArray, Encoding
from hebbevo.networks.network_spec import NetworkSpec, Projection
from hebbevo.seeding import codebook_stream

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hebbevo.networks.encodings.encoding import FloatArray


@dataclass(frozen=True)
class Codebook(Encoding):
    """coefficient[i, j] = values[labels[i, j]]."""

    form = "codebook(k)"
    meaning = "one of k numbers per synapse, by a fixed random label that all coefficients share"
    size: int

    @override
    def arrays(
        self, network: NetworkSpec, projection: Projection, coefficient: str
    ) -> tuple[EncodedArray, ...]:
        name = f"{projection.name}.{coefficient}.values"
        return (EncodedArray(name, (self.size,), projection.name, coefficient),)

    @override
    def decode(
        self,
        network: NetworkSpec,
        projection: Projection,
        coefficients: Sequence[str],
        arrays: Mapping[str, FloatArray],
    ) -> dict[str, FloatArray]:
        assigned = labels(projection.name, network.shape(projection), self.size)
        return {name: arrays[f"{projection.name}.{name}.values"][..., assigned] for name in coefficients}


@lru_cache(maxsize=64)
def labels(projection: str, shape: tuple[int, int], size: int) -> npt.NDArray[np.int64]:
    """Return the label of every synapse, ``shape``, uniform in [0, size).

    Made of the generator's raw bits, which no version of NumPy changes.
    """
    import numpy as np

    raw = codebook_stream(projection, size, shape).random_raw(shape[0] * shape[1])
    upper = (raw >> np.uint64(32)).astype(np.int64)
    assigned = (upper * size >> 32).reshape(shape)
    assigned.flags.writeable = False
    return assigned
