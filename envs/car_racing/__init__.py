"""CarRacing from pixels, with a fast drawing. `FastCarRacing`, which needs Box2D, is imported when it is first used."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hebbevo.envs.entry_points import load

if TYPE_CHECKING:
    from hebbevo.envs.car_racing.environment import FastCarRacing

__all__ = ["FastCarRacing"]


def __getattr__(name: str) -> Any:
    """Import Box2D's environment when it is first used."""
    if name != "FastCarRacing":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return load("hebbevo.envs.car_racing.environment:FastCarRacing")
