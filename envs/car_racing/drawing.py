"""From a CarRacing environment to its 96x96 observation: what the kernels read, and the calls of them.

`car_racing_scene` lists the polygons of a moment, `car_racing_raster` and `car_racing_bar` make the pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hebbevo.envs.car_racing import bar, scene
from hebbevo.envs.car_racing.raster import HEIGHT, MAX_CORNERS, WIDTH, Canvas, pack_colour, rasterise

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
        self._colours = np.zeros(size, np.int32)

    def set_track(self, env: CarRacing) -> None:
        """Take over the polygons of a new track.

        The contact listener repaints a tile in place, through `tile.color`, which is also the colour in
        `env.road_poly`: both become rows of one array, which the kernel reads.
        """
        self.polygons = env.road_poly
        self._road = np.array([corners for corners, _ in env.road_poly])
        self._paints = np.zeros(len(self._road), np.int32)
        self._shades = np.zeros((len(self._road), 3))
        road: Any = env.road
        tiles = iter(road)
        for i, (corners, colour) in enumerate(env.road_poly):
            if isinstance(colour, tuple):
                self._paints[i] = scene.WHITE if colour[1] else scene.RED
            else:
                tile = next(tiles)
                self._paints[i] = scene.ROAD + tile.idx % 3
                tile.color = self._shades[i]
                env.road_poly[i] = (corners, tile.color)
        if len(self._colours) < len(self._road) + scene.BESIDES_ROAD:
            self._set_size(len(self._road))
        self.repaint(env)

    def repaint(self, env: CarRacing) -> None:
        """Give every tile the colour it has before it is visited, from the colours of `env`."""
        roads = np.array([env.road_color + 0.01 * shade * 255 for shade in range(3)])
        tiles = self._paints < scene.WHITE
        self._shades[tiles] = roads[self._paints[tiles] - scene.ROAD]
        kerbs, car = ((255, 255, 255), (255, 0, 0)), ((204, 0, 0), (77, 77, 77))
        colours = np.array([(0, 0, 0), env.bg_color, env.grass_color, *roads, *kerbs, *car]).astype(np.int64)
        self._palette[:] = [pack_colour(*colour) for colour in colours.tolist()]

    def draw(self, env: CarRacing) -> Image:
        """Return the observation (96, 96, 3) of this moment."""
        car = env.car
        assert car is not None
        hull = car.hull
        place, velocity = hull.position, hull.linearVelocity
        state = [place.x, place.y, hull.angle, env.t]
        for wheel in car.wheels:
            place = wheel.position
            state += (place.x, place.y, wheel.angle, wheel.phase)
        self._state[:] = state
        self._readings[bar.SPEED] = math.hypot(velocity.x, velocity.y)
        self._readings[bar.WHEELS : bar.STEERING] = [wheel.omega for wheel in car.wheels]
        self._readings[bar.STEERING] = car.wheels[0].joint.angle
        self._readings[bar.SPIN] = hull.angularVelocity
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
            self._colours,
        )
        canvas = self._canvas
        rasterise(
            self._corners,
            self._sizes,
            self._colours,
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
