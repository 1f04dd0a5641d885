"""The study of generalisation: every genome on every body, beside its controls, with the same lifetime seeds.

After Najarro & Risi 2020 (arXiv 2007.02686), whose plastic networks were put on a leg damage never seen in
evolution beside static ones; with the statistics of Agarwal et al. 2021 (see `hebbevo.evaluation.statistics`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from hebbevo.execution.execution import Execution
from hebbevo.genomes.genome import Genome
from hebbevo.studies.arms import Genomes
from hebbevo.studies.directory import StoredStudy, open_study
from hebbevo.studies.files import write_csv, write_tables
from hebbevo.studies.generalization.arm_tables import arms_table
from hebbevo.studies.generalization.plan import DEFAULT_EPISODES, Plan, make_plan
from hebbevo.studies.generalization.results import Results, kept_results, run_plan
from hebbevo.studies.generalization.tables import lifetimes_table, statistics_table
from hebbevo.studies.runner import Watch

if TYPE_CHECKING:
    import pyarrow as pa


KIND: Final = "generalize"


@dataclass(frozen=True)
class Generalization:
    """A finished study.

    Attributes:
        path: its directory.
        plan: genomes, bodies and conditions.
        lifetimes: a row per lifetime, as in ``lifetimes.parquet``.
        table: statistics per group and per body, as in ``table.csv``.
        arms: the same of arms over their runs, as in ``arms.csv``; no row where there is no arm.
    """

    path: Path
    plan: Plan
    lifetimes: pa.Table
    table: pa.Table
    arms: pa.Table

    def __repr__(self) -> str:
        genomes, bodies = len(self.plan.genomes), len(self.plan.morphologies)
        return f"Generalization({str(self.path)!r}: {genomes} genomes on {bodies} bodies)"


def generalize(
    genomes: Genomes,
    out: str | Path,
    *,
    morphologies: Sequence[str] | None = None,
    episodes: int = DEFAULT_EPISODES,
    seed: int = 1,
    baseline: Genome | str | None = None,
    metric: str | None = None,
    controls: bool = True,
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> Generalization:
    """Evaluate every genome on every body, and write tables, figures and a report.

    Args:
        genomes: of one environment; they may have other rules, networks and bodies seen in evolution. In a mapping
            they stand by label, and a label with several is an arm, whose statistics are over runs too.
        out: directory to make, or that of the same study, which goes on.
        morphologies: by default the named bodies, those that a genome evolved on, and the test split.
        episodes: lifetimes per genome, condition and body, full length, no early stop.
        seed: the lifetimes' seeds follow from it; they, and the results, are those of `evaluate`.
        baseline: what the genomes are compared with, itself or its label; by default the first static one among them,
            else a shipped static genome of the same environment, if there is one.
        metric: what stands for the fitness: ``metres`` of a robot of your own whose reward is another.
        controls: whether the genomes stand beside their controls, which take three times as long as they.
        execution: what the lifetimes are spread over; by default this process. It changes no result.
        watch: told of the progress.

    Raises:
        InputError, EnvError: something cannot be studied, or `out` is something else; nothing has been computed.
    """
    plan = make_plan(genomes, morphologies, episodes, seed, baseline, metric, controls)
    with open_study(out, KIND, plan.settings(), plan.genomes) as study:
        return _write(study.path, plan, run_plan(plan, study, execution or Execution(workers=0), watch))


def redraw(study: StoredStudy) -> Generalization:
    """Write tables, figures and report of a finished study again; see `hebbevo.studies.running.redraw`."""
    plan = Plan.of(study)
    return _write(study.path, plan, kept_results(plan, study))


def _write(folder: Path, plan: Plan, results: Results) -> Generalization:
    from hebbevo.studies.generalization.figures import draw_figures
    from hebbevo.studies.generalization.report import write_study_report

    lifetimes, table = lifetimes_table(plan, results), statistics_table(plan, results)
    write_tables(folder, "lifetimes", lifetimes)
    write_csv(folder, "table", table)
    arms = arms_table(plan, results)
    if plan.arms:
        write_csv(folder, "arms", arms)
    figures = draw_figures(folder, plan, table, arms)
    write_study_report(folder / "report.html", plan, table, arms, figures)
    return Generalization(folder, plan, lifetimes, table, arms)
