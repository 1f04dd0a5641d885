"""The loop of studies: every case once, in order, the same results however they are executed, told as it goes."""

import ast
from collections.abc import Iterator, Sequence

import numpy as np
import pytest
from tasks import cart_pole_task

from hebbevo import Execution, Genome, InputError, evaluate
from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.episodes import Condition, Episodes, Subject, rollout_episodes
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.studies.directory import StoredStudy, open_study
from hebbevo.studies.lifetimes import pack_lifetimes, unpack_lifetimes
from hebbevo.studies.runner import ROUND, Case, Work, kept_cases, run_cases
from hebbevo.tasks.worker import Worker

TEXT = "text"


def pack_text(result: object) -> dict[str, np.ndarray]:
    return {TEXT: np.frombuffer(repr(result).encode(), np.uint8)}


def unpack_text(arrays: dict[str, np.ndarray]) -> object:
    return ast.literal_eval(arrays[TEXT].tobytes().decode())


@pytest.fixture
def study() -> Iterator[StoredStudy]:
    with open_study("study", "test", {}, GENOMES) as opened:
        yield opened


KEY = (7, SeedPurpose.EVALUATION)


def genome_of(name: str, seed: int) -> Genome:
    task = cart_pole_task()
    return Genome(task, task.first_genome(np.random.default_rng(seed)), name=name)


GENOMES = (genome_of("a", 0), genome_of("b", 1))
CASES = [
    Case(f"{genome.name}/{name}", genome, Condition(name, "default"), episodes)
    for genome in GENOMES
    for name, episodes in ((GENOME, 5), ("random", 3))
]


def seeds_and_name(worker: Worker, subject: Subject, item: Episodes[Condition]) -> list[tuple[int, str]]:
    return [(seed, item.condition.name) for seed in subject.seeds(item.numbers)]


def flat(parts: Sequence[list[tuple[int, str]]]) -> list[tuple[int, str]]:
    return [pair for part in parts for pair in part]


@pytest.mark.parametrize("batch_size", [1, 2, 5, 64])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_case_has_its_episodes_in_order(batch_size: int, threads: int, study: StoredStudy) -> None:
    execution = Execution(threads=threads, batch_size=batch_size)
    work = Work(seeds_and_name, flat, pack_text, unpack_text)
    finished = list(run_cases(CASES, work, KEY, execution, study=study))
    assert [case for case, _ in finished] == CASES
    for case, result in finished:
        expected = [(lifetime_seed(*KEY, n), case.condition.name) for n in range(case.episodes)]
        assert result == expected


def test_results_are_those_of_evaluate(study: StoredStudy) -> None:
    work = Work(rollout_episodes, RolloutResult.join, pack_lifetimes, unpack_lifetimes)
    finished = list(run_cases(CASES, work, KEY, Execution(threads=1, batch_size=2), study=study))
    for case, result in finished:
        alone = evaluate(case.genome, episodes=case.episodes, seed=7, execution=Execution(threads=1))
        np.testing.assert_array_equal(result.fitness, alone.progress("default", case.condition.name))


def test_cases_that_are_kept_are_not_run_again(study: StoredStudy) -> None:
    ran: list[str] = []

    def note(worker: Worker, subject: Subject, item: Episodes[Condition]) -> list[tuple[int, str]]:
        ran.append(item.condition.name)
        return seeds_and_name(worker, subject, item)

    work = Work(note, flat, pack_text, unpack_text)
    execution, told = Execution(threads=1), list[tuple[int, int]]()
    first = run_cases(CASES, work, KEY, execution, study=study)
    kept = [next(first) for _ in range(3)]
    first.close()
    (study.path / "cases" / "0001.safetensors").write_bytes(b"cut short")
    ran.clear()
    again = list(run_cases(CASES, work, KEY, execution, lambda *counts: told.append(counts), study=study))
    assert again[:3] == kept
    assert ran == ["random", "random"]
    assert told == [(10, 16), (13, 16), (16, 16)]
    assert [(case, result) for case, result in kept_cases(CASES, work, study)] == again
    (study.path / "cases" / "0003.safetensors").unlink()
    with pytest.raises(InputError, match="study lacks 1 of 4 cases; finish it"):
        kept_cases(CASES, work, study)


def test_a_case_comes_before_later_rounds_are_run(study: StoredStudy) -> None:
    ran: list[int] = []

    def note(worker: Worker, subject: Subject, item: Episodes[Condition]) -> range:
        ran.append(len(item.numbers))
        return item.numbers

    cases = [Case(str(n), GENOMES[0], Condition(GENOME, "default"), ROUND) for n in range(3)]
    told: list[tuple[int, int]] = []
    finished = run_cases(
        cases,
        Work(note, list, pack_text, unpack_text),
        KEY,
        Execution(threads=1, batch_size=1),
        lambda *counts: told.append(counts),
        study=study,
    )
    for number, (case, parts) in enumerate(finished, start=1):
        assert case.name == str(number - 1)
        assert parts == [range(n, n + 1) for n in range(ROUND)]
        assert len(ran) == number * ROUND
        assert told == [(n * ROUND, 3 * ROUND) for n in range(1, number + 1)]


def test_without_cases_nothing_runs(study: StoredStudy) -> None:
    work = Work(seeds_and_name, flat, pack_text, unpack_text)
    assert list(run_cases([], work, KEY, Execution(threads=1), study=study)) == []
