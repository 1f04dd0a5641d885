"""All figures of a study of perturbations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hebbevo.io.figures import write_figure
from hebbevo.studies.perturbation.freeze_figure import draw_freeze
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan
from hebbevo.studies.perturbation.records import Recorded
from hebbevo.studies.perturbation.speed_figure import draw_speed
from hebbevo.studies.perturbation.tables import StudyTables
from hebbevo.studies.perturbation.weight_figures import draw_trajectories, draw_weight_speed, draw_weights


def draw_figures(folder: Path, plan: Plan, recorded: Recorded, tables: StudyTables) -> dict[str, Path]:
    """Draw what there is data for, of an arm its first genome, as PNG files in `folder`; return them by name."""
    if plan.arms:
        plan, tables = _of_drawn(plan, tables)
    events = [p for p in plan.protocols if p.frozen_at is None and p.name != UNPERTURBED]
    drawings = {
        "speed": draw_speed(plan, tables, events) if events else None,
        "freeze": draw_freeze(plan, recorded, tables) if tables.freeze.num_rows else None,
        "weights": draw_weights(plan, recorded, events),
        "trajectories": draw_trajectories(plan, tables) if tables.components else None,
        "weight_speed": draw_weight_speed(plan, tables) if tables.components else None,
    }
    paths = {}
    for name, figure in drawings.items():
        if figure is not None:
            paths[name] = folder / f"{name}.png"
            write_figure(figure, paths[name], dpi=130)
    return paths


def _of_drawn(plan: Plan, tables: StudyTables) -> tuple[Plan, StudyTables]:
    """Return a study of those genomes alone that are drawn."""
    import pyarrow as pa
    from pyarrow import compute as pc

    names = [genome.name for genome in plan.drawn]
    rows = {name: getattr(tables, name) for name in ("table", "freeze", "speed")}
    kept = {name: table.filter(pc.is_in(table["genome"], pa.array(names))) for name, table in rows.items()}
    return replace(plan, genomes=plan.drawn), replace(tables, **kept)
