"""The study of learning: what a network gets better at within a lifetime, trial by trial, and what that depends on.

Every lifetime has a twin with the same seed under each control: the rule off, coefficients shuffled, weights frozen
from a trial on, rewards that are withheld or another lifetime's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hebbevo.execution.execution import Execution
from hebbevo.studies.arms import Genomes
from hebbevo.studies.directory import StoredStudy, open_study
from hebbevo.studies.files import write_csv, write_tables
from hebbevo.studies.learning.plan import DEFAULT_EPISODES, Plan, make_plan
from hebbevo.studies.learning.results import Records, kept_records, run_plan
from hebbevo.studies.learning.special import SPECIAL
from hebbevo.studies.learning.tables import make_tables
from hebbevo.studies.runner import Watch

if TYPE_CHECKING:
    import pyarrow as pa

KIND: Final = "learning"


@dataclass(frozen=True)
class LearningStudy:
    """A finished study.

    Attributes:
        path: its directory.
        plan: genomes, tasks and conditions.
        table: statistics of whole lifetimes, as in ``table.csv``.
        arms: the same of arms over their runs, as in ``arms.csv``; no row where there is no arm.
        curve: scores by trial, as in ``curve.csv``.
    """

    path: Path
    plan: Plan
    table: pa.Table
    arms: pa.Table
    curve: pa.Table

    def __repr__(self) -> str:
        return f"LearningStudy({str(self.path)!r}: {len(self.plan.genomes)} genomes of {self.plan.env.name})"


def learning(
    genomes: Genomes,
    out: str | Path,
    *,
    freezes: Sequence[int] | None = None,
    morphologies: Sequence[str] | None = None,
    episodes: int = DEFAULT_EPISODES,
    seed: int = 1,
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> LearningStudy:
    """Replay genomes of a learning task beside controls, and write tables, figures and a report.

    Args:
        genomes: of one learning task; perturbations that they evolved with are left out. In a mapping they stand by
            label, and a label with several is an arm, whose statistics are over runs too.
        out: directory to make, or that of the same study, which goes on.
        freezes: trials from which on weights are frozen; by default a tenth and half of a lifetime's.
        morphologies: tasks of a world that has several; by default those that the first genome evolved on.
        episodes: lifetimes per genome, task and condition, full length.
        seed: the lifetimes' seeds follow from it; they are those of `evaluate`.
        execution: what the lifetimes are spread over; by default this process. It changes no result.
        watch: told of the progress.

    Raises:
        InputError, EnvError: something cannot be studied, or `out` is something else; nothing has been computed.
    """
    plan = make_plan(genomes, morphologies, freezes, episodes, seed)
    with open_study(out, KIND, plan.settings(), plan.genomes) as study:
        return _write(study.path, plan, run_plan(plan, study, execution or Execution(workers=0), watch))


def redraw(study: StoredStudy) -> LearningStudy:
    """Write tables, figures and report of a finished study again; see `hebbevo.studies.running.redraw`."""
    plan = Plan.of(study)
    return _write(study.path, plan, kept_records(plan, study))


def _write(folder: Path, plan: Plan, records: Records) -> LearningStudy:
    from hebbevo.studies.learning.figures import draw_figures
    from hebbevo.studies.learning.report import write_study_report

    tables = make_tables(plan, records)
    write_tables(folder, "lifetimes", tables.lifetimes)
    for name in ("table", "arms", "curve", "phases", "changes"):
        if (table := getattr(tables, name)).num_rows:
            write_csv(folder, name, table)
    if special := SPECIAL.get(plan.env.name):
        write_csv(folder, special.name, tables.special)
    figures = draw_figures(folder, plan, records, tables)
    write_study_report(folder / "report.html", plan, tables, figures)
    return LearningStudy(folder, plan, tables.table, tables.arms, tables.curve)
