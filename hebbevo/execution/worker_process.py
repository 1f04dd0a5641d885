"""The process of a worker: nothing here knows what started it.

The worker (compiled kernels, environments, buffers) is made at its first item and kept until the process ends. Answers
to the driver's questions are plain dictionaries, which every build can read.
"""

import os
import pickle
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hebbevo.execution.build import resident_memory, this_build, this_machine


@dataclass(frozen=True)
class Work:
    """The part of a map that all items share: sent once to every node."""

    function: Callable[[Any, Any, Any], Any]
    shared: Any


@dataclass(frozen=True)
class Answer:
    """A result, the seconds it took, those of a CPU, and the bytes of memory that the process holds."""

    result: Any
    seconds: float
    cpu_seconds: float
    memory: int


class WorkerProcess:
    """Runs items one after the other on one worker.

    The factory comes pickled and stays so until the first item: before that, the driver asks `describe` and
    refuses a process whose hebbevo might not even have the factory's class. Modules of the user's own are imported at
    once: items may need them before any code here sees them.
    """

    def __init__(self, pickled_factory: bytes, pickled_imports: bytes) -> None:
        pickle.loads(pickled_imports)
        self._pickled_factory = pickled_factory
        self._worker: Any = None
        self._made = False

    def describe(self) -> dict[str, Any]:
        """Return build, machine, host, process and memory."""
        return {
            "build": this_build(),
            "machine": this_machine(),
            "host": socket.gethostname(),
            "pid": os.getpid(),
            "memory": resident_memory(),
        }

    def run(self, work: Work, item: Any) -> Answer:
        """Run one item."""
        began, cpu = time.perf_counter(), time.process_time()
        if not self._made:
            self._worker = pickle.loads(self._pickled_factory)()
            self._made = True
        result = work.function(self._worker, work.shared, item)
        return Answer(result, time.perf_counter() - began, time.process_time() - cpu, resident_memory())
