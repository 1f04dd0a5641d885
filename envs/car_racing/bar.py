"""The bar below CarRacing's field of view: reward, speed, wheels, steering and spin, at 96x12 pixels.

The bars are those of Gymnasium's `CarRacing._render_indicators` (CarRacing-v3): rectangles of a 1000x800 picture,
corners cut down to integers, borders included, then averaged down.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled

if TYPE_CHECKING:
    import pygame

Reals = npt.NDArray[np.float64]
Image = npt.NDArray[np.uint8]

WIDTH, ROWS, TOP = 96, 12, 84
TEXT_WIDTH = 12
BAR_TOP, BAR_WIDTH, BAR_HEIGHT = 700, 1000, 100
SMALLEST = 1e-4  # a value nearer to zero is not shown

# Indices into the vector of readings.
SPEED, WHEELS, STEERING, SPIN = 0, 1, 5, 6
READINGS = 7


@lru_cache(maxsize=1)
def _font() -> pygame.font.Font:
    import pygame

    pygame.font.init()
    return pygame.font.Font(pygame.font.get_default_font(), 42)


@lru_cache(maxsize=4096)
def reward_text(text: str) -> Image:
    """Return `text` as the official picture shows it: grey levels (12, 12) of the left end of the bar."""
    import pygame

    white, black = (255, 255, 255), (0, 0, 0)
    try:
        words = _font().render(text, True, white, black)
    except pygame.error:  # pygame.quit(), which closing a window of Gymnasium calls, has invalidated the font
        _font.cache_clear()
        words = _font().render(text, True, white, black)
    # 12 pixels of the 96 are exactly these 125x100 of the 1000x800.
    surface = pygame.Surface((125, BAR_HEIGHT), depth=32)
    surface.blit(words, words.get_rect(center=(60, BAR_HEIGHT // 2)))
    small = pygame.transform.smoothscale(surface, (TEXT_WIDTH, ROWS))
    return np.ascontiguousarray(pygame.surfarray.array3d(small)[:, :, 0].T)


@compiled
def _rectangle(
    bar: Reals, x0: float, x1: float, y0: float, y1: float, red: int, green: int, blue: int
) -> None:
    """Add a rectangle of the 1000x800 picture, from pixel (x0, y0) to pixel (x1, y1), to the bar (12, 96, 3)."""
    x_scale, y_scale = WIDTH / BAR_WIDTH, ROWS / BAR_HEIGHT
    left, right = (
        max(np.trunc(min(x0, x1)), 0.0) * x_scale,
        min(np.trunc(max(x0, x1)) + 1.0, 1000.0) * x_scale,
    )
    low = max(np.trunc(min(y0, y1)) - BAR_TOP, 0.0) * y_scale
    high = min(np.trunc(max(y0, y1)) + 1.0 - BAR_TOP, 100.0) * y_scale
    for y in range(int(low), min(int(np.ceil(high)), ROWS)):
        tall = min(high, y + 1.0) - max(low, float(y))
        for x in range(int(left), min(int(np.ceil(right)), WIDTH)):
            cover = tall * (min(right, x + 1.0) - max(left, float(x)))
            bar[y, x, 0] += cover * red
            bar[y, x, 1] += cover * green
            bar[y, x, 2] += cover * blue


@compiled
def draw_bar(readings: Reals, text: Image, bar: Reals, image: Image) -> None:
    """Draw the bar into the last 12 rows of `image` (96, 96, 3).

    readings (7,): speed, the spin of the four wheels, steering angle, spin of the car; text: of `reward_text`;
    bar (12, 96, 3) is scratch.
    """
    bar[:] = 0.0
    if readings[SPEED] > SMALLEST:
        _rectangle(bar, 125, 150, 780 - 0.4 * readings[SPEED], 780, 255, 255, 255)
    for i in range(4):
        spin = readings[WHEELS + i]
        if abs(spin) > SMALLEST:
            # Neighbours share a border; the one on the right is painted over the other.
            right = 175 + 25 * (i + 1) - (1 if i < 3 else 0)
            _rectangle(bar, 175 + 25 * i, right, 780 - 0.2 * spin, 780, 0 if i < 2 else 51, 0, 255)
    if abs(readings[STEERING]) > SMALLEST:
        _rectangle(bar, 500, 25 * (20 - 10.0 * readings[STEERING]), 720, 760, 0, 255, 0)
    if abs(readings[SPIN]) > SMALLEST:
        _rectangle(bar, 750, 25 * (30 - 0.8 * readings[SPIN]), 720, 760, 255, 0, 0)
    for y in range(ROWS):
        for x in range(WIDTH):
            for channel in range(3):
                # smoothscale rounds down twice: 255 becomes 253
                level = min(bar[y, x, channel], 255.0) - 1.0 - 1 / 64
                image[TOP + y, x, channel] = np.int32(level if level > 0.0 else 0.0)
    for y in range(ROWS):
        for x in range(TEXT_WIDTH):
            for channel in range(3):
                image[TOP + y, x, channel] = text[y, x]
