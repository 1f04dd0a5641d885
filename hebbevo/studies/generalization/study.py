"""The study of generalisation: every genome on every body, beside its controls, with the same lifetime seeds.

After Najarro & Risi 2020 (arXiv 2007.02686), whose plastic networks were put on a leg damage never seen in
evolution beside static ones; with the statistics of Agarwal et al. 2021 (see `hebbevo.evaluation.statistics`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hebbevo.evaluation.evaluation import evaluate_conditions
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.genomes.genome import Genome
from hebbevo.seeding import SeedPurpose
from hebbevo.studies.files import study_directory, write_csv, write_tables
from hebbevo.studies.generalization.plan import DEFAULT_EPISODES, Plan, make_plan
from hebbevo.studies.generalization.tables import Lived, lifetimes_table, statistics_table

if TYPE_CHECKING:
    import pyarrow as pa

Watch = Callable[[int, int], None]
"""Called with the number of lifetimes done and of all."""

_ROUND = 8
"""Pieces of work per worker between two calls of `Watch`."""


@dataclass(frozen=True)
class Generalization:
    """A finished study.

    Attributes:
        path: its directory.
        plan: who lived where.
        lifetimes: a row per lifetime, as in ``lifetimes.parquet``.
        table: statistics per group and per body, as in ``table.csv``.
    """

    path: Path
    plan: Plan
    lifetimes: pa.Table
    table: pa.Table


def generalize(
    genomes: Sequence[Genome],
    out: str | Path,
    *,
    morphologies: Sequence[str] | None = None,
    episodes: int = DEFAULT_EPISODES,
    seed: int = 1,
    baseline: Genome | None = None,
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> Generalization:
    """Live every genome on every body, and write tables, figures and a report.

    Args:
        genomes: of one environment; they may have other rules, networks and bodies seen in evolution.
        out: directory to make.
        morphologies: by default the named bodies, those that a genome evolved on, and the test split.
        episodes: lifetimes per genome, condition and body, full length, no early stop.
        seed: the lifetimes' seeds follow from it; they, and the results, are those of `evaluate`.
        baseline: what the genomes are compared with; by default the first static one among them, else a shipped
            static genome of the same environment, if there is one.
        execution: where the lifetimes are lived; by default in this process. It changes no result.
        watch: told of the progress.

    Raises:
        InputError, EnvError: something cannot be studied, or `out` exists; nothing has been computed.
    """
    from hebbevo.studies.generalization.figures import draw_figures
    from hebbevo.studies.generalization.report import write_study_report

    plan = make_plan(genomes, morphologies, episodes, seed, baseline)
    with study_directory(out) as folder:
        lived = rollout(plan, execution or Execution(workers=0), watch)
        lifetimes, table = lifetimes_table(plan, lived), statistics_table(plan, lived)
        write_tables(folder, "lifetimes", lifetimes)
        write_csv(folder, "table", table)
        write_study_report(folder / "report.html", plan, table, draw_figures(folder, plan, table))
    return Generalization(Path(out), plan, lifetimes, table)


def rollout(plan: Plan, execution: Execution, watch: Watch | None = None) -> Lived:
    """Live all lifetimes of a study."""
    conditions = {genome.name: plan.conditions(genome) for genome in plan.genomes}
    done, each = 0, len(plan.morphologies) * plan.episodes
    total = sum(map(len, conditions.values())) * each
    lived: Lived = {}
    for genome in plan.genomes:
        lived[genome.name], mine = {}, conditions[genome.name]
        resolved = execution.resolve(genome.task)
        batch_size = resolved.batch_size
        with executor_for(resolved) as executor:
            pieces_a_body = len(mine) * -(-plan.episodes // batch_size)
            for bodies in _rounds(plan.morphologies, -(-_ROUND * executor.workers // pieces_a_body)):
                key = (plan.seed, SeedPurpose.EVALUATION)
                lived[genome.name] |= evaluate_conditions(
                    executor, genome.values, key, bodies, mine, plan.episodes, batch_size
                )
                done += len(bodies) * len(mine) * plan.episodes
                if watch is not None:
                    watch(done, total)
    return lived


def _rounds(bodies: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(bodies), size):
        yield bodies[start : start + size]
