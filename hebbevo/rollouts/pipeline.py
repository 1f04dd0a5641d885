"""Lifetimes in halves: while one half's bodies move on CPU threads, the other half's network computes on the device.

Each half is the loop of `hebbevo.rollouts.rollout.rollout` in a thread of its own, so that a step means the same. The
halves take turns by two locks: one for the device, held during the forward pass, and one for the CPU, held while the
environment is built, reset or steps. Whoever waits longest goes first; nobody's result depends on who did.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import TypeVar

from hebbevo.rollouts.hooks import Batch, Hook

Result = TypeVar("Result")


class Interrupted(RuntimeError):
    """Nobody wants the result any more."""


class FifoLock:
    """A lock that goes to whoever has waited longest: a half that is done cannot take it again at once."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._next_ticket = self._serving = 0

    def ticket(self) -> int:
        """Take a place in the queue; whoever does has to come, and to release."""
        with self._changed:
            self._next_ticket += 1
            return self._next_ticket - 1

    def acquire(self, ticket: int | None = None) -> None:
        """Wait for one's turn, or for that of a ticket."""
        mine = self.ticket() if ticket is None else ticket
        with self._changed:
            self._changed.wait_for(lambda: self._serving == mine)

    def release(self) -> None:
        """Let the next one have it."""
        with self._changed:
            self._serving += 1
            self._changed.notify_all()


@dataclass(frozen=True)
class Span:
    """What a half did, and when: ``network`` or ``environment``, seconds of `time.perf_counter`."""

    half: int
    part: str
    step: int
    begin: float
    end: float


@dataclass
class Pipeline:
    """What the halves share.

    Attributes:
        cpu: held by the half whose lifetimes are born or whose environment steps.
        device: held by the half whose network computes.
        stop: once set, no half begins another step.
        record: where spans go, or None.
    """

    cpu: FifoLock = field(default_factory=FifoLock)
    device: FifoLock = field(default_factory=FifoLock)
    stop: threading.Event = field(default_factory=threading.Event)
    record: list[Span] | None = None


class PipelineStage(Hook):
    """One half's hook, after all others: the device is its own while its network computes, then the CPU."""

    def __init__(self, turns: Pipeline, half: int) -> None:
        self._turns = turns
        self._half = half
        self._held: FifoLock | None = None
        self._since = 0.0

    def reset(self, ticket: int) -> None:
        """Take the CPU until the first observation: environments in Python are not for two threads at a time."""
        self._take(self._turns.cpu, ticket)

    def on_observation(self, batch: Batch) -> None:
        """Take the device."""
        if self._turns.stop.is_set():
            raise Interrupted
        self.release()
        self._take(self._turns.device)

    def on_action(self, batch: Batch) -> None:
        """Give the device back and take the CPU."""
        self._note("network", batch)
        self.release()
        self._take(self._turns.cpu)

    def on_step(self, batch: Batch) -> None:
        """Give the CPU back."""
        self._note("environment", batch)
        self.release()

    def release(self) -> None:
        """Give back what this half holds."""
        if self._held is not None:
            held, self._held = self._held, None
            held.release()

    def _take(self, turn: FifoLock, ticket: int | None = None) -> None:
        turn.acquire(ticket)
        self._held, self._since = turn, time.perf_counter()

    def _note(self, part: str, batch: Batch) -> None:
        if self._turns.record is not None:
            span = Span(self._half, part, batch.step, self._since, time.perf_counter())
            self._turns.record.append(span)


def run_pipelined(halves: Sequence[Callable[[Hook], Result]], turns: Pipeline) -> list[Result]:
    """Run each half in a thread of its own, with its hook; return their results in order.

    All are born, one after the other, before any takes a step. If one fails, the others end at their next step, and
    its exception goes on to the caller.
    """
    births = [turns.cpu.ticket() for _ in halves]

    def run(half: int) -> Result:
        turn = PipelineStage(turns, half)
        try:
            turn.reset(births[half])
            return halves[half](turn)
        except BaseException:
            turns.stop.set()
            raise
        finally:
            turn.release()

    if len(halves) == 1:
        return [run(0)]
    with ThreadPoolExecutor(len(halves), thread_name_prefix="hebbevo-half") as pool:
        futures = [pool.submit(run, half) for half in range(len(halves))]
        wait(futures)
    errors = [error for future in futures if (error := future.exception()) is not None]
    for error in sorted(errors, key=lambda error: isinstance(error, Interrupted)):
        raise error
    return [future.result() for future in futures]
