"""All tables of a study of perturbations; their columns are described in docs/studies.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hebbevo.studies.perturbation.arm_tables import ARMS, arm_rows
from hebbevo.studies.perturbation.comparison import comparisons
from hebbevo.studies.perturbation.curve_tables import FREEZE, SPEED, freeze_row, speed_rows
from hebbevo.studies.perturbation.lifetime_tables import (
    LIFETIMES,
    STATISTICS,
    Row,
    lifetime_rows,
    statistics_row,
)
from hebbevo.studies.perturbation.plan import Plan
from hebbevo.studies.perturbation.records import Recorded
from hebbevo.studies.perturbation.weight_tables import (
    TRAJECTORIES,
    WEIGHT_SPEED,
    AllComponents,
    all_components,
    trajectory_rows,
    weight_speed_rows,
)

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True)
class StudyTables:
    """The tables of a study, and the components that one of them is made of.

    Attributes:
        lifetimes: a row per lifetime.
        table: a row per genome, body and protocol.
        arms: a row per arm, body and protocol, over its runs.
        freeze: a row per point of the freeze curve.
        speed: speed over time.
        trajectories: weights in their principal components.
        weight_speed: how far weights move in a step.
    """

    lifetimes: pa.Table
    table: pa.Table
    arms: pa.Table
    freeze: pa.Table
    speed: pa.Table
    trajectories: pa.Table
    weight_speed: pa.Table
    components: AllComponents


def make_tables(plan: Plan, recorded: Recorded) -> StudyTables:
    """Return the tables of recorded lifetimes."""
    compared = list(comparisons(plan, recorded))
    frozen = [comparison for comparison in compared if comparison.protocol.frozen_at is not None]
    components = all_components(recorded)
    further = dict.fromkeys(plan.metrics, "float64")
    return StudyTables(
        lifetimes=_table(
            LIFETIMES | further, (row for pair in compared for row in lifetime_rows(plan, pair))
        ),
        table=_table(STATISTICS | further, (statistics_row(plan, pair) for pair in compared)),
        arms=_table(ARMS | further, arm_rows(plan, compared)),
        freeze=_table(FREEZE, map(freeze_row, frozen)),
        speed=_table(SPEED, (row for pair in compared for row in speed_rows(plan, pair))),
        trajectories=_table(TRAJECTORIES, trajectory_rows(components)),
        weight_speed=_table(WEIGHT_SPEED, weight_speed_rows(recorded)),
        components=components,
    )


def _table(schema: Mapping[str, str], rows: Iterable[Row]) -> pa.Table:
    import pyarrow as pa

    return pa.Table.from_pylist(list(rows), schema=pa.schema(schema))
