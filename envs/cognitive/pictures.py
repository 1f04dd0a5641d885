"""Pictures of worlds that are made of cells, seen from above."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

WALL: Final = "#3b4252"
FREE: Final = "#eceff4"
WALKER: Final = "#bf3f4a"
REWARD: Final = "#e0a92e"
SIZE: Final = (800, 540)
"""Width and height, in pixels."""
_MARGIN: Final = 60

Cell = tuple[int, int]
"""Row and column."""


def draw_cells(colors: Mapping[Cell, str], walker: Cell, reward: Cell) -> npt.NDArray[np.uint8]:
    """Return a picture, ``(height, width, 3)``: cells with their colors on a wall, what lies there, and the walker.

    Args:
        colors: of the cells that there are.
        walker: where it is.
        reward: where it lies.
    """
    rows, columns = (sorted(places) for places in zip(*colors, strict=True))
    width, height = SIZE
    cell = min(
        (width - _MARGIN) // (columns[-1] - columns[0] + 3), (height - _MARGIN) // (rows[-1] - rows[0] + 3)
    )
    left = (width - cell * (columns[-1] - columns[0] + 1)) // 2
    top = (height - cell * (rows[-1] - rows[0] + 1)) // 2
    image = Image.new("RGB", SIZE, WALL)
    pen = ImageDraw.Draw(image)

    def box(place: Cell, share: float) -> tuple[float, float, float, float]:
        x, y = left + cell * (place[1] - columns[0]), top + cell * (place[0] - rows[0])
        margin = cell * (1 - share) / 2
        return x + margin, y + margin, x + cell - margin - 1, y + cell - margin - 1

    for place, color in colors.items():
        pen.rectangle(box(place, 0.96), fill=color)
    pen.ellipse(box(reward, 0.8), fill=REWARD)
    pen.ellipse(box(walker, 0.55), fill=WALKER)
    return np.asarray(image)
