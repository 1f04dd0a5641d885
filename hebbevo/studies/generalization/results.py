"""The lifetimes of a study of generalisation: which there are, and their results."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TypeAlias

from hebbevo.evaluation.episodes import Condition, rollout_episodes
from hebbevo.execution.execution import Execution
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose
from hebbevo.studies.directory import StoredStudy
from hebbevo.studies.generalization.plan import Plan
from hebbevo.studies.lifetimes import judged, pack_lifetimes, unpack_lifetimes
from hebbevo.studies.runner import Case, Watch, Work, kept_cases, run_cases

Results: TypeAlias = Mapping[tuple[str, str, str], RolloutResult]
"""By genome, morphology and condition."""

WORK = Work(rollout_episodes, RolloutResult.join, pack_lifetimes, unpack_lifetimes)


def cases(plan: Plan) -> list[Case[Condition]]:
    """Return the cases of a study: every genome under each of its conditions on every body."""
    return [
        Case(f"{genome.name}/{body}/{name}", genome, Condition(name, body), plan.episodes)
        for genome in plan.genomes
        for body in plan.morphologies
        for name in plan.conditions(genome)
    ]


def run_plan(plan: Plan, study: StoredStudy, execution: Execution, watch: Watch | None = None) -> Results:
    """Run all lifetimes of a study that it does not have yet."""
    key = (plan.seed, SeedPurpose.EVALUATION)
    return _by_place(plan, run_cases(cases(plan), WORK, key, execution, watch, study=study))


def kept_results(plan: Plan, study: StoredStudy) -> Results:
    """Return the lifetimes of a finished study.

    Raises:
        InputError: some are missing.
    """
    return _by_place(plan, kept_cases(cases(plan), WORK, study))


def _by_place(plan: Plan, finished: Iterable[tuple[Case[Condition], RolloutResult]]) -> Results:
    return {
        (case.genome.name, case.condition.morphology, case.condition.name): judged(result, plan.metric)
        for case, result in finished
    }
