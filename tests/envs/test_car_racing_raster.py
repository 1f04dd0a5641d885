"""The rasteriser against a line painted pixel by pixel, and against pygame."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hebbevo.envs.car_racing import raster
from hebbevo.envs.car_racing.scene import STATE_SIZE, TIME, draw_scene

PALETTE = np.array([raster.pack_color(*color) for color in [(0, 0, 0), (255, 255, 255), (200, 0, 60)]])


def rasterise(polygons: list[np.ndarray], colors: list[int], sub_rows: int = 4) -> np.ndarray:
    canvas = raster.Canvas(sub_rows)
    corners = np.full((len(polygons), 2, raster.MAX_CORNERS), np.nan)
    for i, polygon in enumerate(polygons):
        corners[i, :, : len(polygon)] = polygon.T
    sizes = np.array([len(polygon) for polygon in polygons], np.int32)
    image = np.full((96, 96, 3), 77, np.uint8)
    scratch = (canvas.lines, canvas.counts, canvas.edges, canvas.spans, canvas.sums)
    raster.rasterise(corners, sizes, np.array(colors, np.int32), len(polygons), PALETTE, *scratch, image)
    assert not canvas.sums.any()
    return image


spans = st.tuples(st.integers(0, raster.END), st.integers(0, raster.END), st.integers(0, 9))


@settings(max_examples=150, deadline=None)
@given(st.lists(spans, max_size=40))
def test_painting_a_line_equals_painting_every_unit(painted: list[tuple[int, int, int]]) -> None:
    lines, counts = np.zeros((1, raster.MAX_BREAKPOINTS), np.int32), np.ones(1, np.int32)
    expected = np.zeros(raster.END, int)
    for start, end, color in painted:
        raster._paint(lines, counts, np.array([[start], [end]], np.int32), 0, 1, color)
        expected[start:end] = color
    starts, colors = lines[0, : counts[0]] >> 8, lines[0, : counts[0]] & 255
    assert starts[0] == 0
    assert (np.diff(starts) > 0).all()
    np.testing.assert_array_equal(np.repeat(colors, np.diff([*starts, raster.END])), expected)


def test_a_full_line_stays_valid() -> None:
    lines, counts = np.zeros((1, raster.MAX_BREAKPOINTS), np.int32), np.ones(1, np.int32)
    for i in range(300):
        raster._paint(lines, counts, np.array([[300 * i], [300 * i + 100]], np.int32), 0, 1, 1 + i % 2)
    assert counts[0] <= raster.MAX_BREAKPOINTS
    assert (np.diff(lines[0, : counts[0]] >> 8) > 0).all()


@pytest.mark.parametrize("sub_rows", [1, 2, 4, 8])
def test_full_pixels_are_rounded_down_twice_as_in_pygame(sub_rows: int) -> None:
    everything = np.array([[-50, -50], [1050, -50], [1050, 850], [-50, 850]], float)
    image = rasterise([everything], [2], sub_rows)
    assert (image[: raster.FIELD_ROWS] == (198, 0, 58)).all()
    assert (image[raster.FIELD_ROWS :] == 77).all()
    assert (rasterise([], [])[: raster.FIELD_ROWS] == 0).all()


@pytest.mark.parametrize("seed", range(5))
def test_random_polygons_against_pygame(seed: int) -> None:
    pygame = pytest.importorskip("pygame")
    from pygame import gfxdraw

    random = np.random.default_rng(seed)
    polygons, colors = [], []
    surface = pygame.Surface((1000, 800))
    for _ in range(12):
        angles = np.sort(random.uniform(0, 2 * np.pi, random.integers(3, 9)))
        if random.random() < 0.5:
            angles = angles[::-1]
        size = random.uniform(40, 250)
        circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
        polygon = np.trunc(random.uniform([0, 0], [1000, 700]) + size * circle)
        polygons.append(polygon)
        colors.append(int(random.integers(3)))
        color = [(0, 0, 0), (255, 255, 255), (200, 0, 60)][colors[-1]]
        gfxdraw.aapolygon(surface, polygon.tolist(), color)
        gfxdraw.filled_polygon(surface, polygon.tolist(), color)
    small = pygame.transform.smoothscale(surface, (96, 96))
    official = np.transpose(pygame.surfarray.array3d(small), (1, 0, 2))[: raster.FIELD_ROWS].astype(int)
    for sub_rows, limit in ((4, 0.7), (8, 0.5)):
        image = rasterise(polygons, colors, sub_rows)[: raster.FIELD_ROWS]
        assert np.abs(image - official).mean() < limit


def test_a_flat_polygon_is_a_thin_line() -> None:
    image = rasterise([np.array([[300, 400], [500, 400], [500, 400], [300, 400]], float)], [1], 8)
    field = image[: raster.FIELD_ROWS, :, 0]
    assert field[:, :28].max() == 0
    assert field[:, 50:].max() == 0
    assert 0 < field[:, 30:47].max() < 64


def test_the_scene_holds_everything_in_view() -> None:
    """From the air, at the start of an episode, the whole playfield with all its patches is listed."""
    state = np.zeros(STATE_SIZE)
    state[TIME] = 0.0
    road = np.zeros((1, 4, 2))
    corners, sizes, colors = np.full((420, 2, 8), np.nan), np.zeros(420, np.int32), np.zeros(420, np.int32)
    hull, hull_sizes = np.zeros((4, 8, 2)), np.full(4, 4, np.int32)
    paints, shades = np.full(1, 3, np.int32), np.zeros((1, 3))
    count = draw_scene(state, road, paints, shades, hull, hull_sizes, np.ones(2), corners, sizes, colors)
    patches = corners[:count][colors[:count] == 2][:, :, :4]
    centers = patches.mean(axis=2)
    assert len(np.unique(centers, axis=0)) == len(centers)
    inside = (centers[:, 0] > 0) & (centers[:, 0] < 1000) & (centers[:, 1] > 0) & (centers[:, 1] < 700)
    # The field is 400 pixels wide and centerd 600 down; the bar hides its last 100: 15 of 20 rows, 20 columns.
    assert inside.sum() == 300
