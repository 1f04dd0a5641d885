"""What a study of learning says of single worlds beyond trials and phases: one entry each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.results import Records
from hebbevo.studies.learning.retention import RETENTION_TEXT, draw_retention, retention_table
from hebbevo.studies.learning.stay import STAY_TEXT, draw_stay, stay_table

if TYPE_CHECKING:
    import pyarrow as pa
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Special:
    """A table and a figure of one world.

    Attributes:
        name: of their files.
        heading: of their part of the report.
        text: below it.
        table: makes the one,
        draw: the other, of it.
    """

    name: str
    heading: str
    text: str
    table: Callable[[Plan, Records], pa.Table]
    draw: Callable[[Plan, pa.Table], Figure]


SPECIAL: Final[Mapping[str, Special]] = {
    "seasons": Special("retention", "Retention", RETENTION_TEXT, retention_table, draw_retention),
    "two_step": Special("stay", "Stay probabilities", STAY_TEXT, stay_table, draw_stay),
}
"""By `env.name`."""
