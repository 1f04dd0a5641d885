"""Worker processes, each of which finishes one run at a time and tells how far it is.

A run that takes its process down with it (out of memory, a crash in a library) is one failed run. The processes end
with their parent, however it ends: a killed experiment leaves nothing behind that holds its runs.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import connection
from types import FrameType
from typing import NoReturn

from hebbevo.errors import InputError, SearchFailure
from hebbevo.experiments.run import RunOrder, finish
from hebbevo.imports import Imports
from hebbevo.io.atomic import FULL_DISK
from hebbevo.training.records import Step

_PATIENCE = 10.0
"""Seconds that a process has to end by itself, before it is killed: a run bears that at any instant."""


@dataclass(frozen=True)
class Started:
    """A run begins, or goes on."""

    order: RunOrder


@dataclass(frozen=True)
class Advanced:
    """A generation of a run is done."""

    order: RunOrder
    step: Step


@dataclass(frozen=True)
class Finished:
    """A run is done and evaluated, or failed.

    Attributes:
        failure: one line, None where it is done.
    """

    order: RunOrder
    failure: str | None


Event = Started | Advanced | Finished


def finish_all(orders: Iterable[RunOrder], jobs: int) -> Generator[Event]:
    """Finish runs, in their order, up to `jobs` at a time; yield what happens."""
    waiting, workers = iter(orders), dict[connection.Connection, _Worker]()
    try:
        for order in _first(waiting, jobs):
            worker = _Worker()
            workers[worker.pipe] = worker
            yield worker.start(order)
        while workers:
            for pipe in connection.wait(list(workers)):
                assert isinstance(pipe, connection.Connection)
                worker = workers[pipe]
                event = worker.receive()
                yield event
                if not isinstance(event, Finished):
                    continue
                following = next(waiting, None)
                if worker.lost or following is None:
                    del workers[pipe]
                    worker.end()
                if following is not None:
                    worker = _Worker() if worker.lost else worker
                    workers[worker.pipe] = worker
                    yield worker.start(following)
    finally:
        for worker in workers.values():
            worker.end()


def _first(orders: Iterator[RunOrder], count: int) -> Iterator[RunOrder]:
    for _ in range(count):
        if (order := next(orders, None)) is None:
            return
        yield order


class _Worker:
    """A process that runs `_serve`, and the pipe to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(Imports(), theirs))
        self._process.start()
        theirs.close()
        self.lost, self._busy = False, False

    def start(self, order: RunOrder) -> Started:
        """Hand it a run."""
        self._order, self._busy = order, True
        with suppress(OSError):  # it is gone: `receive` says so
            self.pipe.send(order)
        return Started(order)

    def receive(self) -> Event:
        """Return what it has to tell; that its run failed, where it is gone."""
        try:
            told = self.pipe.recv()
        except (EOFError, OSError):
            self.lost = True
            self._process.join(_PATIENCE)
            return Finished(self._order, f"its process ended, exit code {self._process.exitcode}")
        if isinstance(told, Step):
            return Advanced(self._order, told)
        self._busy = False
        return Finished(self._order, told)

    def end(self) -> None:
        """End the process; a run that it is at stands at its last checkpoint."""
        self.pipe.close()  # which ends it where it waits for a run
        if self._busy:
            self._process.terminate()
        self._process.join(_PATIENCE)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def _serve(_: Imports, pipe: connection.Connection) -> None:
    """Finish run after run until the pipe closes: the body of a worker process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of the terminal; the parent ends its processes itself
    signal.signal(signal.SIGTERM, _leave)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with suppress(EOFError, OSError, KeyboardInterrupt):
        while True:
            pipe.send(_outcome(pipe.recv(), pipe))


def _outcome(order: RunOrder, pipe: connection.Connection) -> str | None:
    """Finish a run; return None, or in one line why it failed."""
    try:
        finish(order, pipe.send)
    except (InputError, SearchFailure) as error:
        return " ".join(str(error).split())
    except OSError as error:
        return " ".join(str(error).split()) + ("; make room" if error.errno in FULL_DISK else "")
    except Exception as error:  # noqa: BLE001  (the last line of defence: the other runs go on)
        return " ".join(f"{type(error).__name__}: {error}".split())
    return None


def _leave(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os._exit(1)
