"""A study as one class: settings, the conditions of a genome's lifetimes, and what becomes of them.

A user's own is an entry of `hebbevo.studies.registry.STUDIES`; directory, workers, progress, tables and report are
those of every study.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import Field

from hebbevo.errors import InputError
from hebbevo.evaluation.episodes import Episodes, Subject
from hebbevo.evaluation.statistics import summarise
from hebbevo.genomes.genome import Genome
from hebbevo.perturbations.catalogue import check_perturbations, parse_perturbations
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose
from hebbevo.settings import Settings
from hebbevo.studies.directory import StoredStudy
from hebbevo.studies.files import write_tables
from hebbevo.studies.lifetimes import pack_lifetimes, unpack_lifetimes
from hebbevo.studies.report import Section, write_report
from hebbevo.studies.runner import Case, Work
from hebbevo.tasks.worker import Worker

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class Lived:
    """The lifetimes of a genome on a body, under a condition; all three by name."""

    genome: str
    body: str
    condition: str
    lifetimes: RolloutResult


class Study(Settings, ABC):
    """Lifetimes of genomes under conditions; fields of a subclass are further settings."""

    episodes: int = Field(
        default=16, ge=1, le=1_000_000, description="lifetimes per genome, body and condition"
    )
    seed: int = Field(default=1, ge=0, lt=2**63, description="the lifetimes' seeds follow from it")

    @abstractmethod
    def conditions(self, genome: Genome) -> Mapping[str, Any]:
        """Return the conditions of a genome's lifetimes, by name: what `rollout` takes."""

    def check(self, genome: Genome, condition: Any) -> None:
        """Raise `InputError` where lifetimes of a genome cannot have a condition."""
        check_perturbations(parse_perturbations(condition), genome.task.env)

    def rollout(
        self, worker: Worker, genome: Subject, seeds: Sequence[int], body: str, condition: Any
    ) -> RolloutResult:
        """Run lifetimes under a condition: by default under perturbations, given in their short text."""
        return worker.rollout(
            genome.values[None],
            [0] * len(seeds),
            seeds,
            [body] * len(seeds),
            early_stop=False,
            perturbations=parse_perturbations(condition),
        )

    def rows(self, results: Sequence[Lived]) -> Rows:
        """Return the rows of the table: by default mean, median and 95 % interval of the mean of each fitness."""
        rows = []
        for one in results:
            found = summarise(one.lifetimes.fitness, one.lifetimes.diverged)
            low, high = found["ci95"] or (None, None)
            rows.append(
                {
                    **{"genome": one.genome, "body": one.body, "condition": one.condition},
                    **{"mean": found["mean"], "low": low, "high": high, "median": found["median"]},
                    **{"episodes": found["episodes"], "diverged": found["diverged"]},
                }
            )
        return rows


@dataclass(frozen=True)
class Lot:
    """Where the lifetimes of a case belong."""

    study: Study
    body: str
    name: str
    condition: Any


def cases_of(study: Study, genomes: Sequence[Genome]) -> list[Case[Lot]]:
    """Return every case of a study.

    Raises:
        InputError: a condition that a genome's lifetimes cannot have.
    """
    cases = []
    for genome in genomes:
        for name, condition in study.conditions(genome).items():
            study.check(genome, condition)
            for body in genome.task.env.morphology_names:
                lot = Lot(study, body, name, condition)
                cases.append(Case(f"{genome.name} on {body}: {name}", genome, lot, study.episodes))
    if not cases:
        raise InputError("the study has no conditions; check its settings")
    return cases


def rollout_lot(worker: Worker, subject: Subject, item: Episodes[Lot]) -> RolloutResult:
    """Run a piece of work: some lifetimes of a case."""
    lot, seeds = item.condition, subject.seeds(item.numbers)
    return lot.study.rollout(worker, subject, seeds, lot.body, lot.condition)


WORK = Work(rollout_lot, RolloutResult.join, pack_lifetimes, unpack_lifetimes)


def seed_key(study: Study) -> tuple[int, SeedPurpose]:
    """Return the key of the lifetimes' seeds: those of `hebbevo.evaluate` with the same seed."""
    return (study.seed, SeedPurpose.EVALUATION)


def write_study(
    stored: StoredStudy, study: Study, results: Sequence[tuple[Case[Lot], RolloutResult]]
) -> Rows:
    """Write ``lifetimes``, ``table`` and ``report.html``; return the rows of the table."""
    import pyarrow as pa

    lived = [
        Lived(case.genome.name, case.condition.body, case.condition.name, result) for case, result in results
    ]
    rows = study.rows(lived)
    write_tables(stored.path, "lifetimes", pa.Table.from_pylist([row for one in lived for row in _each(one)]))
    write_tables(stored.path, "table", pa.Table.from_pylist(rows))
    first = (type(study).__doc__ or stored.kind).strip().splitlines()[0]
    settings = ", ".join(f"{name} {value}" for name, value in stored.settings.items())
    write_report(stored.path / "report.html", stored.kind, [Section(first, f"Settings: {settings}.", rows)])
    return rows


def _each(one: Lived) -> Rows:
    lifetimes = one.lifetimes
    return [
        {
            **{"genome": one.genome, "body": one.body, "condition": one.condition, "lifetime": number},
            "fitness": None if lifetimes.diverged[number] else float(lifetimes.fitness[number]),
            "steps": int(lifetimes.steps[number]),
        }
        for number in np.arange(len(lifetimes.fitness)).tolist()
    ]
