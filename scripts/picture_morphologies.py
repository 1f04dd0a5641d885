#!/usr/bin/env python3
"""Draw every body into one contact sheet, standing after its burn-in.

    scripts/picture_morphologies.py FILE.png [--env quadruped dog] [--only NAME ...] [--columns N]

Drawing needs EGL or OSMesa. The camera looks from the front right and above, always from the same distance, so that
sizes compare. Sloping ground is drawn as it slopes.
"""

from __future__ import annotations

import argparse
import textwrap
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from PIL import Image, ImageDraw

from hebbevo.envs import MORPHOLOGIES
from hebbevo.envs.morphologies.catalogue import get_morphology
from hebbevo.envs.robots.compiling import robots
from hebbevo.envs.robots.walker import BatchedQuadruped
from hebbevo.rendering.layout import Picture
from hebbevo.rendering.offscreen import OffscreenRenderer

WIDTH, HEIGHT, CAPTION = 240, 180, 44
DISTANCE = {"quadruped": 3.0, "dog": 1.35}


def main() -> None:
    """Draw the sheet that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--env", nargs="+", default=["quadruped", "dog"], choices=["quadruped", "dog"])
    parser.add_argument("--only", nargs="+", default=list(MORPHOLOGIES), metavar="NAME")
    parser.add_argument("--columns", type=int, default=12)
    options = parser.parse_args()
    tiles = [
        (f"{env} {name}", about(name), picture(env, name)) for env in options.env for name in options.only
    ]
    sheet(tiles, options.columns).save(options.file)
    print(f"{len(tiles)} bodies in {options.file}")


def about(body: str) -> str:
    """Return a body's description, cut to at most two lines."""
    return textwrap.shorten(get_morphology(body).description, 84, placeholder="...")


def picture(env: str, body: str) -> Picture:
    """Draw one body."""
    batch = BatchedQuadruped(robots()[env](name=env, morphologies=(body,)), 1)
    batch.reset([1], [body])
    pose = batch.position(0)
    with closing(OffscreenRenderer(batch.model(0), WIDTH, HEIGHT)) as renderer:
        look_at = (pose[0], pose[1], 0.75 * pose[2])
        return renderer.draw(pose, distance=DISTANCE[env], angles=(150, -45), look_at=look_at)


def sheet(tiles: Sequence[tuple[str, str, Picture]], columns: int) -> Image.Image:
    """Paste pictures and their names row by row."""
    rows = -(-len(tiles) // columns)
    image = Image.new("RGB", (columns * WIDTH, rows * (HEIGHT + CAPTION)), "white")
    pen = ImageDraw.Draw(image)
    for number, (name, description, pixels) in enumerate(tiles):
        left, top = (number % columns) * WIDTH, (number // columns) * (HEIGHT + CAPTION)
        image.paste(Image.fromarray(pixels), (left, top + CAPTION))
        pen.text((left + 4, top + 2), name, fill="black", font_size=13)
        pen.text((left + 4, top + 18), textwrap.fill(description, 44), fill="gray", font_size=10, spacing=1)
    return image


if __name__ == "__main__":
    main()
