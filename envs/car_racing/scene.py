"""The scene of a CarRacing frame, as a list of polygons from back to front: grass, road, kerbs, car.

The scene is that of Gymnasium's CarRacing-v3 (`CarRacing._render_road`, `Car.draw`): the same camera, the same order,
and corners cut down to integers as pygame does. `hebbevo.envs.car_racing.raster` makes pixels of the list.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled

Reals = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int32]
# x' = a x + b y + c; y' = d x + e y + f
Affine = tuple[float, float, float, float, float, float]

WINDOW_WIDTH, WINDOW_HEIGHT, BAR_HEIGHT = 1000, 800, 100

# Indices into the state vector of `draw_scene`; the wheels follow, PER_WHEEL numbers each.
HULL_X, HULL_Y, HULL_ANGLE, TIME, WHEELS = range(5)
PER_WHEEL = 4  # x, y, angle, phase
STATE_SIZE = WHEELS + 4 * PER_WHEEL

# Colors by number. The road has three shades; its tiles fall back to the first when they are visited.
BLACK, BACKGROUND, GRASS, ROAD, WHITE, RED, BODY, RIM = 0, 1, 2, 3, 6, 7, 8, 9
PALETTE_SIZE = 10

PLAYFIELD = 2000 / 6.0  # world units: half a side
PATCH = PLAYFIELD / 20.0  # a side of a patch of grass; every second one in each direction is lighter
PATCHES = 20
TILE_REACH = 9.0  # no road polygon reaches further from the middle of its diagonal
FARTHEST = 800.0  # pixels: no point of the picture is further from the car
RIM_ARC = 1.2  # radians of a wheel's tread that are painted
# Polygons of a scene besides the road's: the field, its patches, four wheels with rims, four parts of the hull.
BESIDES_ROAD = 1 + PATCHES**2 + 4 * 2 + 4


@compiled
def _camera(state: Reals) -> Affine:
    """Return the map from the world to the picture before its flip. It zooms in over the first second."""
    zoom = 0.6 * max(1.0 - state[TIME], 0.0) + 16.2 * min(state[TIME], 1.0)
    cosine, sine = math.cos(state[HULL_ANGLE]) * zoom, -math.sin(state[HULL_ANGLE]) * zoom
    x, y = state[HULL_X], state[HULL_Y]
    across = WINDOW_WIDTH / 2 - (cosine * x - sine * y)
    up = WINDOW_HEIGHT / 4 - (sine * x + cosine * y)
    return cosine, -sine, across, sine, cosine, up


@compiled
def _body_to_screen(camera: Affine, x: float, y: float, angle: float) -> Affine:
    """Return the map from the coordinates of a body at (x, y, angle) to the picture."""
    a, b, c, d, e, f = camera
    cosine, sine = math.cos(angle), math.sin(angle)
    return (
        a * cosine + b * sine,
        b * cosine - a * sine,
        a * x + b * y + c,
        d * cosine + e * sine,
        e * cosine - d * sine,
        d * x + e * y + f,
    )


@compiled
def _put(x: float, y: float, to_screen: Affine, corners: Reals, polygon: int, corner: int) -> None:
    """Set one corner of a polygon: to the screen, cut down to integers, flipped."""
    a, b, c, d, e, f = to_screen
    corners[polygon, 0, corner] = np.trunc(a * x + b * y + c)
    corners[polygon, 1, corner] = WINDOW_HEIGHT - 1 - np.trunc(d * x + e * y + f)


@compiled
def _in_view(x: float, y: float, margin: float, camera: Affine) -> bool:
    """Tell whether (x, y) shows above the bar, or at most `margin` pixels away."""
    a, b, c, d, e, f = camera
    across, up = a * x + b * y + c, d * x + e * y + f
    low, high = BAR_HEIGHT - margin, WINDOW_HEIGHT + margin
    return -margin < across < WINDOW_WIDTH + margin and low < up < high


@compiled
def _ground(camera: Affine, state: Reals, corners: Reals, colors: Integers) -> int:
    """List the field and the lighter patches in view, on every line from left to right; return how many."""
    for k in range(4):
        x, y = (PLAYFIELD if k < 2 else -PLAYFIELD), (PLAYFIELD if k % 3 == 0 else -PLAYFIELD)
        _put(x, y, camera, corners, 0, k)
    colors[0] = BACKGROUND
    count = 1
    half = PATCH / 2
    zoom = math.hypot(camera[0], camera[1])
    sight = FARTHEST / zoom + PATCH
    right, up = (1 if camera[0] > 0.0 else -1), (1 if camera[1] > 0.0 else -1)
    for i in range(PATCHES):
        x = PATCH * right * (2 * i - PATCHES + 1) - half
        if abs(x - state[HULL_X]) > sight:
            continue
        for j in range(PATCHES):
            y = PATCH * up * (2 * j - PATCHES + 1) - half
            if abs(y - state[HULL_Y]) < sight and _in_view(x, y, PATCH * zoom, camera):
                for k in range(4):
                    dx, dy = (half if k % 3 == 0 else -half), (half if k >= 2 else -half)
                    _put(x + dx, y + dy, camera, corners, count, k)
                colors[count] = GRASS
                count += 1
    return count


@compiled
def _road(
    camera: Affine,
    road: Reals,
    paints: Integers,
    shades: Reals,
    corners: Reals,
    colors: Integers,
    count: int,
) -> int:
    """Append the tiles and kerbs in view; return how many polygons there are then."""
    margin = TILE_REACH * math.hypot(camera[0], camera[1])
    for i in range(road.shape[0]):
        # The middle of a diagonal lies near the center of a tile.
        x, y = 0.5 * (road[i, 0, 0] + road[i, 2, 0]), 0.5 * (road[i, 0, 1] + road[i, 2, 1])
        if _in_view(x, y, margin, camera):
            for k in range(4):
                _put(road[i, k, 0], road[i, k, 1], camera, corners, count, k)
            visited = ROAD < paints[i] < WHITE and shades[i, 0] == shades[0, 0]
            colors[count] = ROAD if visited else paints[i]
            count += 1
    return count


@compiled
def _wheel(
    to_screen: Affine,
    phase: float,
    width: float,
    radius: float,
    corners: Reals,
    colors: Integers,
    count: int,
) -> int:
    """Append a wheel and the painted part of its tread that faces up; return how many polygons there are then."""
    for k in range(4):
        _put(width if 0 < k < 3 else -width, radius if k < 2 else -radius, to_screen, corners, count, k)
    colors[count] = BLACK
    back_sine, front_sine = math.sin(phase), math.sin(phase + RIM_ARC)
    if back_sine > 0.0 and front_sine > 0.0:
        return count + 1
    back, front = math.cos(phase), math.cos(phase + RIM_ARC)
    back = np.sign(back) if back_sine > 0.0 else back
    front = np.sign(front) if front_sine > 0.0 else front
    for k in range(4):
        y = radius * (back if k < 2 else front)
        _put(width if 0 < k < 3 else -width, y, to_screen, corners, count + 1, k)
    colors[count + 1] = RIM
    return count + 2


@compiled
def draw_scene(
    state: Reals,
    road: Reals,
    paints: Integers,
    shades: Reals,
    hull: Reals,
    hull_sizes: Integers,
    wheel: Reals,
    corners: Reals,
    sizes: Integers,
    colors: Integers,
) -> int:
    """Fill the list of polygons for one moment and return how many there are.

    state (STATE_SIZE,); road (n, 4, 2) tiles and kerbs in the world, `paints` (n,) their colors and `shades` (n, 3)
    the tiles' present colors; hull (4, 8, 2), hull_sizes (4,) and wheel (2,), half width and radius, in the
    coordinates of their bodies. Out: corners (>= n + BESIDES_ROAD, 2, 8), sizes, colors.
    """
    camera = _camera(state)
    count = _ground(camera, state, corners, colors)
    count = _road(camera, road, paints, shades, corners, colors, count)
    for i in range(4):
        at = WHEELS + i * PER_WHEEL
        to_screen = _body_to_screen(camera, state[at], state[at + 1], state[at + 2])
        count = _wheel(to_screen, state[at + 3], wheel[0], wheel[1], corners, colors, count)
    sizes[:count] = 4
    to_screen = _body_to_screen(camera, state[HULL_X], state[HULL_Y], state[HULL_ANGLE])
    for i in range(4):
        for k in range(hull_sizes[i]):
            _put(hull[i, k, 0], hull[i, k, 1], to_screen, corners, count, k)
        sizes[count] = hull_sizes[i]
        colors[count] = BODY
        count += 1
    return count
