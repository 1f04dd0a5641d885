"""The batch size is measured once for a task and a kind of CPU; a memo that makes no sense is measured again."""

import os
from pathlib import Path

import pytest
from tasks import cart_pole_task, quadruped_task

from hebbevo.config.loading import load_config
from hebbevo.execution import execution as execution_module
from hebbevo.execution import tuning as module
from hebbevo.execution.execution import Execution
from hebbevo.execution.tuning import measure, tuned_batch_size
from hebbevo.tasks.task import Task

CANDIDATES = quadruped_task().env.batch_sizes
SHARED = os.environ["HEBBEVO_CACHE"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEBBEVO_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[Task]:
    """Return the tasks that are measured; the second candidate always wins."""
    tasks: list[Task] = []

    def stand_in(task: Task) -> dict[int, float]:
        tasks.append(task)
        return {size: 1.0 + (size != CANDIDATES[1]) for size in CANDIDATES}

    monkeypatch.setattr(module, "measure", stand_in)
    return tasks


def test_the_fastest_is_measured_once_for_each_task(measured: list[Task]) -> None:
    task, other = quadruped_task(), quadruped_task("network.hidden=[9]")
    assert [
        tuned_batch_size(task),
        tuned_batch_size(task),
        tuned_batch_size(other),
        tuned_batch_size(task),
    ] == [CANDIDATES[1]] * 4
    assert measured == [task, other]


@pytest.mark.parametrize(
    "text", ["", "{", "[8]", '{"batch_size": 5}', '{"batch_size": true}', '{"batch_size": "8"}', "\udcff"]
)
def test_a_memo_that_makes_no_sense_is_written_anew(cache: Path, measured: list[Task], text: str) -> None:
    task = quadruped_task()
    tuned_batch_size(task)
    (memo,) = (cache / "batch_sizes").iterdir()
    good = memo.read_bytes()
    memo.write_bytes(text.encode(errors="surrogateescape"))
    assert tuned_batch_size(task) == CANDIDATES[1]
    assert memo.read_bytes() == good
    assert len(measured) == 2


def test_without_a_place_for_memos_each_process_measures(cache: Path, measured: list[Task]) -> None:
    cache.write_text("no directory")
    assert [tuned_batch_size(quadruped_task()) for _ in range(2)] == [CANDIDATES[1]] * 2
    assert len(measured) == 2
    assert cache.read_text() == "no directory"


def test_a_batch_size_that_is_asked_for_and_one_that_the_environment_knows_are_not_measured(
    measured: list[Task],
) -> None:
    assert Execution(batch_size=3).resolve(quadruped_task()).batch_size == 3
    task = cart_pole_task()
    assert Execution(workers=0).resolve(task).batch_size == task.env.preferred_batch_size
    assert measured == []


@pytest.mark.parametrize("task", [quadruped_task(), Task.of(load_config("quick-association"))])
def test_every_candidate_is_measured(task: Task, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEBBEVO_CACHE", SHARED)  # with the kernels of other tests
    times = measure(task)
    assert tuple(times) == task.env.batch_sizes
    assert all(0 < seconds < 1 for seconds in times.values())


def test_every_open_choice_is_made_in_one_call(measured: list[Task], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution_module, "cores", lambda: 6)
    robot, gymnasium = quadruped_task(), cart_pole_task()
    found = [
        Execution().resolve(robot),
        Execution(workers=0).resolve(gymnasium),
        Execution().resolve(gymnasium),
        Execution(ray="auto").resolve(robot),
        Execution(device="cpu").resolve(robot),
        Execution(device="cpu", workers=2).resolve(gymnasium),
        Execution(device="cpu", ray="auto").resolve(robot),
    ]
    assert [(one.on_ray, one.threads) for one in found] == [
        (False, 6),
        (False, 1),  # CartPole holds the GIL
        (True, 1),
        (True, 1),
        (False, 6),
        (True, 3),
        (True, None),
    ]
    assert [one.even for one in found] == [False] * 4 + [True] * 3
    assert [one.batch_size for one in found[:2]] == [CANDIDATES[1], gymnasium.env.preferred_batch_size]
    assert measured == [robot]
