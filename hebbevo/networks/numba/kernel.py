"""The compiled CPU kernel of a network, and how the rows that it works on are written and read."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled_module
from hebbevo.networks.kernel_spec import KernelSpec, ProjectionPlan, Segment, aligned
from hebbevo.networks.numba.kernel_text import source
from hebbevo.rules.expression import evaluate
from hebbevo.rules.implementations import numpy_functions

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class NumbaKernel:
    """The compiled kernel of a spec: pure functions over rows that the caller owns.

    Rows, all float32 and C-contiguous: states ``(lifetimes, spec.state_width)``, constants ``(genomes,
    spec.constant_width)``, three generations of activations ``(lifetimes, spec.activation_width)``.
    """

    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        self._functions = numpy_functions()
        module = compiled_module(source(spec))
        self.forward: Callable[..., None] = module.forward
        self.learn: Callable[..., None] = module.learn
        self.learn_forward: Callable[..., None] = module.learn_forward
        self.lane_width = aligned(spec.longest)

    def write_constants(
        self, plan: ProjectionPlan, coefficients: Mapping[str, FloatArray], rows: FloatArray
    ) -> None:
        """Compute the constants of a projection of genomes into their rows.

        Args:
            plan: of the projection.
            coefficients: arrays that broadcast to ``(..., n_out, n_in)``.
            rows: ``(..., spec.constant_width)``.
        """
        with np.errstate(all="ignore"):
            for expression, segment in zip(plan.constants, plan.constant_segments, strict=True):
                self.write(segment, evaluate(expression, coefficients, self._functions), rows)

    @staticmethod
    def write(segment: Segment, matrix: FloatArray, rows: FloatArray) -> None:
        """Write a matrix ``(..., n_out, n_in)`` into its segment of rows."""
        NumbaKernel.view(segment, rows)[...] = matrix

    @staticmethod
    def view(segment: Segment, rows: FloatArray) -> FloatArray:
        """Return the view ``(..., n_out, n_in)`` of a segment of rows."""
        flat = rows[..., segment.start : segment.stop]
        if not segment.transposed:
            return flat.reshape(*rows.shape[:-1], *segment.shape)
        return flat.reshape(*rows.shape[:-1], *reversed(segment.shape)).swapaxes(-1, -2)
