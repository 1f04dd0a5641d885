"""The compiled CPU kernel of a rule, and the rows that it works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from hebbevo.networks.compilation import compiled_module
from hebbevo.networks.kernel_spec import KernelSpec, Segment, aligned
from hebbevo.networks.numba.kernel_text import source
from hebbevo.rules.expression import evaluate
from hebbevo.rules.implementations import numpy_functions

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class NumbaKernel:
    """The compiled kernel of a spec: pure functions over rows that the caller owns.

    Rows, all float32 and C-contiguous: states ``(lifetimes, n_states, state_width)``, constants ``(genomes,
    constant_width)``, activations ``(lifetimes, neuron_width)``.
    """

    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        self._functions = numpy_functions()
        module = compiled_module(source(spec))
        self.forward: Callable[..., None] = module.forward
        self.learn: Callable[..., None] = module.learn
        self.learn_forward: Callable[..., None] = module.learn_forward
        self.state_width = sum(aligned(segment.size) for segment in spec.synapses)
        self.constant_width = max(1, sum(aligned(s.size) for layer in spec.constant_segments for s in layer))
        self.neuron_width = sum(aligned(segment.size) for segment in spec.neurons)
        self.lane_width = aligned(max(spec.sizes))

    def write_constants(self, layer: int, coefficients: Mapping[str, FloatArray], row: FloatArray) -> None:
        """Compute the constants of layer 0, 1, ... of one genome into its row.

        Args:
            layer: which layer.
            coefficients: arrays that broadcast to ``(n_out, n_in)``.
            row: ``(constant_width,)``.
        """
        with np.errstate(all="ignore"):
            for expression, segment in zip(
                self.spec.constants, self.spec.constant_segments[layer], strict=True
            ):
                self.write(segment, evaluate(expression, coefficients, self._functions), row)

    @staticmethod
    def write(segment: Segment, matrix: FloatArray, row: FloatArray) -> None:
        """Write a matrix ``(n_out, n_in)`` into its segment of a row."""
        NumbaKernel.view(segment, row)[...] = matrix

    @staticmethod
    def view(segment: Segment, rows: FloatArray) -> FloatArray:
        """Return the view ``(..., n_out, n_in)`` of a segment of rows."""
        flat = rows[..., segment.start : segment.stop]
        if not segment.transposed:
            return flat.reshape(*rows.shape[:-1], *segment.shape)
        return flat.reshape(*rows.shape[:-1], *reversed(segment.shape)).swapaxes(-1, -2)
