"""Area averaging, by which frames are resized before the first convolution."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def averaging(source: int, target: int) -> npt.NDArray[np.float64]:
    """Return the matrix ``(target, source)`` that resizes a row of pixels by area averaging.

    Pixel i of the target is the mean of what lies between i and i + 1 times source / target. Along both axes that is
    OpenCV's INTER_AREA, which the original uses (`gym.wrappers.ResizeObservation`), without its rounding to levels.
    """
    width = source / target
    low = np.arange(target)[:, None] * width
    pixels = np.arange(source)[None, :]
    overlap = np.minimum(low + width, pixels + 1) - np.maximum(low, pixels)
    weights: npt.NDArray[np.float64] = np.where(overlap > 1e-9, overlap, 0.0)
    weights /= weights.sum(axis=1, keepdims=True)
    return weights


def averaging_taps(source: int, target: int) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return `averaging` without its zeros: the first source pixel of each target pixel, and the weights from there on.

    The weights are ``(taps, target)``. No two target pixels begin at the same source pixel; the last ones may reach
    past the source, with weight 0.
    """
    matrix = averaging(source, target)
    taps = int((matrix > 0).sum(axis=1).max())
    starts = (matrix > 0).argmax(axis=1)
    padded = np.pad(matrix, ((0, 0), (0, taps)))
    weights = np.stack([padded[np.arange(target), starts + tap] for tap in range(taps)])
    return starts, weights.astype(np.float32)
