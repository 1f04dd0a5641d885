"""The image encoder on the CPU: static convolutions of a genome, one frame at a time, fused, nothing allocated."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.compilation import compiled_module
from hebbevo.networks.convolution import EncoderSpec
from hebbevo.networks.layout import Layout
from hebbevo.networks.network import Encoder
from hebbevo.networks.numba.aligned import aligned_zeros
from hebbevo.networks.numba.encoder_text import EncoderText

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]


class NumbaEncoder(Encoder):
    """Turns frames into features on the CPU, each with the convolutions of its genome."""

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

    @override
    def reset(self, genomes: FloatArray, genome_of: Sequence[int]) -> None:
        self._genome_of[: len(genome_of)] = genome_of
        for genome, weights in zip(genomes, self._weights, strict=False):
            arrays = self._layout.split(genome)
            parts = [arrays[name].ravel() for name in self.spec.weights]
            weights[:] = np.concatenate(parts) if parts else 0.0

    @override
    def encode(self, observations: FloatArray, active: IndexArray) -> FloatArray:
        self._encode(active, self._genome_of, self._weights, observations, self._features, *self._buffers)
        return self._features
