"""The interface of a batch of plastic networks, whichever back end computes it.

One step of a lifetime is `forward`, the environment's step, then `learn` for the lifetimes that go on. An update
waits until the next forward pass, which then reads each synapse once for both; a caller that looks at the weights in
between sees them updated, and the bits are the same either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]
    IndexArray = npt.NDArray[np.int64]


class Network(Protocol):
    """A batch of plastic networks; row r belongs to lifetime r.

    Attributes:
        batch_size: most lifetimes side by side.
        plastic: whether `learn` changes weights (by rule and normaliser); `reset` sets it.
    """

    batch_size: int
    plastic: bool

    @property
    def layers(self) -> int:
        """Number of projections; layer 1, 2, ... below is the first, the second, ... of them."""
        ...

    def states(self, layer: int) -> tuple[str, ...]:
        """Return the names of the states of layer 1, 2, ...; ``w`` is the first."""
        ...

    def reset(
        self, genomes: FloatArray, genome_of: Sequence[int], seeds: Sequence[int], *, plastic: bool = True
    ) -> None:
        """Start lifetimes in the first rows.

        Args:
            genomes: ``(genomes, layout.size)``, at most `batch_size` of them.
            genome_of: row of `genomes` of each lifetime, ``(lifetimes,)``.
            seeds: lifetime seeds, ``(lifetimes,)``.
            plastic: False keeps the initial weights for all of the lifetime.
        """

    def forward(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        """Return the actions ``(batch_size, n_out)``, current in the rows `active`; valid until the next call.

        Args:
            observations: ``(batch_size, n_in)``.
            active: rows of the lifetimes that go on, ``(k,)``; the same as `learn` got.
        """
        ...

    def emit(self, active: IndexArray) -> None:
        """Take the actions, as they are now in the array that `forward` returned, for the output's activations.

        For actions that were sampled: what the output did is what rules and delayed projections see of it.
        """

    def learn(self, active: IndexArray, rewards: npt.NDArray[np.float64] | None = None) -> None:
        """Let rules and normalisers change the states of the rows `active`, after a forward pass.

        Args:
            active: rows of the lifetimes that go on, ``(k,)``.
            rewards: of the environment's step, ``(batch_size,)``; None is 0.
        """

    def flush(self) -> None:
        """Carry out an update that still waits."""

    def weights(self, layer: int) -> FloatArray:
        """Return the current weights of layer 1, 2, ..., ``(batch_size, n_out, n_in)``.

        They may be read and written until the next call of `reset`, `forward` or `flush`.
        """
        return self.state("w", layer)

    def state(self, name: str, layer: int) -> FloatArray:
        """Return a state (``w``, a trace, ...), as `weights`; those of neurons have an axis of length 1."""
        ...

    def activations(self, layer: int) -> FloatArray:
        """Return the last activations of population 0 (the observation), 1, ..., ``(batch_size, n)``, as `weights`."""
        ...


class Encoder(Protocol):
    """Makes the features that the first plastic layer sees of a batch's observations, with a part of the genome."""

    def reset(self, genomes: FloatArray, genome_of: Sequence[int]) -> None:
        """Start lifetimes in the first rows, as `Network.reset`."""

    def encode(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        """Return the features ``(batch_size, n_in)``, current in the rows `active`; valid until the next call."""
        ...
