#!/usr/bin/env python3
"""Draw frames of Gymnasium's CarRacing, ours, and eight times the difference, side by side and four times enlarged.

`hebbevo bench --only car_racing` measures how fast ours are.

Example: `scripts/picture_car_racing.py car.png`
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from gymnasium.envs.box2d.car_racing import CarRacing
from PIL import Image

from hebbevo.envs.car_racing.driver import drive
from hebbevo.envs.car_racing.environment import FastCarRacing

FIGURE_STEPS = (0, 25, 70, 160, 300)


def save_picture(path: Path, sub_rows: int) -> None:
    """Save rows of (Gymnasium's frame, ours, difference times eight)."""
    reference, fast = CarRacing(), FastCarRacing(sub_rows=sub_rows)
    rows = []
    for seed in (0, 3):
        frames = [(reference.reset(seed=seed)[0], fast.reset(seed=seed)[0])]
        for _ in range(max(FIGURE_STEPS)):
            action = drive(fast)
            frames.append((reference.step(action)[0], fast.step(action)[0]))
        for expected, ours in (frames[step] for step in FIGURE_STEPS):
            difference = np.clip(8 * np.abs(ours.astype(int) - expected), 0, 255).astype(np.uint8)
            rows.append(np.hstack([expected, ours, difference]))
    picture = np.vstack(
        [np.hstack(pair) for pair in zip(rows[: len(rows) // 2], rows[len(rows) // 2 :], strict=True)]
    )
    Image.fromarray(picture.repeat(4, axis=0).repeat(4, axis=1)).save(path)


def main() -> None:
    """Parse the command line and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("picture", type=Path)
    parser.add_argument("--sub-rows", type=int, default=4)
    options = parser.parse_args()
    save_picture(options.picture, options.sub_rows)


if __name__ == "__main__":
    main()
