"""CarRacing as Najarro & Risi 2020 describe it: Gymnasium's environment, torch, and a compiled loop per layer.

Frames are resized to 84 x 84 by area, pass two static convolutions (torch), then the plastic layers of
`hebbevo.benchmarks.gymnasium_loop`, whose weights are divided by their largest absolute value after every update. The
peer of `hebbevo bench --only car_racing`; it shares no code with our network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hebbevo.benchmarks.gymnasium_loop import PlainNetwork

SIDE, RESIZED = 96, 84
STRIDES = (1, 2)
"""Of the convolutions, each followed by tanh and a pool of 2 x 2."""


class PlainPolicy:
    """Convolutions ``(out, in, k, k)`` and a plastic network of the paper's policy."""

    def __init__(self, convolutions: Sequence[npt.NDArray[np.float32]], network: PlainNetwork) -> None:
        self._convolutions = [torch.from_numpy(weights) for weights in convolutions]
        self.network = network
        # overlap of each new pixel with each old one, (84, 96): rows sum to 1
        scale, old = SIDE / RESIZED, np.arange(SIDE)
        start = np.arange(RESIZED)[:, None] * scale
        overlap = np.clip(np.minimum(old + 1, start + scale) - np.maximum(old, start), 0, None)
        self._resize = torch.from_numpy((overlap / scale).astype(np.float32))

    def act(self, frame: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Return steering, gas and brake for a frame ``(96, 96, 3)``."""
        planes = torch.from_numpy(frame).permute(2, 0, 1).to(torch.float32) / 255
        outputs = self.network.forward(self.features(planes))
        gas_and_brake = 1 / (1 + np.exp(-outputs[1:]))
        return np.concatenate([np.tanh(outputs[:1]), gas_and_brake]).astype(np.float32)

    def features(self, planes: torch.Tensor) -> npt.NDArray[np.float32]:
        """Return the features ``(648,)`` of an image ``(3, 96, 96)`` in [0, 1]."""
        image = (self._resize @ planes @ self._resize.T)[None]
        for weights, stride in zip(self._convolutions, STRIDES, strict=True):
            image = torch.tanh(torch.nn.functional.conv2d(image, weights, stride=stride))
            image = torch.nn.functional.max_pool2d(image, 2)
        features: npt.NDArray[np.float32] = image.flatten().numpy()
        return features


def rollout(
    environment: Any, policy: PlainPolicy, frame: npt.NDArray[np.uint8], steps: int
) -> tuple[npt.NDArray[np.uint8], int]:
    """Continue from a frame for at most `steps` steps; return the last frame and the number of steps taken."""
    for step in range(1, steps + 1):
        frame, _, terminated, truncated, _ = environment.step(policy.act(frame))
        if terminated or truncated:
            return frame, step
        policy.network.learn()
    return frame, steps
