"""A scripted driver for CarRacing that knows the track: laps on demand for tests, benchmarks and figures."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

LOOK_AHEAD = 5  # tiles, of 3.5 world units each
BRAKE_AHEAD = 14
FASTEST, SLOWEST = 90.0, 40.0  # world units a second


def drive(env: Any) -> npt.NDArray[np.float32]:
    """Return an action (steering, gas, brake) that follows the track of a CarRacing environment.

    `env` is the unwrapped environment, Gymnasium's or `FastCarRacing`.
    """
    track = np.array(env.track)[:, 1:]
    hull = env.car.hull
    position = np.array([hull.position.x, hull.position.y])
    nearest = int(np.argmin(((track[:, 1:] - position) ** 2).sum(1)))
    aim = track[(nearest + LOOK_AHEAD) % len(track), 1:] - position
    # The hull points along its y axis; a positive error means that the aim lies to the left.
    error = _wrapped(math.atan2(aim[1], aim[0]) - hull.angle - math.pi / 2)
    bend = abs(_wrapped(track[(nearest + BRAKE_AHEAD) % len(track), 0] - track[nearest, 0]))
    wanted = max(SLOWEST, FASTEST - 60.0 * bend)
    speed = math.hypot(hull.linearVelocity.x, hull.linearVelocity.y)
    gas = 0.6 if speed < wanted and abs(error) < 0.5 else 0.05
    brake = 0.3 if speed > wanted + 4.0 else 0.0
    return np.array([np.clip(-2.0 * error, -1.0, 1.0), gas, brake], np.float32)


def _wrapped(angle: float) -> float:
    """Return `angle` between -pi and pi."""
    return (angle + math.pi) % (2 * math.pi) - math.pi
