"""A rollout in halves: while one half's bodies move on CPU threads, the other half's network computes on the device.

Each half is the loop of `hebbevo.rollouts.rollout.rollout` in a thread of its own, so that a step means the same. Two
locks keep the halves apart: one of the device, held during the forward pass, and one of the CPU, held while the
environment is built, reset or steps. Locks go to the half that has waited longest; no result depends on the order.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from typing_extensions import override

from hebbevo.perturbations.hooks import Batch, Hook

Result = TypeVar("Result")


class Interrupted(RuntimeError):
    """The rollout was stopped: its result is no longer needed."""


class FifoLock:
    """A lock that goes to the thread that has waited longest, never twice in a row to one while another waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next_ticket = self._serving = 0

    def ticket(self) -> int:
        """Take a number in the queue, which must be acquired and released."""
        with self._changed:
            self._next_ticket += 1
            return self._next_ticket - 1

    def acquire(self, ticket: int | None = None) -> None:
        """Wait for the turn of a ticket; None takes a new one."""
        number = self.ticket() if ticket is None else ticket
        with self._changed:
            self._changed.wait_for(lambda: self._serving == number)

    def release(self) -> None:
        """Pass the lock to the next ticket."""
        with self._changed:
            self._serving += 1
            self._changed.notify_all()


@dataclass(frozen=True)
class Span:
    """Time that a half spent in one part of a step.

    Attributes:
        half: 0 or 1.
        part: ``network`` or ``environment``.
        step: the time step t.
        begin, end: seconds of `time.perf_counter`.
    """

    half: int
    part: str
    step: int
    begin: float
    end: float


@dataclass
class Pipeline:
    """The locks that the halves share, and a record of their use.

    Attributes:
        cpu: held by the half whose environment is reset or steps.
        device: held by the half whose network computes.
        stop: once set, no half begins another step.
        record: list that spans are appended to, or None.
    """

    cpu: FifoLock = field(default_factory=FifoLock)
    device: FifoLock = field(default_factory=FifoLock)
    stop: threading.Event = field(default_factory=threading.Event)
    record: list[Span] | None = None


class PipelineHook(Hook):
    """Holds the device while the network of a half computes, and the CPU otherwise; the last hook of the half."""

    def __init__(self, pipeline: Pipeline, half: int) -> None:
        self._pipeline = pipeline
        self._half = half
        self._held: FifoLock | None = None
        self._since = 0.0

    def before_reset(self, ticket: int) -> None:
        """Take the CPU until the first observation: environments in Python are not reset by two threads at a time."""
        self._acquire(self._pipeline.cpu, ticket)

    @override
    def on_observation(self, batch: Batch) -> None:
        if self._pipeline.stop.is_set():
            raise Interrupted
        self.release()
        self._acquire(self._pipeline.device)

    @override
    def on_action(self, batch: Batch) -> None:
        self._record("network", batch.step)
        self.release()
        self._acquire(self._pipeline.cpu)

    @override
    def on_step(self, batch: Batch) -> None:
        self._record("environment", batch.step)
        self.release()

    def release(self) -> None:
        """Release the lock that this half holds, if any."""
        if self._held is not None:
            held, self._held = self._held, None
            held.release()

    def _acquire(self, lock: FifoLock, ticket: int | None = None) -> None:
        lock.acquire(ticket)
        self._held, self._since = lock, time.perf_counter()

    def _record(self, part: str, step: int) -> None:
        if self._pipeline.record is not None:
            self._pipeline.record.append(Span(self._half, part, step, self._since, time.perf_counter()))


def run_pipelined(halves: Sequence[Callable[[Hook], Result]], pipeline: Pipeline) -> list[Result]:
    """Run each half in a thread of its own, with its hook; return their results in order.

    All are reset, one after the other, before any takes a step. If one fails, the others end at their next step, and
    its exception is raised.

    Raises:
        Interrupted: `pipeline.stop` was set.
    """
    tickets = [pipeline.cpu.ticket() for _ in halves]

    def run(half: int) -> Result:
        hook = PipelineHook(pipeline, half)
        try:
            hook.before_reset(tickets[half])
            return halves[half](hook)
        except BaseException:
            pipeline.stop.set()
            raise
        finally:
            hook.release()

    if len(halves) == 1:
        return [run(0)]
    with ThreadPoolExecutor(len(halves), thread_name_prefix="hebbevo-half") as pool:
        futures = [pool.submit(run, half) for half in range(len(halves))]
        wait(futures)
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, Interrupted)):
        raise error  # an Interrupted half only follows from the other's error
    return [future.result() for future in futures]
