"""Timing of replays in turns, in one process on one core, on the clock and in CPU time.

Replays that are compared run alternately, so that a slower minute of the machine slows all of them alike. CPU time of
the calling thread leaves out the other processes of a busy machine; on an idle one it equals the clock.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

CPU, CLOCK = 0, 1
"""Indices of the last axis of the times that `alternate` returns."""


@dataclass(frozen=True)
class Effort:
    """Amount of measuring.

    Attributes:
        repeats: runs of each replay, whose median is reported.
        steps: length of a lifetime; None is the default of each part.
        batch_sizes: to be compared.
    """

    repeats: int = 7
    steps: int | None = None
    batch_sizes: tuple[int, ...] = (2, 4, 8, 16)


def alternate(replays: Sequence[Callable[[], object]], repeats: int) -> npt.NDArray[np.float64]:
    """Run replays in turns, after one run of each that is not counted; return seconds ``(repeats, replays, 2)``."""
    for replay in replays:
        replay()
    return np.array([[timed(replay) for replay in replays] for _ in range(repeats)])


def timed(replay: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds a replay takes: CPU time of the thread, and on the clock."""
    clock, cpu = time.perf_counter(), time.thread_time()
    replay()
    return time.thread_time() - cpu, time.perf_counter() - clock


def median(values: npt.NDArray[np.float64]) -> float:
    """Return the median, rounded to four digits."""
    return round(float(np.median(values)), 4)


@contextmanager
def one_core() -> Iterator[None]:
    """Pin this thread to the last CPU that is allowed, where the system can, and torch to one thread."""
    import torch

    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    threads = torch.get_num_threads()
    try:
        if allowed:
            os.sched_setaffinity(0, {max(allowed)})
        torch.set_num_threads(1)
        yield
    finally:
        torch.set_num_threads(threads)
        if allowed:
            os.sched_setaffinity(0, allowed)
