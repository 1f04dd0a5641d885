"""The plastic multilayer perceptron: a block of networks, each with a genome and weights of its own.

One step of a lifetime is `forward`, the environment's step, then `learn` for the lifetimes that go on. An update
waits until the next forward pass, which then reads each synapse once for both; whoever looks at the weights in
between sees them updated, and the bits are the same either way.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from numba import njit

from hebbevo.networks.layout import Layout, layer_coefficients
from hebbevo.networks.numba.aligned import aligned_zeros
from hebbevo.networks.numba.functions import _tanh
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.rules.distribution import Distribution
from hebbevo.seeding import Stream, stream

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class Encoder(Protocol):
    """What may stand in front of the plastic layers, with a part of the genome of its own."""

    def reset(self, genomes: FloatArray, genome_of: Sequence[int]) -> None:
        """Take the genomes of a block of lifetimes."""

    def encode(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        """Return the features ``(capacity, n_in)`` that the first plastic layer sees, current in the rows `active`."""
        ...


class NumbaNetwork:
    """A block of plastic networks on the CPU.

    Args:
        kernel: the compiled rule.
        layout: of the genomes.
        initial_weights: distribution of each lifetime's first weights; None where the genome holds them.
        capacity: most lifetimes in the block.
        encoder: makes features of images; None where observations go straight to the first layer.
        slopes: ``(n_out,)``, where the output layer is raw: actions are tanh(slope * output).

    Attributes:
        plastic: whether `learn` does anything (rule and normaliser); `begin` sets it.
    """

    def __init__(
        self,
        kernel: NumbaKernel,
        layout: Layout,
        initial_weights: Distribution | None,
        batch_size: int,
        encoder: Encoder | None = None,
        slopes: FloatArray | None = None,
    ) -> None:
        self.batch_size = batch_size
        self.layout = layout
        self.plastic = True
        self._kernel = kernel
        self._initial_weights = initial_weights
        self._encoder, self._slopes = encoder, slopes
        self._states = aligned_zeros(batch_size, len(kernel.spec.rule.states), kernel.state_width)
        self._constants = aligned_zeros(batch_size, kernel.constant_width)
        self._current = aligned_zeros(batch_size, kernel.neuron_width)
        self._next = aligned_zeros(batch_size, kernel.neuron_width)
        self._lanes = aligned_zeros(batch_size, kernel.lane_width)
        self._genome_of = np.zeros(batch_size, np.int64)
        self._actions = np.zeros((batch_size, kernel.spec.sizes[-1]), np.float32)
        self._pending: IndexArray | None = None

    @property
    def layers(self) -> int:
        """Number of plastic layers."""
        return len(self._kernel.spec.synapses)

    @property
    def states(self) -> tuple[str, ...]:
        """Names of a synapse's states; ``w`` is the first."""
        return tuple(self._kernel.spec.rule.states)

    def reset(
        self, genomes: FloatArray, genome_of: Sequence[int], seeds: Sequence[int], *, plastic: bool = True
    ) -> None:
        """Start lifetimes in the first rows.

        Args:
            genomes: ``(genomes, layout.size)``, at most `capacity` of them.
            genome_of: row of `genomes` for each lifetime, ``(lifetimes,)``.
            seeds: lifetime seeds, ``(lifetimes,)``.
            plastic: False leaves the first weights as they are for the whole lifetime.
        """
        assert len(genomes) <= self.batch_size
        assert len(genome_of) == len(seeds) <= self.batch_size
        kernel, rows = self._kernel, len(seeds)
        self.plastic = plastic and not (
            kernel.spec.rule.is_static  # a static network has nothing to learn or to normalise
        )
        self._pending = None
        self._genome_of[:rows] = genome_of
        if self._encoder is not None:
            self._encoder.reset(genomes, genome_of)
        self._states[:rows, 1:] = 0.0
        for genome, constants in zip(genomes, self._constants, strict=False):
            arrays = self.layout.split(genome)
            for layer in range(self.layers):
                coefficients = layer_coefficients(kernel.spec.rule, kernel.spec.sharing, arrays, layer + 1)
                kernel.write_constants(layer, coefficients, constants)
        for row, seed in enumerate(seeds):
            self._initial_weights_of(row, genomes[genome_of[row]], seed)

    def _initial_weights_of(self, row: int, genome: FloatArray, seed: int) -> None:
        segments = self._kernel.spec.synapses
        if self._initial_weights is None:
            arrays = self.layout.split(genome)
            for layer, segment in enumerate(segments, start=1):
                self._kernel.write(segment, arrays[f"layer{layer}.weight"], self._states[row, 0])
            return
        generator = stream(seed, Stream.INITIAL_WEIGHTS)
        for segment in segments:
            weights = np.empty(segment.shape, np.float32)
            self._initial_weights.fill(generator, weights)
            self._kernel.write(segment, weights, self._states[row, 0])

    def forward(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        """Return the actions ``(capacity, n_out)``, current in the rows `active`; valid until the next call.

        Args:
            observations: ``(capacity, n_in)``.
            active: rows of the lifetimes that go on, ``(k,)``; the same as `learn` got.
        """
        if self._encoder is not None:
            observations = self._encoder.encode(observations, active)
        if self._pending is None:
            self._run(self._kernel.forward, active, self._current, self._next, observations)
        else:
            assert len(self._pending) == len(active)
            self._run(self._kernel.learn_forward, active, self._current, self._next, observations)
            self._pending = None
        self._current, self._next = self._next, self._current
        if self._slopes is not None:
            _bound(self._actions, active, self._slopes)
        return self._actions

    def learn(self, active: IndexArray) -> None:
        """Let the rule and the normaliser change the weights of the rows `active`, after a forward pass."""
        if self.plastic:
            self._pending = active

    def flush(self) -> None:
        """Carry out an update that still waits."""
        if self._pending is not None:
            self._run(self._kernel.learn, self._pending, self._current, self._next, self._no_observations())
            self._pending = None

    def weights(self, layer: int) -> FloatArray:
        """Return the live weights of layer 1, 2, ...: a writable view ``(capacity, n_out, n_in)``."""
        return self.state("w", layer)

    def state(self, name: str, layer: int) -> FloatArray:
        """Return a state of the rule (``w``, a trace, ...) as a live view ``(capacity, n_out, n_in)``."""
        self.flush()
        index = self._kernel.spec.rule.states.index(name)
        return self._kernel.view(self._kernel.spec.synapses[layer - 1], self._states[:, index])

    def activations(self, layer: int) -> FloatArray:
        """Return the last activations of layer 1, 2, ... as a view ``(capacity, n_out)``; 0 is the input."""
        segment = self._kernel.spec.neurons[layer]
        return self._current[:, segment.start : segment.stop]

    def _no_observations(self) -> FloatArray:
        return self.activations(0)

    def _run(self, entry, active, old, new, observations) -> None:  # type: ignore[no-untyped-def]
        entry(
            active,
            self._genome_of,
            self._states,
            self._constants,
            old,
            new,
            observations,
            self._actions,
            self._lanes,
        )


@njit(nogil=True, cache=True)
def _bound(outputs: FloatArray, active: IndexArray, slopes: FloatArray) -> None:
    """Replace the raw outputs ``(capacity, n_out)`` of the rows `active` by tanh(slope * output)."""
    for row in active:
        for k in range(outputs.shape[1]):
            outputs[row, k] = _tanh(slopes[k] * outputs[row, k])
