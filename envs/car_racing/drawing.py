"""From a CarRacing environment to its 96x96 observation: the arrays that the kernels read, and their calls.

`scene` lists the polygons of a moment, `raster` and `bar` make the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hebbevo.envs.car_racing import bar, scene
from hebbevo.envs.car_racing.raster import HEIGHT, MAX_CORNERS, WIDTH, Canvas, pack_color, rasterise

if TYPE_CHECKING:
    from gymnasium.envs.box2d.car_racing import CarRacing

Image = npt.NDArray[np.uint8]
Polygon = Sequence[tuple[float, float]]


class Drawing:
    """The track's polygons, the car's shape and scratch memory, for one environment."""

    def __init__(
        self, sub_rows: int, hull: Sequence[Polygon], wheel: tuple[float, float], unit: float
    ) -> None:
        """Prepare for a car whose four `hull` polygons and wheels (half width, radius) are in `unit`s."""
        self._canvas = Canvas(sub_rows)
        self._state = np.zeros(scene.STATE_SIZE)
        self._readings = np.zeros(bar.READINGS)
        self._bar = np.zeros((bar.ROWS, bar.WIDTH, 3))
        self._palette = np.zeros(scene.PALETTE_SIZE, np.int64)
        self._wheel = np.array(wheel) * unit
        self._hull = np.zeros((4, MAX_CORNERS, 2))
        self._hull_sizes = np.array([len(part) for part in hull], np.int32)
        for i, part in enumerate(hull):
            self._hull[i, : len(part)] = np.array(part) * unit
        self.polygons: list[Any] = []
        self._set_size(0)

    def _set_size(self, polygons: int) -> None:
        size = polygons + scene.BESIDES_ROAD
        self._corners = np.zeros((size, 2, MAX_CORNERS))
        self._sizes = np.zeros(size, np.int32)
        self._colors = np.zeros(size, np.int32)

    def set_track(self, env: CarRacing) -> None:
        """Read the polygons of a new track.

        The contact listener repaints a tile in place, through `tile.color`, which is also the color in
        `env.road_poly`: both become rows of one array, which the kernel reads.
        """
        self.polygons = env.road_poly
        self._road = np.array([corners for corners, _ in env.road_poly])
        self._paints = np.zeros(len(self._road), np.int32)
        self._shades = np.zeros((len(self._road), 3))
        road: Any = env.road
        tiles = iter(road)
        for i, (corners, color) in enumerate(env.road_poly):
            if isinstance(color, tuple):
                self._paints[i] = scene.WHITE if color[1] else scene.RED
            else:
                tile = next(tiles)
                self._paints[i] = scene.ROAD + tile.idx % 3
                tile.color = self._shades[i]
                env.road_poly[i] = (corners, tile.color)
        if len(self._colors) < len(self._road) + scene.BESIDES_ROAD:
            self._set_size(len(self._road))
        self.repaint(env)

    def repaint(self, env: CarRacing) -> None:
        """Give every tile the color it has before it is visited, from the colors of `env`."""
        roads = np.array([env.road_color + 0.01 * shade * 255 for shade in range(3)])
        tiles = self._paints < scene.WHITE
        self._shades[tiles] = roads[self._paints[tiles] - scene.ROAD]
        kerbs, car = ((255, 255, 255), (255, 0, 0)), ((204, 0, 0), (77, 77, 77))
        colors = np.array([(0, 0, 0), env.bg_color, env.grass_color, *roads, *kerbs, *car]).astype(np.int64)
        self._palette[:] = [pack_color(*color) for color in colors.tolist()]

    def draw(self, env: CarRacing) -> Image:
        """Return the observation (96, 96, 3) of this moment."""
        car = env.car
        assert car is not None
        hull = car.hull
        position, velocity = hull.position, hull.linearVelocity
        state = [position.x, position.y, hull.angle, env.t]
        for wheel in car.wheels:
            position = wheel.position
            state += (position.x, position.y, wheel.angle, wheel.phase)
        self._state[:] = state
        self._readings[bar.SPEED] = math.hypot(velocity.x, velocity.y)
        self._readings[bar.WHEELS : bar.STEERING] = [wheel.omega for wheel in car.wheels]
        self._readings[bar.STEERING] = car.wheels[0].joint.angle
        self._readings[bar.SPIN] = hull.angularVelocity
        if not (np.isfinite(self._state).all() and np.isfinite(self._readings).all()):
            return np.zeros((HEIGHT, WIDTH, 3), np.uint8)  # no number is a place to draw at
        return self._paint(bar.reward_text(f"{env.reward:04.0f}"))

    def _paint(self, text: Image) -> Image:
        image = np.empty((HEIGHT, WIDTH, 3), np.uint8)
        polygons = scene.draw_scene(
            self._state,
            self._road,
            self._paints,
            self._shades,
            self._hull,
            self._hull_sizes,
            self._wheel,
            self._corners,
            self._sizes,
            self._colors,
        )
        canvas = self._canvas
        rasterise(
            self._corners,
            self._sizes,
            self._colors,
            polygons,
            self._palette,
            canvas.lines,
            canvas.counts,
            canvas.edges,
            canvas.spans,
            canvas.sums,
            image,
        )
        bar.draw_bar(self._readings, text, self._bar, image)
        return image
