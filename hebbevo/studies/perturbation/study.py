"""The study of perturbations: every genome through every protocol, beside unperturbed twins with the same seeds.

After Najarro & Risi 2020 (arXiv 2007.02686): the freeze curve, saturated actuators, a third of the weights zeroed,
and weight trajectories, those of evolved rules beside those of random ones.
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
from hebbevo.studies.perturbation.plan import DEFAULT_EPISODES, Plan, make_plan
from hebbevo.studies.perturbation.records import Recorded
from hebbevo.studies.perturbation.results import kept_records, run_plan
from hebbevo.studies.perturbation.tables import make_tables
from hebbevo.studies.runner import Watch

if TYPE_CHECKING:
    import pyarrow as pa


KIND: Final = "perturb"


@dataclass(frozen=True)
class PerturbationStudy:
    """A finished study: its directory, its plan, and statistics as in ``table.csv`` and ``arms.csv``."""

    path: Path
    plan: Plan
    table: pa.Table
    arms: pa.Table

    def __repr__(self) -> str:
        genomes, protocols = len(self.plan.genomes), len(self.plan.protocols) - 1
        return f"PerturbationStudy({str(self.path)!r}: {genomes} genomes, {protocols} protocols)"


def perturb(
    genomes: Genomes,
    out: str | Path,
    *,
    protocols: Sequence[str] | None = None,
    morphologies: Sequence[str] | None = None,
    episodes: int = DEFAULT_EPISODES,
    seed: int = 1,
    metric: str | None = None,
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> PerturbationStudy:
    """Replay every genome under every protocol, and write tables, figures and a report.

    Args:
        genomes: of one environment; their own perturbations, if they evolved with some, are left out. In a mapping they
            stand by label, and a label with several is an arm, whose statistics are over runs too.
        out: directory to make, or that of the same study, which goes on.
        protocols: perturbations in the short form, or YAML files; by default the published protocols.
        morphologies: bodies that lifetimes start with; by default the first one that the first genome evolved on.
        episodes: lifetimes per genome, body and protocol, full length, no early stop.
        seed: the lifetimes' seeds follow from it; the unperturbed ones are those of `evaluate`.
        metric: what stands for the fitness: ``metres`` of a robot of your own whose reward is another.
        execution: what the lifetimes are spread over; by default this process. It changes no result.
        watch: told of the progress.

    Raises:
        InputError, EnvError: something cannot be studied, or `out` is something else; nothing has been computed.
    """
    plan = make_plan(genomes, protocols, morphologies, episodes, seed, metric)
    with open_study(out, KIND, plan.settings(), plan.genomes) as study:
        return _write(study.path, plan, run_plan(plan, study, execution or Execution(workers=0), watch))


def redraw(study: StoredStudy) -> PerturbationStudy:
    """Write tables, figures and report of a finished study again; see `hebbevo.studies.running.redraw`."""
    plan = Plan.of(study)
    return _write(study.path, plan, kept_records(plan, study))


def _write(folder: Path, plan: Plan, recorded: Recorded) -> PerturbationStudy:
    from hebbevo.studies.perturbation.figures import draw_figures
    from hebbevo.studies.perturbation.report import write_study_report

    tables = make_tables(plan, recorded)
    write_tables(folder, "lifetimes", tables.lifetimes)
    for name in ("table", "arms", "freeze", "speed", "trajectories", "weight_speed"):
        if (table := getattr(tables, name)).num_rows:
            write_csv(folder, name, table)
    figures = draw_figures(folder, plan, recorded, tables)
    write_study_report(folder / "report.html", plan, tables, figures)
    return PerturbationStudy(folder, plan, tables.table, tables.arms)
