"""How many lifetimes to step in lockstep on a core: measured once for a task on a kind of CPU, and remembered.

The synapses of a small batch stay in the core's cache, a large one shares the cost of each call among more lifetimes.
The best size depends on the CPU and the network. Nothing here changes a result.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from contextlib import ExitStack, closing
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import cache_directory
from hebbevo.execution.build import cpu_kind
from hebbevo.io.atomic import write_atomically
from hebbevo.networks.kernel_spec import MOST_NUMBERS
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

STEPS: Final = 25
"""Length of the lifetimes that are timed, besides their burn-in."""
TURNS: Final = 3
BUDGET: Final = 0.6
"""Seconds of CPU time after which no further turn begins."""


def tuned_batch_size(task: Task) -> int:
    """Return the batch size for a task's lifetimes: the remembered one, or the fastest of its environment's.

    Environments that hold the GIL are one Python object per lifetime: they declare the size that suits them. A batch
    of huge networks takes no more memory than the hugest one.
    """
    most = max(1, MOST_NUMBERS // task.kernel_spec.numbers)
    if not task.env.releases_gil or most < task.env.batch_sizes[-1]:
        return min(task.env.preferred_batch_size, most)
    path = _memo(task)
    batch_size = _remembered(path, task.env.batch_sizes)
    if batch_size is None:
        times = measure(task)
        batch_size = min(times, key=lambda candidate: times[candidate])
        microseconds = {str(size): round(1e6 * seconds, 2) for size, seconds in times.items()}
        _remember(path, {"batch_size": batch_size, "microseconds": microseconds})
    return batch_size


def measure(task: Task) -> dict[int, float]:
    """Return the CPU seconds of an agent-step for each batch size: the least of a few turns."""
    short = Task(task.env.model_copy(update={"steps": STEPS}), task.network, task.plasticity)  # unperturbed
    genome = task.first_genome(np.random.Generator(np.random.Philox(0)))
    best = dict.fromkeys(task.env.batch_sizes, np.inf)
    with ExitStack() as stack:
        workers = [stack.enter_context(closing(CpuWorker(short, size))) for size in task.env.batch_sizes]
        for worker in workers:
            _seconds_per_step(worker, genome)  # compiles, or reads the compiled kernels
        began = time.thread_time()
        for _ in range(TURNS):
            for worker in workers:
                best[worker.batch_size] = min(best[worker.batch_size], _seconds_per_step(worker, genome))
            if time.thread_time() - began > BUDGET:
                break
    return best


def _seconds_per_step(worker: CpuWorker, genome: npt.NDArray[np.float32]) -> float:
    """Return the CPU seconds of an agent-step in one full batch, every individual on every morphology."""
    size, morphologies = worker.batch_size, worker.task.env.morphology_names
    genome_of = [row // len(morphologies) for row in range(size)]
    bodies = [morphologies[row % len(morphologies)] for row in range(size)]
    genomes = np.tile(genome, (genome_of[-1] + 1, 1))
    began = time.thread_time()
    worker.rollout(genomes, genome_of, range(size), bodies, early_stop=False)
    return (time.thread_time() - began) / (size * STEPS)


def _memo(task: Task) -> Path:
    """Return the file that remembers the batch size of this task on this kind of CPU."""
    key = json.dumps(
        [version("hebbevo"), cpu_kind(), task.env.batch_sizes, task.sizes, task.header()], sort_keys=True
    )
    return cache_directory().parent / "batch_sizes" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _remembered(path: Path, candidates: Sequence[int]) -> int | None:
    """Return the size in a file, or None where it is missing or none of the candidates."""
    try:
        batch_size = json.loads(path.read_text("utf-8"))["batch_size"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return batch_size if type(batch_size) is int and batch_size in candidates else None


def _remember(path: Path, record: dict[str, Any]) -> None:
    """Write the file in one rename; where that cannot be, the next process measures again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, json.dumps(record).encode())
    except OSError:
        pass
