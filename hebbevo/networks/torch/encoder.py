"""The image encoder over a batch, in torch alone: every frame with the convolutions of its own genome.

It runs on every device. As in `hebbevo.networks.torch.kernel`, only elementwise arithmetic and sums by halves in a
fixed order: cuDNN and BLAS choose an algorithm by the size of the batch, which would show in the bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hebbevo.networks.convolution import EncoderSpec
from hebbevo.networks.layout import Layout
from hebbevo.networks.resizing import averaging_taps
from hebbevo.networks.torch.kernel import ordered_sum
from hebbevo.rules.implementations import torch_kernel_functions

if TYPE_CHECKING:
    import torch

PRODUCTS = {"cpu": 16 << 20, "cuda": 1 << 30}
"""Bytes that the products of a convolution may fill at a time, on each device; more frames go in turns."""


class TorchEncoder:
    """Turns frames into features on a device, each with the convolutions of its genome.

    Args:
        spec: of the encoder.
        layout: of the genomes.
        device: ``cpu`` or ``cuda``.
    """

    def __init__(self, spec: EncoderSpec, layout: Layout, device: str = "cpu") -> None:
        self.spec = spec
        self._entries = [entry for name in spec.weights for entry in layout.entries if entry.name == name]
        self._weights: list[torch.Tensor] = []
        self._taps = [] if spec.size is None else [_taps(side, spec.size, device) for side in spec.image[1:]]
        self._tanh = torch_kernel_functions()["tanh"]
        self._at_once = max(1, PRODUCTS[device] // bytes_per_frame(spec))

    def reset(self, genomes: torch.Tensor) -> None:
        """Take the genomes ``(genomes, layout.size)``, which lie on the device."""
        self._weights = [
            genomes[:, entry.offset : entry.offset + entry.size].reshape(-1, *entry.shape)
            for entry in self._entries
        ]

    def encode(self, frames: torch.Tensor, genome_of: torch.Tensor) -> torch.Tensor:
        """Return the features ``(k, spec.features)``.

        Args:
            frames: ``(k, channels * height * width)``.
            genome_of: row of the genomes of each frame, int64 ``(k,)``.
        """
        import torch

        parts = [slice(start, start + self._at_once) for start in range(0, len(frames), self._at_once)]
        return torch.cat([self._features(frames[part], genome_of[part]) for part in parts])

    def _features(self, frames: torch.Tensor, genome_of: torch.Tensor) -> torch.Tensor:
        from torch.nn.functional import max_pool2d

        image = frames.reshape(-1, *self.spec.image)
        for tall_or_wide, taps in zip((True, False), self._taps, strict=False):
            image = _averaged(image.mT, *taps).mT if tall_or_wide else _averaged(image, *taps)
        for layer, weights in zip(self.spec.convolutions, self._weights, strict=True):
            # tanh is monotone, so that the maximum may come first
            image = self._tanh(max_pool2d(_convolved(image, weights[genome_of], layer.stride), layer.pool))
        return image.flatten(1)


def bytes_per_frame(spec: EncoderSpec) -> int:
    """Return the bytes of the largest convolution's products, of one frame."""
    inputs, most = (spec.resized, *spec.outputs), spec.features
    for (channels, height, width), layer in zip(inputs, spec.convolutions, strict=False):
        tall, wide = layer.windows(height), layer.windows(width)
        most = max(most, layer.channels * channels * layer.kernel**2 * tall * wide)
    return 4 * most


def _convolved(image: torch.Tensor, weights: torch.Tensor, stride: int) -> torch.Tensor:
    """Convolve each image ``(k, n_in, height, width)`` with weights of its own ``(k, n_out, n_in, kernel, kernel)``."""
    kernel = weights.shape[-1]
    windows = image.unfold(2, kernel, stride).unfold(3, kernel, stride)  # (k, n_in, y, x, kernel, kernel)
    taps = windows.permute(0, 1, 4, 5, 2, 3).flatten(1, 3)  # (k, n_in * kernel * kernel, y, x)
    products = weights.flatten(2)[..., None, None] * taps[:, None]
    return ordered_sum(products.movedim(2, -1))


def _averaged(image: torch.Tensor, pixels: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
    """Return weighted means ``(..., target)`` of pixels of the last axis; see `_taps`."""
    return ordered_sum(image[..., pixels] * weights)


def _taps(source: int, target: int, device: str) -> Sequence[torch.Tensor]:
    """Return which pixels each target pixel averages, and their weights, ``(target, taps)``: of weight 0 beyond."""
    import torch

    starts, weights = averaging_taps(source, target)
    pixels = np.minimum(starts[:, None] + np.arange(len(weights)), source - 1)
    return torch.from_numpy(pixels).to(device), torch.from_numpy(weights.T.copy()).to(device)
