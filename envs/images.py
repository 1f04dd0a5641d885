"""Frames of pixels as networks see them: channel after channel, each level divided by 255."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled


def fill_planes(frame: npt.NDArray[np.uint8], planes: npt.NDArray[np.float32]) -> None:
    """Write a contiguous frame ``(height, width, channels)`` into its flat planes ``(channels * height * width,)``."""
    fits = frame.dtype == np.uint8 and frame.ndim == 3 and planes.shape == (frame.size,)
    if not (fits and frame.flags.c_contiguous):
        raise ValueError(
            f"planes of {planes.shape} cannot hold a frame, {frame.dtype} of shape {frame.shape}"
        )
    _fill_planes(frame, planes)


@compiled
def _fill_planes(frame: npt.NDArray[np.uint8], planes: npt.NDArray[np.float32]) -> None:
    height, width, channels = frame.shape
    levels, size, scale = frame.reshape(-1), height * width, np.float32(1 / 255)
    for channel in range(channels):
        plane, first = planes[channel * size : (channel + 1) * size], levels[channel:]
        if channels == 3:  # a stride known to the compiler becomes vector code
            for i in range(size):
                plane[i] = np.float32(first[3 * i]) * scale
        else:
            for i in range(size):
                plane[i] = np.float32(first[channels * i]) * scale
