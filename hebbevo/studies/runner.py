"""The loop of every study: cases of several genomes, an executor for each genome, pieces of work in rounds.

A case is what a study finishes at a time. Its name is the same however the study is executed, and its result is one
value, which the study's directory keeps: called again, a study runs those cases alone that it lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Final, Generic, TypeVar

from hebbevo.errors import InputError
from hebbevo.evaluation.episodes import Episodes, SeedKey, Subject, in_batches
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for, one_ray
from hebbevo.genomes.genome import Genome
from hebbevo.io.tensors import Arrays
from hebbevo.search import Executor
from hebbevo.studies.directory import StoredStudy
from hebbevo.tasks.worker import Worker

AnyCondition = TypeVar("AnyCondition")
Part = TypeVar("Part")
Result = TypeVar("Result")

Watch = Callable[[int, int], None]
"""Called with the number of lifetimes done and of all."""

ROUND: Final = 8
"""Pieces of work per worker between two calls of `Watch`."""


@dataclass(frozen=True)
class Case(Generic[AnyCondition]):
    """Lifetimes of a genome under a condition.

    Attributes:
        name: unique in its study.
        genome: with the task that its lifetimes have.
        condition: whatever the study's function takes.
        episodes: number of lifetimes.
    """

    name: str
    genome: Genome
    condition: AnyCondition
    episodes: int


@dataclass(frozen=True)
class Work(Generic[AnyCondition, Part, Result]):
    """How the result of a case is computed.

    Attributes:
        rollout: runs a piece of work; a module-level function, pure in its second and third argument.
        join: makes one result of the parts of a case, which come in the order of their episodes.
        pack: turns a result into the arrays that a case's file holds.
        unpack: makes the same result of them again.
    """

    rollout: Callable[[Worker, Subject, Episodes[AnyCondition]], Part]
    join: Callable[[Sequence[Part]], Result]
    pack: Callable[[Result], Arrays]
    unpack: Callable[[Arrays], Result]


def run_cases(
    cases: Sequence[Case[AnyCondition]],
    work: Work[AnyCondition, Part, Result],
    key: SeedKey,
    execution: Execution,
    watch: Watch | None = None,
    *,
    study: StoredStudy,
) -> Iterator[tuple[Case[AnyCondition], Result]]:
    """Yield every case with its result, in their order, each as soon as it is written.

    Args:
        cases: those of one genome stand together: each genome has an executor of its own.
        work: of every case.
        key: of the lifetime seeds.
        execution: what the lifetimes are spread over.
        watch: told of the progress after every round.
        study: that keeps finished cases; those that it has are not computed again.
    """
    assert len({case.name for case in cases}) == len(cases)
    kept = _kept(cases, work, study)
    progress = _Progress(sum(case.episodes for case in cases), watch)
    progress.add(sum(case.episodes for case in cases if case.name in kept))
    left = [case for case in cases if case.name not in kept]
    with one_ray(execution.resolve(left[0].genome.task)) if left else nullcontext():
        for _, of_genome in groupby(enumerate(cases), key=lambda numbered: numbered[1].genome.name):
            here = list(of_genome)
            computed = _run_genome(
                [case for _, case in here if case.name not in kept], work, key, execution, progress
            )
            for number, case in here:
                if case.name in kept:
                    yield case, kept[case.name]
                else:
                    result = next(computed)
                    study.save(number, case.name, work.pack(result))
                    yield case, result
            next(computed, None)  # closes the executor


def kept_cases(
    cases: Sequence[Case[AnyCondition]], work: Work[AnyCondition, Part, Result], study: StoredStudy
) -> list[tuple[Case[AnyCondition], Result]]:
    """Return every case with the result that a study keeps.

    Raises:
        InputError: some have none yet.
    """
    kept = _kept(cases, work, study)
    if missing := len(cases) - len(kept):
        raise InputError(
            f"{study.path} lacks {missing} of {len(cases)} cases; finish it: call hebbevo {study.kind} as before"
        )
    return [(case, kept[case.name]) for case in cases]


def _kept(
    cases: Sequence[Case[AnyCondition]], work: Work[AnyCondition, Part, Result], study: StoredStudy
) -> dict[str, Result]:
    found = ((case.name, study.load(number, case.name)) for number, case in enumerate(cases))
    return {name: work.unpack(arrays) for name, arrays in found if arrays is not None}


def _run_genome(
    cases: Sequence[Case[AnyCondition]],
    work: Work[AnyCondition, Part, Result],
    key: SeedKey,
    execution: Execution,
    progress: _Progress,
) -> Iterator[Result]:
    """Yield the results of the cases of one genome, in their order."""
    if not cases:
        return
    genome = cases[0].genome
    subject = Subject(genome.values, key)
    resolved = execution.resolve(genome.task)
    with executor_for(resolved) as executor:
        pieces = [in_batches(case.condition, case.episodes, resolved.batch_size) for case in cases]
        items = [item for of_case in pieces for item in of_case]
        parts = _parts(executor, work, subject, items, progress)
        for of_case in pieces:
            yield work.join(list(islice(parts, len(of_case))))


def _parts(
    executor: Executor[Worker],
    work: Work[AnyCondition, Part, Result],
    subject: Subject,
    items: Sequence[Episodes[AnyCondition]],
    progress: _Progress,
) -> Iterator[Part]:
    """Yield the parts of all pieces of work, in their order, a round at a time."""
    size = ROUND * executor.workers
    for start in range(0, len(items), size):
        these = items[start : start + size]
        parts = executor.map(work.rollout, subject, these)
        progress.add(sum(len(item.numbers) for item in these))
        yield from parts


class _Progress:
    def __init__(self, total: int, watch: Watch | None) -> None:
        self._done, self._total, self._watch = 0, total, watch

    def add(self, lifetimes: int) -> None:
        """Count lifetimes as done, and tell of it."""
        self._done += lifetimes
        if lifetimes and self._watch is not None:
            self._watch(self._done, self._total)
