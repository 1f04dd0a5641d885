"""The lifetimes of a study of perturbations: which there are, and their records."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Final

from hebbevo.execution.execution import Execution
from hebbevo.genomes.genome import Genome
from hebbevo.seeding import SeedPurpose
from hebbevo.studies.directory import StoredStudy
from hebbevo.studies.genomes import is_static
from hebbevo.studies.perturbation.packing import pack_record, unpack_record
from hebbevo.studies.perturbation.plan import Plan
from hebbevo.studies.perturbation.recording import Replay, rollout_replay
from hebbevo.studies.perturbation.records import EVOLVED, RANDOM, Record, Recorded, WeightTrajectory
from hebbevo.studies.runner import Case, Watch, Work, kept_cases, run_cases

_logger = logging.getLogger(__name__)
_LEFT_OUT = "%s, %s rule: %d of %d lifetimes diverged or had weights that overflowed; tables of weights go without them"

FOLLOWED: Final = 4
"""Lifetimes per rule whose weights are followed."""

WORK = Work(rollout_replay, Record.join, pack_record, unpack_record)


def cases(plan: Plan) -> list[Case[Replay]]:
    """Return the cases of a study: every genome under each of its protocols on every body, then weights."""
    return [case for genome in plan.genomes for case in _cases_of(plan, genome)]


def _cases_of(plan: Plan, genome: Genome) -> list[Case[Replay]]:
    found = [
        Case(f"{genome.name}/{body}/{protocol.name}", genome, Replay(protocol, body), plan.episodes)
        for body in plan.morphologies
        for protocol in plan.protocols_of(genome)
    ]
    if is_static(genome) or genome.name not in {one.name for one in plan.drawn}:
        return found
    unperturbed, body = plan.protocols[0], plan.morphologies[0]
    return found + [
        Case(
            f"{genome.name}/weights/{rule}",
            genome,
            Replay(unperturbed, body, rule),
            min(FOLLOWED, plan.episodes),
        )
        for rule in (EVOLVED, RANDOM)
    ]


def run_plan(plan: Plan, study: StoredStudy, execution: Execution, watch: Watch | None = None) -> Recorded:
    """Run all lifetimes of a study that it does not have yet."""
    key = (plan.seed, SeedPurpose.EVALUATION)
    return _by_place(plan, run_cases(cases(plan), WORK, key, execution, watch, study=study))


def kept_records(plan: Plan, study: StoredStudy) -> Recorded:
    """Return the lifetimes of a finished study.

    Raises:
        InputError: some are missing.
    """
    return _by_place(plan, kept_cases(cases(plan), WORK, study))


def _by_place(plan: Plan, finished: Iterable[tuple[Case[Replay], Record]]) -> Recorded:
    records: dict[tuple[str, str, str], Record] = {}
    trajectories: dict[tuple[str, str], tuple[WeightTrajectory, ...]] = {}
    for case, record in finished:
        genome, replay = case.genome.name, case.condition
        if replay.followed is None:
            records[genome, replay.morphology, replay.protocol.name] = record.judged(plan.metric)
        else:
            kept, followed = record.finished_trajectories, len(record.trajectories)
            trajectories[genome, replay.followed] = kept
            if len(kept) < followed:
                _logger.warning(_LEFT_OUT, genome, replay.followed, followed - len(kept), followed)
    return Recorded(records, trajectories)
