"""Workers in processes of their own, on this machine or a cluster. The only file that imports ray.

Ray starts the processes, carries the messages and reports which processes died. `scheduling` decides which item goes
where and for how long, `worker_pool` which workers there are. Per map, the part that the items share goes into the
object store once, from where each node takes one copy; items and results travel by themselves. Items are pure: a lost
one is run again with the same bits.
"""

import importlib
import logging
import os
import pickle
import queue
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar

import ray
import ray.cloudpickle
from ray.exceptions import RayError, RayTaskError

from hebbevo.errors import SearchError
from hebbevo.execution.build import Build, this_build, this_machine
from hebbevo.execution.events import Listener, log_event, unfailing
from hebbevo.execution.placement import Placement
from hebbevo.execution.ray_setup import (
    cause_of,
    check_cluster,
    check_local_workers,
    give_token,
    last_line,
    original,
    thread_environment,
)
from hebbevo.execution.scheduling import IN_FLIGHT, Durations, MapJob, WorkerHandle, WorkerLimits
from hebbevo.execution.worker_pool import MAXIMUM_WAIT_SECONDS, WorkerPool
from hebbevo.execution.worker_process import Work, WorkerProcess
from hebbevo.imports import Imports
from hebbevo.search.executor import Item, Result, Shared

Worker = TypeVar("Worker")
Inbox = queue.SimpleQueue[tuple[WorkerHandle, MapJob | None, int, Future[Any]]]
"""Answers: of a worker, to an item of a job, or to the request for its description where there is no job."""

LOCAL_STORE_BYTES = 1 << 30
"""Of shared memory for a local Ray; what does not fit goes to the disk."""


class RayProcesses:
    """Processes of workers as actors of Ray, the door through which a `WorkerPool` starts and ends them.

    Args:
        make_worker: makes a worker, once in each process; pickled.
        placement: CPUs and GPUs that each takes.
        inbox: gets every answer, from a thread of Ray.
    """

    def __init__(self, make_worker: Callable[[], object], placement: Placement, inbox: Inbox) -> None:
        self._make_worker = make_worker
        self._placement = placement
        self._inbox = inbox

    def nodes(self) -> list[dict[str, float]]:
        """Return the `CPU` and `GPU` of every node that is up."""
        return _nodes()

    def start(self, **options: Any) -> Any:
        """Start a process with BLAS, torch and numba pinned to its CPUs; `options` are of a Ray actor."""
        threads = self._placement.cpus
        actor = ray.remote(WorkerProcess).options(
            num_cpus=threads,
            num_gpus=self._placement.gpus,
            max_restarts=0,
            runtime_env={"env_vars": thread_environment(threads)},
            **options,
        )
        return actor.remote(self._factory, self._imports)

    def describe(self, handle: WorkerHandle) -> None:
        """Ask a process for its description."""
        self._post(handle, None, 0, handle.actor.describe.remote())

    def run(self, handle: WorkerHandle, job: MapJob, item: int, work: Any, value: Any) -> None:
        """Have a process run an item of a job, after those that it has."""
        self._post(handle, job, item, handle.actor.run.remote(work, value))

    def end(self, handle: WorkerHandle) -> None:
        """End a process, dead or alive."""
        with suppress(RayError, ValueError):
            ray.kill(handle.actor)

    @cached_property
    def _factory(self) -> Any:
        return ray.put(ray.cloudpickle.dumps(self._make_worker))  # type: ignore[no-untyped-call]

    @cached_property
    def _imports(self) -> Any:
        return ray.put(pickle.dumps(Imports()))

    def _post(self, handle: WorkerHandle, job: MapJob | None, item: int, reference: Any) -> None:
        reference.future().add_done_callback(lambda future: self._inbox.put((handle, job, item, future)))


@contextmanager
def ray_session(workers: int | None, address: str | None, placement: Placement) -> Iterator[None]:
    """Start a local Ray or join a cluster once, for all executors that are made in the `with` block.

    Raises:
        SearchError: too many workers, no cluster, or a wrong token.
    """
    owns_ray = _connect(workers, address, placement)
    try:
        yield
    finally:
        if owns_ray:
            ray.shutdown()


@dataclass(frozen=True)
class _Map:
    """A map under way; `work` is Ray's reference to the part that its items share."""

    job: MapJob
    work: Any
    items: Sequence[Any]


class RayExecutor(Generic[Worker]):
    """Runs items in processes of their own; replaces those that die or hang; uses nodes that join."""

    def __init__(
        self,
        make_worker: Callable[[], Worker],
        workers: int | None = None,
        address: str | None = None,
        *,
        threads_per_worker: int | None = 1,
        gpus_per_worker: int = 0,
        limits: WorkerLimits | None = None,
        on_event: Listener = log_event,
        build: Build | None = None,
    ) -> None:
        """Start a local Ray or join a cluster, and wait for the workers.

        Args:
            make_worker: makes a worker, which is expensive to build, once in each process; pickled.
            workers: processes; None is one per core, or all that the cluster has room for.
            address: `HOST:PORT` or `auto` of a cluster, on which `workers` is an upper bound; None starts a Ray here.
            threads_per_worker: CPUs each takes; BLAS, torch and numba are pinned to it. None is its share of a node:
                one worker per GPU, or per node without.
            gpus_per_worker: GPUs each takes.
            limits: when a worker counts as hung.
            on_event: is told of workers and maps; its errors are warnings.
            build: that the workers must run; by default the one of this process.

        Raises:
            SearchError: too many workers, no cluster, a wrong token, or workers of another build.
        """
        self._on_event = on_event = unfailing(on_event)
        self._inbox: Inbox = queue.SimpleQueue()
        self._durations: dict[str, Durations] = {}
        placement = Placement(threads_per_worker or 1, gpus_per_worker)
        self._owns_ray = _connect(workers, address, placement)
        if threads_per_worker is None:
            placement = Placement.share(_nodes(), gpus_per_worker)
        self._processes = RayProcesses(make_worker, placement, self._inbox)
        self._pool = WorkerPool(
            self._processes,
            placement,
            workers,
            limits or WorkerLimits(),
            build or this_build(),
            this_machine(),
            on_event,
        )
        try:
            self._pool.start(self._listen)
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """Number of workers that are ready."""
        return self._pool.ready

    def map(
        self, function: Callable[[Worker, Shared, Item], Result], shared: Shared, items: Sequence[Item]
    ) -> list[Result]:
        """Return `function(worker, shared, item)` of every item, in the order of the items.

        Raises:
            SearchFailure: one item ended several workers, or no worker is left.
            Exception: whatever an item raised; the others are left to end by themselves.
        """
        began, waited = time.perf_counter(), 0.0
        name = getattr(function, "__qualname__", repr(function))
        job = MapJob(name, len(items), self._durations.setdefault(name, Durations()))
        if not job.complete:
            self._pool.fill()
            waited = self._run(_Map(job, ray.put(Work(function, shared)), items))
        memory = max((handle.memory for handle in self._pool.handles), default=0)
        seconds = time.perf_counter() - began
        self._on_event("map", **job.report(self.workers, seconds, waited, memory))
        return job.results

    def close(self) -> None:
        """End the workers, and the connection where this executor made it, with the Ray that it started."""
        handles, self._pool.handles = self._pool.handles, []
        if self._owns_ray:
            ray.shutdown()
        elif ray.is_initialized():
            for handle in handles:
                self._processes.end(handle)

    def _run(self, under_way: _Map) -> float:
        """Run a map to its end; return the seconds that the driver waited for answers."""
        job, waited, next_check = under_way.job, 0.0, 0.0
        try:
            while not job.complete:
                self._assign(under_way)
                wait = min(MAXIMUM_WAIT_SECONDS, max(0.02, job.durations.median or MAXIMUM_WAIT_SECONDS))
                waited += self._listen(wait)
                if (now := time.monotonic()) > next_check:
                    next_check = now + wait
                    self._pool.replace_late(now)
                    self._repeat_late(now, under_way)
        finally:
            job.over = True
        return waited

    def _assign(self, under_way: _Map) -> None:
        """Give every free worker an item, first to those without any."""
        job, workers = under_way.job, self.workers
        for depth in range(IN_FLIGHT):
            for handle in self._pool.handles:
                if not job.waiting:
                    return
                if len(handle.held) == depth and handle.free_for(job, workers):
                    self._send(handle, job.take(), under_way)

    def _repeat_late(self, now: float, under_way: _Map) -> None:
        """Have idle workers repeat late items, once no other is left."""
        job, handles = under_way.job, self._pool.handles
        if job.waiting:
            return
        idle = [handle for handle in handles if handle.description is not None and not handle.held]
        for handle, item in zip(idle, job.late(handles, now) if idle else (), strict=False):
            job.repeat(item)
            self._on_event("item_repeated", function=job.function, item=item, worker=handle.name)
            self._send(handle, item, under_way)

    def _send(self, handle: WorkerHandle, item: int, under_way: _Map) -> None:
        if not handle.held:
            handle.since = time.monotonic()
        handle.held.append((under_way.job, item))
        self._processes.run(handle, under_way.job, item, under_way.work, under_way.items[item])

    def _listen(self, wait: float) -> float:
        """Wait for an answer, take all that are there, and return the seconds waited."""
        began = time.perf_counter()
        with suppress(queue.Empty):
            answer = self._inbox.get(timeout=wait)
            wait = time.perf_counter() - began
            while True:
                self._take(*answer)
                answer = self._inbox.get_nowait()
        return wait

    def _take(self, handle: WorkerHandle, job: MapJob | None, item: int, future: Future[Any]) -> None:
        """Take one answer: a description, a result, an exception, or the news of a death."""
        if handle not in self._pool.handles:
            return  # lost before; its items are elsewhere by now
        error = future.exception()
        if job is None:
            self._pool.admit(handle, error, None if error else future.result())
        elif isinstance(error, RayTaskError):
            _next_item(handle)
            if not job.over:
                raise original(error)
        elif error is not None:
            self._pool.lose(handle, cause_of(str(error)))
        else:
            answer, first = future.result(), handle.answers == 0
            _next_item(handle)
            handle.memory = answer.memory
            job.answer(item, answer.result, answer.seconds, first)
            job.cpu += answer.cpu_seconds


def _next_item(handle: WorkerHandle) -> None:
    """Note that a worker has answered the item it ran, and begins the next that it holds."""
    handle.held.popleft()
    handle.answers += 1
    handle.since = time.monotonic()


def _nodes() -> list[dict[str, float]]:
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["Resources"] for node in nodes if node["Alive"]]


def _connect(workers: int | None, address: str | None, placement: Placement) -> bool:
    """Start a local Ray or join a cluster; return whether that was done here, not by the caller before."""
    if ray.is_initialized():
        return False
    _silence()
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address is not None:
        if workers is not None and workers < 1:
            raise SearchError(f"workers must be at least 1, got {workers}; 0 stays in this process")
        check_cluster(address)
        _initialise(f"cannot join the Ray cluster at {address}", address=address, **quiet)
        return True
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    workers = max(1, cores // placement.cpus) if workers is None else workers
    check_local_workers(workers, cores)
    give_token()
    _initialise(
        "cannot start Ray on this machine",
        address="local",
        num_cpus=workers * placement.cpus,
        include_dashboard=False,
        object_store_memory=LOCAL_STORE_BYTES,
        **quiet,
    )
    return True


def _initialise(failure: str, **settings: Any) -> None:
    """Call ray.init, which takes the SIGTERM handler and explains errors at length."""
    main = threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGTERM) if main else None
    try:
        ray.init(**settings)
    except (RayError, ConnectionError, RuntimeError, ValueError, OSError) as error:
        ray.shutdown()
        raise SearchError(f"{failure}: {last_line(str(error))}") from error
    finally:
        if main:
            signal.signal(signal.SIGTERM, signal.SIG_DFL if handler is None else handler)


def _silence() -> None:
    """Keep Ray's news of dead workers off standard output, where results go; the listener hears of them."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    with suppress(ImportError, AttributeError):
        ray_logging = importlib.import_module("ray._private.ray_logging")
        ray_logging.stdout_deduplicator.skip_re = re.compile("")
