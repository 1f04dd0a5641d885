"""The layout of a frame: where each part lies, in pixels, and what fits into it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]
"""A picture ``(height, width, 3)``, RGB."""
Box = tuple[int, int, int, int]
"""Left, top, right, bottom."""

SIZE = (1280, 720)
"""Width and height of a frame."""
VIEW = (800, 540)
"""Width and height of the picture of the body or the world, in the upper left corner."""
PLOT: Box = (56, 564, 784, 690)
"""The plot of progress."""
MATRICES: Box = (824, 36, 1256, 640)
"""The weight matrices, one below the other."""
BAR: Box = (824, 664, 1256, 680)
"""The scale of the weights."""
LABEL = 22
"""Height of a line of text above a matrix."""
SHORT_EVENT = 30
"""Steps for which the label of a perturbation of one step stays on the frames."""

_GAP = 8
"""Between two matrices."""
_MARGIN = "#404040"
"""Color beside a picture of other proportions."""


def matrix_boxes(shapes: Sequence[Sequence[int]]) -> list[Box]:
    """Stack the layers' matrices; larger ones get more height, and synapses whole pixels where there are enough."""
    left, top, right, bottom = MATRICES
    height = bottom - top - LABEL * len(shapes) - _GAP * (len(shapes) - 1)
    shares = np.sqrt([rows for rows, _ in shapes])
    boxes = []
    for (rows, columns), share in zip(shapes, shares / shares.sum(), strict=True):
        used_height = _whole_cells(int(share * height), rows)
        used_width = _whole_cells(right - left, columns)
        top += LABEL
        boxes.append((left, top, left + used_width, top + used_height))
        top += used_height + _GAP
    return boxes


def _whole_cells(pixels: int, cells: int) -> int:
    return max(1, pixels // cells * cells if pixels >= cells else pixels)


def fit_into(size: tuple[int, int], picture: Picture) -> Image.Image:
    """Return a picture in the middle of this size, as large as it fits."""
    image = Image.fromarray(np.ascontiguousarray(picture))
    if image.size == size:
        return image
    scale = min(size[0] / image.width, size[1] / image.height)
    image = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BICUBIC)
    fitted = Image.new("RGB", size, _MARGIN)
    fitted.paste(image, ((size[0] - image.width) // 2, (size[1] - image.height) // 2))
    return fitted


def round_ticks(low: float, high: float, most: int) -> list[float]:
    """Return round numbers from `low` to `high`, at most about `most`."""
    step = 10.0 ** math.floor(math.log10((high - low) / most))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    first = math.ceil(low / step - 1e-9)
    return [round(k * step, 10) for k in range(first, math.floor(high / step + 1e-9) + 1)]
