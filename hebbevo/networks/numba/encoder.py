"""The image encoder on the CPU: static convolutions of a genome, one frame at a time, fused, nothing allocated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.networks.compilation import compiled_module
from hebbevo.networks.convolution import EncoderSpec
from hebbevo.networks.layout import Layout
from hebbevo.networks.numba.aligned import aligned_zeros
from hebbevo.networks.numba.encoder_text import EncoderText

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class NumbaEncoder:
    """Turns the frames of a block of lifetimes into features, each with the convolutions of its genome."""

    def __init__(self, spec: EncoderSpec, layout: Layout, batch_size: int) -> None:
        self.spec = spec
        self._layout = layout
        text = EncoderText(spec)
        self._encode = compiled_module(text.text()).encode
        size = sum(int(np.prod(shape)) for shape in spec.weights.values())
        self._weights = aligned_zeros(batch_size, max(1, size))
        self._genome_of = np.zeros(batch_size, np.int64)
        self._features = aligned_zeros(batch_size, spec.features)
        self._buffers = [aligned_zeros(*shape) for shape in text.buffers.values()]

    def reset(self, genomes: FloatArray, genome_of: Sequence[int]) -> None:
        """Start lifetimes in the first rows; `genomes` (genomes, layout.size), `genome_of` the row of each lifetime."""
        self._genome_of[: len(genome_of)] = genome_of
        for genome, weights in zip(genomes, self._weights, strict=False):
            arrays = self._layout.split(genome)
            parts = [arrays[name].ravel() for name in self.spec.weights]
            weights[:] = np.concatenate(parts) if parts else 0.0

    def encode(self, frames: FloatArray, active: IndexArray) -> FloatArray:
        """Return the features ``(capacity, spec.features)``, current in the rows `active`; valid until the next call.

        Args:
            frames: ``(capacity, channels * height * width)``.
            active: rows of the lifetimes that go on, ``(k,)``.
        """
        self._encode(active, self._genome_of, self._weights, frames, self._features, *self._buffers)
        return self._features
