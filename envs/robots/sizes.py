"""Sizes of a quadruped's observation, apart from the compiled code that fills it."""

from __future__ import annotations

from typing import Final

FEET: Final = 4
TORSO_SIZE: Final = 8
"""Numbers about the torso, which come first."""


def observation_size(joints: int) -> int:
    """Return how many numbers a quadruped with this many joints senses."""
    return TORSO_SIZE + 2 * joints + FEET
