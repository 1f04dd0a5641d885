"""The executor of a resolved execution: threads of this process, or processes on Ray."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

from hebbevo.execution.events import Listener, log_event
from hebbevo.execution.execution import ResolvedExecution
from hebbevo.execution.threads import InProcess
from hebbevo.search import Executor
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker, Worker


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
            return CpuWorker(self.task, self.batch_size)
        from hebbevo.execution.device_worker import DeviceWorker

        return DeviceWorker(self.task, self.batch_size, self.device, self.threads)


@contextmanager
def executor_for(execution: ResolvedExecution, on_event: Listener = log_event) -> Iterator[Executor[Worker]]:
    """Yield an executor whose workers run the task's lifetimes, and close it at the end.

    Raises:
        SearchError: too many workers, or no cluster that can be joined.
        EnvError: a package that the environment needs is missing.
    """
    execution.task.env.check_installed()
    executor = _executor(execution, on_event)
    try:
        yield executor
    finally:
        executor.close()


def one_ray(execution: ResolvedExecution) -> AbstractContextManager[None]:
    """Return a `with` block in which all executors of such an execution share one Ray, if they use any."""
    if not execution.on_ray:
        return nullcontext()
    from hebbevo.execution.placement import Placement
    from hebbevo.execution.ray_executor import ray_session

    placement = Placement(execution.threads or 1, int(execution.device == "cuda"))
    return ray_session(execution.workers, execution.ray, placement)


def _executor(execution: ResolvedExecution, on_event: Listener) -> Executor[Worker]:
    """Return an executor; on a device, of one worker in this process or one per GPU on Ray."""
    factory = WorkerFactory(execution.task, execution.batch_size, execution.device, execution.threads)
    if not execution.on_ray:
        assert execution.threads is not None, "only a cluster leaves the threads open"
        return InProcess(factory, execution.threads if execution.device is None else 1)
    from hebbevo.execution.ray_executor import RayExecutor

    return RayExecutor(
        factory,
        execution.workers,
        execution.ray,
        threads_per_worker=execution.threads,
        gpus_per_worker=int(execution.device == "cuda"),
        on_event=on_event,
    )
