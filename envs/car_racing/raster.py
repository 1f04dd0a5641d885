"""Scanline rasteriser of convex polygons straight to 96 pixels a row: exact across, sampled down.

Every row of pixels is cut into `sub_rows` sample lines. A line is a sorted list of breakpoints, packed into int32 as
`start << 8 | color`: from `start` (in 1/1024 pixel) up to the next start the line has that color. Painting a
polygon overwrites the span it covers on each line, so polygons hide each other as in the painter's algorithm, and
edges that two polygons share never show the ground below. A pixel is the mean of its lines, each weighted by the
exact length of every color inside the pixel.

Coordinates are those of Gymnasium's 1000x800 picture as shown, with integers at the centers of its pixels.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled

Corners = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]
Reals = npt.NDArray[np.float32]
Packed = npt.NDArray[np.int64]
Image = npt.NDArray[np.uint8]

SOURCE_WIDTH, SOURCE_HEIGHT = 1000, 800
WIDTH, HEIGHT = 96, 96
BAR_ROWS = 12  # of the 96: the indicators below the field of view, drawn elsewhere
FIELD_ROWS = HEIGHT - BAR_ROWS
MAX_CORNERS = 8

UNIT_BITS = 10
END = WIDTH << UNIT_BITS
_SCALE = np.float32(END / SOURCE_WIDTH)
# Breakpoints that a line can hold. 13 cache lines: an odd number spreads the lines over the sets of the cache.
MAX_BREAKPOINTS = 208
# How far pygame's outline (a fill that includes both ends, an antialiased edge) reaches beyond the ideal polygon,
# in its pixels: sideways on a steep edge (the mean over where it falls in a pixel), up or down on a flat one.
_STEEP_REACH = 0.625
_FLAT_REACH = 0.5

# The three channels share one int64, 21 bits each, so that one addition moves them all.
_FIELD = 21
_MASK = (1 << _FIELD) - 1
_HEADROOM = 2  # keeps the fields positive while rounding down
# pygame's smoothscale rounds down twice, once across and once down: a flat 204 becomes 202.
_ROUND_DOWN = 1.0 + 1 / 64
MAX_SUB_ROWS = (1 << _FIELD - UNIT_BITS) >> 8


def pack_color(red: int, green: int, blue: int) -> int:
    """Return a color as the int64 that `rasterise` sums."""
    return (red + _HEADROOM) << 2 * _FIELD | (green + _HEADROOM) << _FIELD | (blue + _HEADROOM)


class Canvas:
    """The scratch memory of `rasterise`: arrays that keep no meaning between frames, except that `sums` is zero."""

    def __init__(self, sub_rows: int) -> None:
        rows = FIELD_ROWS * sub_rows
        self.lines = np.zeros((rows, MAX_BREAKPOINTS), np.int32)
        self.counts = np.zeros(rows, np.int32)  # breakpoints on each line
        self.edges = np.zeros((2, rows), np.float32)  # where a polygon begins and ends on each line
        self.spans = np.zeros((2, rows), np.int32)  # the same, in units
        self.sums = np.zeros(WIDTH + 1, np.int64)  # change of the weighted color at each pixel of a row


@compiled
def _paint(lines: Integers, counts: Integers, spans: Integers, begin: int, stop: int, color: int) -> None:
    """Overwrite [spans[0, row], spans[1, row]) of every line from `begin` to `stop` with `color`.

    Spans that a full line cannot hold are left out. One call for all lines: numba counts references at every call.
    """
    for k in range(stop - begin):
        row = begin + k
        start, end = spans[0, k], spans[1, k]
        if start >= end:
            continue
        if start == 0 and end == END:
            lines[row, 0] = color
            counts[row] = 1
            continue
        count = counts[row]
        last = count - 1
        while lines[row, last] >> 8 >= end:
            last -= 1
        first = last
        while lines[row, first] >> 8 > start:
            first -= 1
        below = lines[row, last] & 255
        kept = first + 1 if lines[row, first] >> 8 < start else first
        rest = last + 1
        resumes = end < END and (rest == count or lines[row, rest] >> 8 != end)
        shift = kept + (2 if resumes else 1) - rest
        if count + shift > MAX_BREAKPOINTS:
            continue
        if shift > 0:
            for i in range(count - 1, rest - 1, -1):
                lines[row, i + shift] = lines[row, i]
        elif shift < 0:
            for i in range(rest, count):
                lines[row, i + shift] = lines[row, i]
        lines[row, kept] = start << 8 | color
        if resumes:
            lines[row, kept + 1] = end << 8 | below
        counts[row] = count + shift


@compiled
def _find_spans(
    corners: Corners, polygon: int, size: int, rows: int, edges: Reals, spans: Integers
) -> tuple[int, int]:
    """Set the span of one convex polygon on every line it crosses; return the first line and the one after the last.

    It is an intersection of half-planes: a line is inside from the rightmost of the left edges to the leftmost of
    the right ones. Each edge is first moved outwards by its reach.
    """
    area = 0.0
    low = high = corners[polygon, 0, 0]
    top = bottom = corners[polygon, 1, 0]
    previous = size - 1
    for i in range(size):
        x, y = corners[polygon, 0, i], corners[polygon, 1, i]
        area += corners[polygon, 0, previous] * y - x * corners[polygon, 1, previous]
        low, high, top, bottom = min(low, x), max(high, x), min(top, y), max(bottom, y)
        previous = i
    pitch = SOURCE_HEIGHT / HEIGHT * FIELD_ROWS / rows
    # Line k samples the height (k + 1/2) pitch - 1/2.
    begin = max(0, math.ceil((top - _FLAT_REACH + 0.5) / pitch - 0.5))
    stop = min(rows, math.floor((bottom + _FLAT_REACH + 0.5) / pitch - 0.5) + 1)
    if begin >= stop or high < -1.0 or low > SOURCE_WIDTH:
        return 0, 0
    for k in range(stop - begin):
        edges[0, k] = low - _STEEP_REACH
        edges[1, k] = high + _STEEP_REACH
    previous = size - 1
    for i in range(size):
        fall = corners[polygon, 1, i] - corners[polygon, 1, previous]
        if fall != 0.0:
            slope = (corners[polygon, 0, i] - corners[polygon, 0, previous]) / fall
            reach = _STEEP_REACH if abs(slope) <= 1.0 else _FLAT_REACH * abs(slope)
            step = np.float32(slope * pitch)
            x = corners[polygon, 0, i] + slope * ((begin + 0.5) * pitch - 0.5 - corners[polygon, 1, i])
            # Clockwise on the screen (area > 0), an edge that goes down is on the right.
            if (fall > 0.0) == (area > 0.0):
                right = np.float32(x + reach)
                for k in range(stop - begin):
                    at = right + step * np.float32(k)
                    edges[1, k] = at if at < edges[1, k] else edges[1, k]
            else:
                left = np.float32(x - reach)
                for k in range(stop - begin):
                    at = left + step * np.float32(k)
                    edges[0, k] = at if at > edges[0, k] else edges[0, k]
        previous = i
    half, zero, end = np.float32(0.5), np.float32(0.0), np.float32(END)
    for side in range(2):
        for k in range(stop - begin):
            x = (edges[side, k] + half) * _SCALE
            x = x if x > zero else zero
            spans[side, k] = np.int32(x if x < end else end)
    return begin, stop


@compiled
def _resolve(lines: Integers, counts: Integers, palette: Packed, sums: Packed, image: Image) -> None:
    """Average the lines into the rows of `image` (>= FIELD_ROWS, 96, 3), rounded as pygame's smoothscale does."""
    sub_rows = counts.shape[0] // FIELD_ROWS
    unit = 1 << UNIT_BITS
    shift = UNIT_BITS
    while 1 << shift < sub_rows * unit:
        shift += 1
    down = np.int64(_ROUND_DOWN * sub_rows * unit)
    base = -((down << 2 * _FIELD) + (down << _FIELD) + down)
    headroom, zero = np.int32(_HEADROOM), np.int32(0)
    for y in range(FIELD_ROWS):
        sums[0] = base
        for row in range(y * sub_rows, (y + 1) * sub_rows):
            before = palette[lines[row, 0] & 255]
            sums[0] += before * unit
            for i in range(1, counts[row]):
                entry = lines[row, i]
                color = palette[entry & 255]
                change = color - before
                before = color
                pixel = entry >> 8 + UNIT_BITS
                part = (entry >> 8) & (unit - 1)
                sums[pixel] += change * (unit - part)
                sums[pixel + 1] += change * part
        running = np.int64(0)
        for x in range(WIDTH):
            running += sums[x]
            sums[x] = running
        flat = image[y].reshape(-1)  # with the constant stride of 3 the loop below becomes vector code
        for x in range(WIDTH):
            total = sums[x]
            red = np.int32(total >> 2 * _FIELD + shift) - headroom
            green = np.int32((total >> _FIELD + shift) & (_MASK >> shift)) - headroom
            blue = np.int32((total >> shift) & (_MASK >> shift)) - headroom
            flat[3 * x] = red if red > zero else zero
            flat[3 * x + 1] = green if green > zero else zero
            flat[3 * x + 2] = blue if blue > zero else zero
        sums[:] = 0


@compiled
def rasterise(
    corners: Corners,
    sizes: Integers,
    colors: Integers,
    polygons: int,
    palette: Packed,
    lines: Integers,
    counts: Integers,
    edges: Reals,
    spans: Integers,
    sums: Packed,
    image: Image,
) -> None:
    """Paint `polygons` convex polygons, the later over the earlier, into the upper FIELD_ROWS of `image`.

    corners (n, 2, 8): x and y, `sizes[i]` of them valid; colors: indices below 256 into the packed `palette`;
    color 0 is the ground below all. The arrays from `lines` to `sums` are those of a Canvas.
    """
    rows = counts.shape[0]
    lines[:, 0] = 0
    counts[:] = 1
    for i in range(polygons):
        begin, stop = _find_spans(corners, i, sizes[i], rows, edges, spans)
        _paint(lines, counts, spans, begin, stop, colors[i])
    _resolve(lines, counts, palette, sums, image)
