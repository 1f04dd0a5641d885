"""How to spread the lifetimes of a task: as asked for, and resolved for this machine. Nothing here changes a result."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.execution.tuning import tuned_batch_size
from hebbevo.networks.torch.device import DEVICE_BATCH_SIZE, check_available, check_name
from hebbevo.tasks.task import Task

MOST = {"threads": 1024, "batch_size": DEVICE_BATCH_SIZE, "workers": 100_000}


@dataclass(frozen=True)
class Execution:
    """Where lifetimes run, as far as the caller decides; results do not depend on it.

    Attributes:
        threads: of this process; None is one per core, or one where the environment holds the GIL.
        batch_size: lifetimes in lockstep on each thread or worker; None is the fastest one measured on this machine,
            or as many as fit on a device.
        workers: processes on Ray, 0 for none; None is none too, or one per core where the environment holds the
            GIL and no number of threads is asked for.
        ray: ``HOST:PORT`` or ``auto`` of a Ray cluster to join, on which `workers` is an upper bound.
        device: ``cpu`` or ``cuda``: each worker runs its share of the population on it, in two halves that take
            turns, and `threads` step its environments, or as many processes where those hold the GIL. None is the
            compiled kernels of the CPU.

    Raises:
        InputError: a number out of range, an unknown device, or arguments that exclude each other.
    """

    threads: int | None = None
    batch_size: int | None = None
    workers: int | None = None
    ray: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        for name, most in MOST.items():
            value, least = getattr(self, name), 0 if name == "workers" else 1
            if value is not None and not least <= value <= most:
                remedy = "; 0 stays in this process" if name == "workers" else ""
                raise InputError(f"{name} must be from {least} to {most}, got {value}{remedy}")
        if self.ray is not None and self.workers == 0:
            raise InputError("workers=0 stays in this process; leave workers out to use all of the cluster")
        if self.device is not None:
            check_name(self.device)
        elif self.threads is not None and (self.workers or self.ray is not None):
            raise InputError("threads is for workers=0; a worker on Ray uses one thread")

    def resolve(self, task: Task) -> ResolvedExecution:
        """Make every choice that was left open, for a task on this machine; may measure batch sizes.

        Raises:
            InputError: the device is not there.
        """
        if self.device is not None and self.ray is None:
            check_available(self.device)
        on_ray = self._uses_ray(task.env)
        batch_size = self.batch_size or (
            DEVICE_BATCH_SIZE if self.device is not None else tuned_batch_size(task)
        )
        threads = self._threads(task.env, on_ray)
        return ResolvedExecution(task, batch_size, threads, on_ray, self.workers, self.ray, self.device)

    def _uses_ray(self, env: EnvConfig) -> bool:
        if self.ray is not None or self.workers is not None:
            return self.ray is not None or self.workers != 0
        return self.device is None and not env.releases_gil and self.threads is None and cores() > 1

    def _threads(self, env: EnvConfig, on_ray: bool) -> int | None:
        if self.threads is not None:
            return self.threads
        if self.device is not None:
            return None if self.ray is not None else max(1, cores() // (self.workers or 1))
        return cores() if env.releases_gil and not on_ray else 1


@dataclass(frozen=True)
class ResolvedExecution:
    """Where the lifetimes of one task run, with every choice made; see `Execution`.

    Attributes:
        batch_size: lifetimes in an item of work; a worker on a device runs fewer at once if no more fit.
        threads: of this process, or of each worker on Ray or on a device; None is its share of a cluster's node.
        on_ray: whether the workers are processes on Ray.
        workers: on Ray, at most; None is as many as there is room for.
    """

    task: Task
    batch_size: int
    threads: int | None
    on_ray: bool
    workers: int | None
    ray: str | None
    device: str | None

    @property
    def even(self) -> bool:
        """Whether each worker should get one equal share of a generation: on devices."""
        return self.device is not None

    def summary(self) -> dict[str, Any]:
        """Return all but the task, for a log."""
        return {name: value for name, value in vars(self).items() if name != "task"}


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
