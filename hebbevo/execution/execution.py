"""Where lifetimes are lived: threads of this process, or workers on Ray. Nothing here changes a result."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.execution.events import Listener, log_event
from hebbevo.execution.threads import InProcess
from hebbevo.execution.tuning import tuned_batch_size
from hebbevo.networks.torch.device import DEVICE_BLOCK, check_available, check_name
from hebbevo.search import Executor
from hebbevo.tasks.task import Task, Worker


@dataclass(frozen=True)
class Execution:
    """How to spread lifetimes; results do not depend on it.

    Attributes:
        threads: in this process; None is one per core, or one where the environment holds the GIL.
        block: lifetimes in lockstep on each thread or worker; None is what was measured to be fastest here,
            or as many as fit on a device.
        workers: processes on Ray, 0 for none; None is none too, or one per core where the environment holds the
            GIL and no number of threads is asked for.
        ray: ``HOST:PORT`` or ``auto`` of a Ray cluster to join, which `workers` then bounds.
        device: ``cpu`` or ``cuda``: each worker lives its share of the population on it, in two halves that take
            turns, and `threads` step its environments, or as many processes where those hold the GIL. None is the
            compiled kernels of the CPU.
    """

    threads: int | None = None
    batch_size: int | None = None
    workers: int | None = None
    ray: str | None = None
    device: str | None = None

    def __post_init__(self) -> None:
        for name, value in (("threads", self.threads), ("batch_size", self.batch_size)):
            if value is not None and value < 1:
                raise InputError(f"--{name} must be at least 1, got {value}")
        if self.workers is not None and self.workers < 0:
            raise InputError(f"--workers must be at least 0, got {self.workers}; 0 stays in this process")
        if self.ray is not None and self.workers == 0:
            raise InputError(
                "--workers 0 stays in this process; leave it out to use all of the cluster of --ray"
            )
        if self.device is not None:
            check_name(self.device)
        elif self.threads is not None and (self.workers or self.ray is not None):
            raise InputError("--threads is for --workers 0; a worker on Ray uses one thread")

    def batch_size_for(self, task: Task) -> int:
        """Return the lifetimes in a piece of work; a worker on a device lives fewer at once if no more fit."""
        return self.batch_size or (tuned_batch_size(task) if self.device is None else DEVICE_BLOCK)

    def uses_ray(self, env: EnvConfig) -> bool:
        """Whether the lifetimes of an environment are lived on Ray."""
        if self.ray is not None or self.workers is not None:
            return self.ray is not None or self.workers != 0
        return self.device is None and not env.releases_gil and self.threads is None and cores() > 1


@dataclass(frozen=True)
class WorkerFactory:
    """Makes workers, in this process or another: it pickles."""

    task: Task
    batch_size: int
    device: str | None = None
    threads: int | None = None

    def __call__(self) -> Worker:
        """Make one."""
        if self.device is None:
            return Worker(self.task, self.batch_size)
        from hebbevo.execution.device_worker import DeviceWorker

        return DeviceWorker(self.task, self.batch_size, self.device, self.threads)


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def executor_for(
    task: Task, execution: Execution, on_event: Listener = log_event
) -> Iterator[tuple[Executor[Worker], int]]:
    """Yield an executor whose workers live the task's lifetimes, and the block size to deal."""
    batch_size = execution.batch_size_for(task)
    executor = _executor(task, batch_size, execution, on_event)
    try:
        yield executor, batch_size
    finally:
        executor.close()


def _executor(task: Task, batch_size: int, execution: Execution, on_event: Listener) -> Executor[Worker]:
    env = task.env
    if execution.device is not None:
        return _device_executor(task, batch_size, execution, execution.device, on_event)
    factory = WorkerFactory(task, batch_size)
    if execution.uses_ray(env):
        from hebbevo.execution.ray_executor import RayExecutor

        return RayExecutor(factory, execution.workers, execution.ray, on_event=on_event)
    return InProcess(factory, execution.threads or (cores() if env.releases_gil else 1))


def _device_executor(
    task: Task, batch_size: int, execution: Execution, device: str, on_event: Listener
) -> Executor[Worker]:
    """Return an executor of one worker per GPU, or of workers with several CPUs each; in this process there is one."""
    threads = execution.threads
    if execution.ray is None:
        check_available(device)
        threads = threads or max(1, cores() // (execution.workers or 1))
    factory = WorkerFactory(task, batch_size, device, threads)
    if not execution.uses_ray(task.env):
        return InProcess(factory, 1)
    from hebbevo.execution.ray_executor import RayExecutor

    return RayExecutor(
        factory,
        execution.workers,
        execution.ray,
        threads_per_worker=threads,
        gpus_per_worker=int(device == "cuda"),
        on_event=on_event,
    )
