"""The lifetimes of a study of learning: which there are, and their records."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from hebbevo.execution.execution import Execution
from hebbevo.seeding import SeedPurpose
from hebbevo.studies.directory import StoredStudy
from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.recording import Lives, rollout_lives
from hebbevo.studies.learning.records import Record, pack_record, unpack_record
from hebbevo.studies.runner import Case, Watch, Work, kept_cases, run_cases

Records: TypeAlias = Mapping[tuple[str, str, str], Record]
"""By genome, morphology and condition."""

WORK = Work(rollout_lives, Record.join, pack_record, unpack_record)


def cases(plan: Plan) -> list[Case[Lives]]:
    """Return the cases of a study: every genome under each of its conditions in every task."""
    return [
        Case(f"{genome.name}/{body}/{condition.name}", genome, Lives(condition, body), plan.episodes)
        for genome in plan.genomes
        for body in plan.morphologies
        for condition in plan.conditions(genome)
    ]


def run_plan(plan: Plan, study: StoredStudy, execution: Execution, watch: Watch | None = None) -> Records:
    """Run all lifetimes of a study that it does not have yet."""
    key = (plan.seed, SeedPurpose.EVALUATION)
    return _by_place(run_cases(cases(plan), WORK, key, execution, watch, study=study))


def kept_records(plan: Plan, study: StoredStudy) -> Records:
    """Return the lifetimes of a finished study.

    Raises:
        InputError: some are missing.
    """
    return _by_place(kept_cases(cases(plan), WORK, study))


def _by_place(finished: Iterable[tuple[Case[Lives], Record]]) -> Records:
    return {
        (case.genome.name, case.condition.morphology, case.condition.condition.name): record
        for case, record in finished
    }
