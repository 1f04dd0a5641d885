"""Other measures of a lifetime than its fitness, in units of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Metric:
    """A measure that follows from the fitness, or that the environment takes (`BatchedEnvironment.measures`).

    Attributes:
        of: function of the fitness, or of what the environment measures.
        label: heading of its column in tables for people.
        meaning: in a few words, for reports.
        decimals: that tables for people show.
        measured: whether the environment measures it.
        quantity: its name on axes, where it is measured.
        unit: of that.
    """

    of: Callable[[float], float]
    label: str
    meaning: str
    decimals: int = 0
    measured: bool = False
    quantity: str = ""
    unit: str = ""
