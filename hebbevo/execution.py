"""Where lifetimes are lived: threads of this process. Nothing here changes a result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hebbevo.errors import InputError
from hebbevo.search import Executor, InProcess
from hebbevo.task import Task, Worker

DEFAULT_BLOCK = 8
"""Lifetimes stepped in lockstep on a core: few enough that their synapses stay in its cache."""


@dataclass(frozen=True)
class Execution:
    """How to spread lifetimes; results do not depend on it.

    Attributes:
        threads: at the same time; None is one per core, or one where the environment holds the GIL.
        block: lifetimes in lockstep on each.
    """

    threads: int | None = None
    block: int = DEFAULT_BLOCK

    def __post_init__(self) -> None:
        for name, value in (("threads", self.threads), ("block", self.block)):
            if value is not None and value < 1:
                raise InputError(f"--{name} must be at least 1, got {value}")


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def executor_for(task: Task, execution: Execution) -> Iterator[tuple[Executor[Worker], int]]:
    """Yield an executor whose workers live the task's lifetimes, and the block size to deal."""
    threads = execution.threads or (cores() if task.env.releases_gil else 1)
    executor = InProcess(lambda: Worker(task, execution.block), threads)
    try:
        yield executor, execution.block
    finally:
        executor.close()
