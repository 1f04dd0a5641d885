"""The in-process executor: order, dealing, exceptions, interrupts, one worker a thread."""

import os
import signal
import threading
import time
from dataclasses import dataclass, field

import pytest

from hebbevo.errors import SearchError
from hebbevo.execution.threads import InProcess


@dataclass
class Worker:
    """Remembers the thread that made it and whether two items ever ran on it at once."""

    thread: int = field(default_factory=threading.get_ident)
    busy: bool = False
    closed: bool = False

    def close(self) -> None:
        self.closed = True


def work(worker: Worker, shared: float, item: int) -> tuple[int, int]:
    assert worker.thread == threading.get_ident()
    assert not worker.busy
    worker.busy = True
    time.sleep(shared * (item % 3))
    worker.busy = False
    return item * item, worker.thread


def test_results_come_in_the_order_of_the_items_and_every_thread_has_one_worker() -> None:
    made: list[Worker] = []

    def make() -> Worker:
        made.append(Worker())
        return made[-1]

    executor = InProcess(make, threads=4)
    assert executor.workers == 4
    assert made == []
    for _ in range(3):
        results = executor.map(work, 0.002, range(20))
        assert [square for square, _ in results] == [i * i for i in range(20)]
    assert 1 < len(made) <= 4
    assert len({worker.thread for worker in made}) == len(made)
    assert threading.get_ident() not in {worker.thread for worker in made}
    executor.close()
    assert all(worker.closed for worker in made)


def test_no_items_no_results() -> None:
    executor = InProcess(lambda: None, threads=2)
    assert executor.map(note, [], []) == []
    executor.close()


def note(worker: object, seen: list[int], item: int) -> int:
    """Record the start of an item; item 3 fails, later ones are slow."""
    seen.append(item)
    if item == 3:
        raise LookupError("item 3")
    time.sleep(0.02)
    seen.append(item)
    return item


def test_an_exception_cancels_what_has_not_started_and_waits_for_what_runs() -> None:
    executor = InProcess(lambda: None, threads=2)
    seen: list[int] = []
    with pytest.raises(LookupError, match="item 3"):
        executor.map(note, seen, range(200))
    assert len(set(seen)) < 20
    after = list(seen)
    time.sleep(0.05)
    assert seen == after
    assert all(seen.count(item) == 2 for item in set(seen) - {3})
    assert executor.map(note, [], [7]) == [7]
    executor.close()


def test_an_interrupt_leaves_nothing_running() -> None:
    executor = InProcess(lambda: None, threads=2)
    seen: list[int] = []
    timer = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        executor.map(note, seen, range(10, 5_000))
    timer.join()
    after = list(seen)
    time.sleep(0.05)
    assert seen == after
    assert all(seen.count(item) == 2 for item in set(seen))
    executor.close()
    assert not [t for t in threading.enumerate() if t.name.startswith("hebbevo-worker")]


def test_a_worker_that_cannot_be_made_is_an_exception_of_the_map() -> None:
    def broken() -> Worker:
        raise OSError("no such device")

    executor = InProcess(broken, threads=2)
    with pytest.raises(OSError, match="no such device"):
        executor.map(work, 0.0, range(4))
    executor.close()


def test_at_least_one_thread() -> None:
    with pytest.raises(SearchError, match="at least 1, got 0"):
        InProcess(lambda: None, threads=0)
