"""The study of perturbations: every genome through every protocol, beside unperturbed twins with the same seeds.

After Najarro & Risi 2020 (arXiv 2007.02686): the freeze curve, saturated actuators, a third of the weights zeroed,
and the ways of the weights, those of evolved rules beside those of random ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.genomes.genome import Genome
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose
from hebbevo.studies.files import study_directory, write_csv, write_tables
from hebbevo.studies.genomes import is_static
from hebbevo.studies.perturbation.plan import DEFAULT_EPISODES, Plan, make_plan
from hebbevo.studies.perturbation.records import (
    EVOLVED,
    RANDOM,
    Piece,
    Record,
    Shared,
    Trajectory,
    rollout_piece,
)

if TYPE_CHECKING:
    import pyarrow as pa

Watch = Callable[[int, int], None]
"""Called with the number of lifetimes done and of all."""

TRAJECTORIES = 4
"""Lifetimes per condition whose weights are followed."""

_ROUND = 4
"""Pieces of work per worker between two calls of `Watch`."""


@dataclass(frozen=True)
class Recorded:
    """All lifetimes of a study.

    Attributes:
        records: by genome, body and protocol.
        trajectories: by genome and condition, those of lifetimes that did not diverge; static genomes have none.
    """

    records: dict[tuple[str, str, str], Record]
    trajectories: dict[tuple[str, str], tuple[Trajectory, ...]]


@dataclass(frozen=True)
class PerturbationStudy:
    """A finished study: its directory, who lived through what, and statistics as in ``table.csv``."""

    path: Path
    plan: Plan
    table: pa.Table


def perturb(
    genomes: Sequence[Genome],
    out: str | Path,
    *,
    protocols: Sequence[str] | None = None,
    morphologies: Sequence[str] | None = None,
    episodes: int = DEFAULT_EPISODES,
    seed: int = 1,
    execution: Execution | None = None,
    watch: Watch | None = None,
) -> PerturbationStudy:
    """Live every genome through every protocol, and write tables, figures and a report.

    Args:
        genomes: of one environment; their own perturbations, if they evolved with some, are left out.
        out: directory to make.
        protocols: perturbations in the short form, or YAML files; by default the published protocols.
        morphologies: bodies at birth; by default the first one that the first genome evolved on.
        episodes: lifetimes per genome, body and protocol, full length, no early stop.
        seed: the lifetimes' seeds follow from it; the unperturbed ones are those of `evaluate`.
        execution: where the lifetimes are lived; by default in this process. It changes no result.
        watch: told of the progress.

    Raises:
        InputError, EnvError: something cannot be studied, or `out` exists; nothing has been computed.
    """
    from hebbevo.studies.perturbation.figures import draw_figures
    from hebbevo.studies.perturbation.report import write_study_report
    from hebbevo.studies.perturbation.tables import StudyTables

    plan = make_plan(genomes, protocols, morphologies, episodes, seed)
    with study_directory(out) as folder:
        recorded = rollout(plan, execution or Execution(workers=0), watch)
        tables = StudyTables(plan, recorded)
        write_tables(folder, "lifetimes", tables.lifetimes)
        for name in ("table", "freeze", "speed", "trajectories", "weight_speed"):
            if (table := getattr(tables, name)).num_rows:
                write_csv(folder, name, table)
        figures = draw_figures(folder, plan, recorded, tables)
        write_study_report(folder / "report.html", plan, tables, figures)
    return PerturbationStudy(Path(out), plan, tables.table)


def rollout(plan: Plan, execution: Execution, watch: Watch | None = None) -> Recorded:
    """Live all lifetimes of a study."""
    recorded = Recorded({}, {})
    resolved = {genome.name: execution.resolve(genome.task) for genome in plan.genomes}
    pieces = {genome.name: _pieces(plan, genome, resolved[genome.name].batch_size) for genome in plan.genomes}
    done, total = 0, sum(piece.stop - piece.start for mine in pieces.values() for piece in mine)
    for genome in plan.genomes:
        mine, results = pieces[genome.name], []
        shared = Shared(genome.values, (plan.seed, SeedPurpose.EVALUATION))
        with executor_for(resolved[genome.name]) as executor:
            size = _ROUND * executor.workers
            for start in range(0, len(mine), size):
                results += executor.map(rollout_piece, shared, mine[start : start + size])
                done += sum(piece.stop - piece.start for piece in mine[start : start + size])
                if watch is not None:
                    watch(done, total)
        _sort_in(recorded, genome, mine, results)
    return recorded


def _pieces(plan: Plan, genome: Genome, batch_size: int) -> list[Piece]:
    protocols = plan.protocols_of(genome)
    spans = [(start, min(start + batch_size, plan.episodes)) for start in range(0, plan.episodes, batch_size)]
    pieces = [Piece(p, body, *span) for p in protocols for body in plan.morphologies for span in spans]
    if not is_static(genome):
        followed = min(TRAJECTORIES, plan.episodes)
        parts = [(start, min(start + batch_size, followed)) for start in range(0, followed, batch_size)]
        pieces += [
            Piece(protocols[0], plan.morphologies[0], *span, condition)
            for condition in (EVOLVED, RANDOM)
            for span in parts
        ]
    return pieces


def _sort_in(recorded: Recorded, genome: Genome, pieces: Sequence[Piece], results: Sequence[Record]) -> None:
    parts: dict[tuple[str, str, str], list[Record]] = {}
    followed: dict[tuple[str, str], list[Trajectory]] = {}
    for piece, result in zip(pieces, results, strict=True):
        if piece.trajectory_of is None:
            key = (genome.name, piece.morphology, piece.protocol.name)
            parts.setdefault(key, []).append(result)
        else:
            whole = zip(result.trajectories, result.lifetimes.diverged, strict=True)
            mine = followed.setdefault((genome.name, piece.trajectory_of), [])
            mine += [trajectory for trajectory, diverged in whole if not diverged]
    recorded.records.update({key: _joined(mine) for key, mine in parts.items()})
    recorded.trajectories.update({key: tuple(mine) for key, mine in followed.items()})


def _joined(parts: Sequence[Record]) -> Record:
    return Record(
        RolloutResult.join(part.lifetimes for part in parts),
        np.concatenate([part.progress for part in parts]),
        parts[0].images,
    )
