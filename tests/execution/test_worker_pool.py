"""Workers that come and go, on processes that are only written down: no Ray."""

from collections.abc import Callable
from typing import Any

import pytest

from hebbevo.errors import SearchError, SearchFailure
from hebbevo.execution import worker_pool
from hebbevo.execution.placement import Placement
from hebbevo.execution.scheduling import Durations, MapJob, WorkerHandle, WorkerLimits
from hebbevo.execution.worker_pool import FAILED_STARTS, WorkerPool

BUILD = {"hebbevo": "a"}
MACHINE = {"cpu": "x", "features": "avx avx2", "torch": "2"}


class Written:
    """Processes that never run; tests answer for them."""

    def __init__(self, cpus: int) -> None:
        self.cpus = cpus
        self.asked: list[WorkerHandle] = []
        self.ended: list[WorkerHandle] = []

    def nodes(self) -> list[dict[str, float]]:
        return [{"CPU": float(self.cpus)}]

    def start(self) -> None:
        return None

    def describe(self, handle: WorkerHandle) -> None:
        self.asked.append(handle)

    def end(self, handle: WorkerHandle) -> None:
        self.ended.append(handle)


def description(**changes: Any) -> dict[str, Any]:
    return {"build": BUILD, "machine": MACHINE, "host": "h", "pid": 1, "memory": 5, **changes}


@pytest.fixture
def processes() -> Written:
    return Written(3)


@pytest.fixture
def events() -> list[str]:
    return []


@pytest.fixture(autouse=True)
def nodes_are_always_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker_pool, "NODE_CHECK_SECONDS", -1.0)


def pool_of(processes: Written, events: list[str], maximum: int | None = None, **limits: float) -> WorkerPool:
    def on_event(kind: str, /, **fields: Any) -> None:
        events.append(kind)

    allowed = WorkerLimits(**{"start": 0.05, **limits})
    return WorkerPool(processes, Placement(), maximum, allowed, BUILD, MACHINE, on_event)


def answering(pool: WorkerPool, processes: Written, **changes: Any) -> Callable[[float], None]:
    def listen(seconds: float) -> None:
        while processes.asked:
            pool.admit(processes.asked.pop(0), None, description(**changes))

    return listen


def started(processes: Written, events: list[str], maximum: int | None = None) -> WorkerPool:
    pool = pool_of(processes, events, maximum)
    pool.start(answering(pool, processes))
    return pool


@pytest.mark.parametrize(("maximum", "expected"), [(None, 3), (2, 2), (9, 3)])
def test_there_are_as_many_workers_as_fit_and_are_allowed(
    processes: Written, events: list[str], maximum: int | None, expected: int
) -> None:
    pool = started(processes, events, maximum)
    assert pool.ready == len(pool.handles) == expected
    assert events == ["worker_started"] * expected + ["workers"]


def test_no_room_no_answer_and_another_build_are_refused_at_the_start(events: list[str]) -> None:
    with pytest.raises(SearchError, match="no node of the cluster has the 1 CPU of a worker"):
        pool_of(Written(0), events).start(lambda seconds: None)
    with pytest.raises(SearchError, match=r"no worker was ready within 0\.05 s"):
        pool_of(Written(1), events).start(lambda seconds: None)
    processes = Written(1)
    pool = pool_of(processes, events)
    with pytest.raises(SearchError, match="another build of hebbevo: hebbevo b there, a here"):
        pool.start(answering(pool, processes, build={"hebbevo": "b"}))
    assert len(processes.ended) == 1


def test_the_items_of_a_lost_worker_wait_again_and_another_takes_its_place(
    processes: Written, events: list[str]
) -> None:
    pool = started(processes, events)
    job, handle = MapJob("work", 4, Durations()), pool.handles[0]
    for _ in range(2):
        handle.held.append((job, job.take()))
    pool.lose(handle, "its node died")
    assert list(job.waiting) == [0, 1, 2, 3]
    assert processes.ended == [handle]
    assert (len(pool.handles), pool.ready) == (3, 2)
    assert events[-1] == "worker_lost"


def test_an_item_that_ends_several_workers_is_blamed(processes: Written, events: list[str]) -> None:
    pool, job = started(processes, events), MapJob("work", 1, Durations())
    for death in range(1, 4):
        handle = pool.handles[0]
        handle.held.append((job, job.take()))
        if death == 3:
            with pytest.raises(SearchFailure, match="item 0 of work ended 3 workers, the last: killed"):
                pool.lose(handle, "killed")
        else:
            pool.lose(handle, "killed")


def test_a_worker_past_its_deadline_is_replaced(processes: Written, events: list[str]) -> None:
    pool, job = started(processes, events), MapJob("work", 1, Durations())
    handle = pool.handles[1]
    handle.held.append((job, job.take()))
    pool.replace_late(handle.since + WorkerLimits().first - 1)
    assert handle in pool.handles
    pool.replace_late(handle.since + WorkerLimits().first + 1)
    assert handle not in pool.handles
    assert events[-1] == "worker_lost"


def test_without_any_worker_for_long_the_map_fails(processes: Written, events: list[str]) -> None:
    pool = started(processes, events)
    pool.replace_late(0.0)
    processes.cpus = 0
    for handle in list(pool.handles):
        pool.lose(handle, "its node died")
    assert not pool.handles
    pool.replace_late(0.04)
    with pytest.raises(SearchFailure, match="no worker is left"):
        pool.replace_late(0.06)


def test_workers_that_never_start_are_given_up_and_nodes_that_leave_are_noticed(
    processes: Written, events: list[str]
) -> None:
    pool = started(processes, events, None)
    processes.cpus = 4
    for _ in range(FAILED_STARTS):
        pool.fill()
        (handle,) = processes.asked
        processes.asked.clear()
        pool.admit(handle, RuntimeError("no numba"), None)
    pool.fill()
    assert len(pool.handles) == 3
    processes.cpus = 6
    pool.fill()
    assert len(pool.handles) == 5
    processes.cpus = 4
    pool.fill()
    assert (len(pool.handles), pool.ready) == (3, 3)  # those that were not ready yet are left out


def test_nodes_that_differ_are_named_once_before_the_first_item(processes: Written) -> None:
    told: list[tuple[str, dict[str, Any]]] = []
    pool = WorkerPool(
        processes,
        Placement(),
        None,
        WorkerLimits(),
        BUILD,
        MACHINE,
        lambda kind, /, **fields: told.append((kind, fields)),
    )
    machines = {"a": MACHINE, "b": {"cpu": "y", "features": "avx fma", "torch": "2"}}

    def listen(seconds: float) -> None:
        for handle, host in zip(list(processes.asked), "abb", strict=True):
            pool.admit(handle, None, description(host=host, machine=machines[host]))

    pool.start(listen)
    (named,) = [fields for kind, fields in told if kind == "other_machine"]
    assert named == {"host": "b", "difference": "cpu y there, x here; features without avx2 and with fma"}
    assert [kind for kind, _ in told][-1] == "workers"
