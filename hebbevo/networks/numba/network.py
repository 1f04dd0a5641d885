"""A batch of plastic multilayer perceptrons on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.networks.initial_weights import initial_weights
from hebbevo.networks.layout import Layout, layer_coefficients
from hebbevo.networks.network import Encoder, Network
from hebbevo.networks.numba.aligned import aligned_zeros
from hebbevo.networks.numba.functions import bound_outputs
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.rules.distribution import Distribution

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class NumbaNetwork(Network):
    """The networks of the compiled CPU kernels. Arrays that it returns are views: they show later steps too.

    Args:
        kernel: the compiled rule.
        layout: of the genomes.
        distribution: of each lifetime's initial weights; None where the genome holds them.
        batch_size: most lifetimes side by side.
        encoder: makes features of images; None where observations go straight to the first layer.
        slopes: ``(n_out,)``, where the output layer is raw: actions are tanh(slope * output).
    """

    def __init__(
        self,
        kernel: NumbaKernel,
        layout: Layout,
        distribution: Distribution | None,
        batch_size: int,
        encoder: Encoder | None = None,
        slopes: FloatArray | None = None,
    ) -> None:
        self.batch_size = batch_size
        self.layout = layout
        self.plastic = True
        self._kernel = kernel
        self._distribution = distribution
        self._encoder, self._slopes = encoder, slopes
        self._bound = None if slopes is None else bound_outputs()
        self._states = aligned_zeros(batch_size, len(kernel.spec.rule.states), kernel.state_width)
        self._constants = aligned_zeros(batch_size, kernel.constant_width)
        self._current = aligned_zeros(batch_size, kernel.neuron_width)
        self._next = aligned_zeros(batch_size, kernel.neuron_width)
        self._lanes = aligned_zeros(batch_size, kernel.lane_width)
        self._genome_of = np.zeros(batch_size, np.int64)
        self._actions = np.zeros((batch_size, kernel.spec.sizes[-1]), np.float32)
        self._pending: IndexArray | None = None

    @property
    @override
    def layers(self) -> int:
        return len(self._kernel.spec.layers)

    @property
    @override
    def states(self) -> tuple[str, ...]:
        return self._kernel.spec.rule.states

    @override
    def reset(
        self, genomes: FloatArray, genome_of: Sequence[int], seeds: Sequence[int], *, plastic: bool = True
    ) -> None:
        assert len(genomes) <= self.batch_size
        assert len(genome_of) == len(seeds) <= self.batch_size
        spec, rows = self._kernel.spec, len(seeds)
        self.plastic = plastic and not spec.rule.is_static
        self._pending = None
        self._genome_of[:rows] = genome_of
        if self._encoder is not None:
            self._encoder.reset(genomes, genome_of)
        self._states[:rows, 1:] = 0.0
        self._write_constants(genomes)
        matrices = initial_weights(self._distribution, self.layout, spec.layers, genomes, genome_of, seeds)
        for segment, weights in zip(spec.synapses, matrices, strict=True):
            self._kernel.write(segment, weights, self._states[:rows, 0])

    def _write_constants(self, genomes: FloatArray) -> None:
        spec = self._kernel.spec
        for genome, constants in zip(genomes, self._constants, strict=False):
            arrays = self.layout.split(genome)
            for layer in range(self.layers):
                coefficients = layer_coefficients(spec.rule, spec.sharing, arrays, layer + 1)
                self._kernel.write_constants(layer, coefficients, constants)

    @override
    def forward(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        if self._encoder is not None:
            observations = self._encoder.encode(observations, active)
        if self._pending is None:
            self._run(self._kernel.forward, active, observations)
        else:
            assert len(self._pending) == len(active)
            self._run(self._kernel.learn_forward, active, observations)
            self._pending = None
        self._current, self._next = self._next, self._current
        if self._bound is not None:
            self._bound(self._actions, active, self._slopes)
        return self._actions

    @override
    def learn(self, active: IndexArray) -> None:
        if self.plastic:
            self._pending = active

    @override
    def flush(self) -> None:
        if self._pending is not None:
            # the kernel without a forward pass reads no observations
            self._run(self._kernel.learn, self._pending, self._current)
            self._pending = None

    @override
    def state(self, name: str, layer: int) -> FloatArray:
        self.flush()
        spec = self._kernel.spec
        return self._kernel.view(spec.synapses[layer - 1], self._states[:, spec.rule.states.index(name)])

    @override
    def activations(self, layer: int) -> FloatArray:
        segment = self._kernel.spec.neurons[layer]
        return self._current[:, segment.start : segment.stop]

    def _run(self, entry: Callable[..., None], active: IndexArray, observations: FloatArray) -> None:
        rows = (self._genome_of, self._states, self._constants, self._current, self._next)
        entry(active, *rows, observations, self._actions, self._lanes)
