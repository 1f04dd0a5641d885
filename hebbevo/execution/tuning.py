"""How many lifetimes to step in lockstep on a core: measured once for a task on a kind of CPU, and remembered.

A small block's synapses stay in the core's cache, a large one shares the cost of each call among more lifetimes. Where
the best lies depends on the CPU and the network. Nothing here changes a result.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np

from hebbevo.execution.build import cpu_kind
from hebbevo.networks.compilation import cache_directory
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

CANDIDATES: Final = (4, 8, 16)
STEPS: Final = 25
"""Length of the lifetimes that are timed, besides their burn-in."""
TURNS: Final = 3
BUDGET: Final = 0.6
"""Seconds of CPU time after which no further turn begins."""


def tuned_batch_size(task: Task) -> int:
    """Return the block to live the task's lifetimes in: the remembered one, or the fastest of `CANDIDATES`.

    Environments that hold the GIL are one Python object to a lifetime: they say themselves what suits them.
    """
    if not task.env.releases_gil:
        return task.env.preferred_batch_size
    path = _memo(task)
    batch_size = _remembered(path)
    if batch_size is None:
        times = measure(task)
        batch_size = min(times, key=lambda candidate: times[candidate])
        _remember(
            path, {"block": batch_size, "microseconds": {str(b): round(1e6 * s, 2) for b, s in times.items()}}
        )
    return batch_size


def measure(task: Task) -> dict[int, float]:
    """Return the CPU seconds of an agent-step for each block size: the least of a few turns."""
    bodies = task.env.morphology_names
    short = Task(task.env.model_copy(update={"steps": STEPS}), task.network, task.plasticity)  # unperturbed
    genome = task.first_genome(np.random.Generator(np.random.Philox(0)))
    genomes = np.tile(genome, (-(-max(CANDIDATES) // len(bodies)), 1))
    workers = {batch_size: CpuWorker(short, batch_size) for batch_size in CANDIDATES}
    best = dict.fromkeys(CANDIDATES, np.inf)
    began = time.thread_time()
    for turn in range(1 + TURNS):  # turn 0 compiles, or reads the compiled kernels
        for batch_size, worker in workers.items():
            rows = range(batch_size)
            genome_of = [row // len(bodies) for row in rows]
            before = time.thread_time()
            worker.rollout(
                genomes[: genome_of[-1] + 1],
                genome_of,
                rows,
                [bodies[row % len(bodies)] for row in rows],
                early_stop=False,
            )
            if turn:
                best[batch_size] = min(best[batch_size], (time.thread_time() - before) / (batch_size * STEPS))
        if turn == 0:
            began = time.thread_time()
        elif time.thread_time() - began > BUDGET:
            break
    for worker in workers.values():
        worker.close()
    return best


def _memo(task: Task) -> Path:
    """Return the file that remembers the block of this task on this kind of CPU."""
    key = json.dumps([version("hebbevo"), cpu_kind(), CANDIDATES, task.sizes, task.header()], sort_keys=True)
    return cache_directory().parent / "blocks" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.json"


def _remembered(path: Path) -> int | None:
    """Return what the file says, or None where it is missing or makes no sense."""
    try:
        batch_size = json.loads(path.read_text("utf-8"))["block"]
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None
    return batch_size if type(batch_size) is int and batch_size in CANDIDATES else None


def _remember(path: Path, record: dict[str, Any]) -> None:
    """Write the file in one rename; where that cannot be, the next process measures again."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp", delete=False) as file:
            json.dump(record, file)
        Path(file.name).replace(path)
    except OSError:
        pass
