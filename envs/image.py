"""Frames of pixels as networks see them: channel after channel, each level divided by 255."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit


@njit(cache=True, nogil=True)
def fill_planes(frame: npt.NDArray[np.uint8], planes: npt.NDArray[np.float32]) -> None:
    """Write a frame ``(height, width, channels)`` of levels into its flat planes ``(channels * height * width,)``."""
    height, width, channels = frame.shape
    scale = np.float32(1 / 255)
    for y in range(height):
        for channel in range(channels):
            start = (channel * height + y) * width
            row = planes[start : start + width]
            for x in range(width):
                row[x] = np.float32(frame[y, x, channel]) * scale
