"""Workers in processes of their own, on this machine or a cluster. The only file that imports ray.

Ray starts the processes, carries the messages and tells who died. Which item goes where, and for how long, is
decided in `dealing`. Per map, what the items share goes into the object store once, from where each node takes
one copy; items and results travel by themselves. Items are pure: a lost one is run again with the same bits.
"""

import importlib
import logging
import os
import queue
import re
import signal
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, Generic, TypeVar

import ray
import ray.cloudpickle
from ray.exceptions import RayError, RayTaskError

from hebbevo.errors import SearchError, SearchFailure
from hebbevo.execution.build import Build, build_difference, this_build
from hebbevo.execution.events import Listener, log_event
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
from hebbevo.execution.scheduling import IN_FLIGHT, Durations, MapJob, Patience, WorkerHandle
from hebbevo.execution.worker_process import Work, WorkerProcess
from hebbevo.search.executor import Item, Result, Shared

Worker = TypeVar("Worker")

LOCAL_STORE_BYTES = 1 << 30  # of shared memory for a local Ray; what does not fit goes to the disk
NODES_EVERY = 1.0  # seconds between looks for nodes that joined or left
FAILED_STARTS = 5  # in a row, until a place on the cluster is given up
LONGEST_WAIT = 0.5  # seconds between looks at who is late


class RayExecutor(Generic[Worker]):
    """Deals items to workers in processes of their own; replaces those that die or hang; uses nodes that join."""

    def __init__(
        self,
        make_worker: Callable[[], Worker],
        workers: int | None = None,
        address: str | None = None,
        *,
        threads_per_worker: int | None = 1,
        gpus_per_worker: int = 0,
        patience: Patience | None = None,
        on_event: Listener = log_event,
        build: Build | None = None,
    ) -> None:
        """Start a local Ray or join a cluster, and wait for the workers.

        Args:
            make_worker: makes what is dear, once in each process; pickled.
            workers: processes; None is one per core, or all that the cluster has room for.
            address: `HOST:PORT` or `auto` of a cluster, which `workers` then bounds; None starts a Ray here.
            threads_per_worker: CPUs each takes; BLAS, torch and numba are pinned to it. None is its share of a node:
                one worker per GPU, or per node without.
            gpus_per_worker: GPUs each takes.
            patience: how long workers may take.
            on_event: hears what happens.
            build: what the workers must run; by default what this process runs.

        Raises:
            SearchError: too many workers, no cluster, a wrong token, or workers of another build.
        """
        self._bound = workers
        self._placement = Placement(threads_per_worker or 1, gpus_per_worker)
        self._patience = patience or Patience()
        self._tell = on_event
        self._build = build or this_build()
        self._handles: list[WorkerHandle] = []
        self._inbox: queue.SimpleQueue[tuple[WorkerHandle, MapJob | None, int, Future[Any]]] = (
            queue.SimpleQueue()
        )
        self._durations: dict[str, Durations] = {}
        self._made = self._failed_starts = self._given_up = 0
        self._kinds: set[str] = set()
        self._next_look = 0.0
        self._running = False
        self._last_ready = time.monotonic()  # when there was a worker last
        self._owns_ray = _connect(workers, address, self._placement)
        if threads_per_worker is None:
            self._placement = Placement.share(_resources(), gpus_per_worker)
        try:
            self._factory = ray.put(ray.cloudpickle.dumps(make_worker))  # type: ignore[no-untyped-call]
            self._start()
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """Number of workers that are ready."""
        return sum(handle.about is not None for handle in self._handles)

    def map(
        self, function: Callable[[Worker, Shared, Item], Result], shared: Shared, items: Sequence[Item]
    ) -> list[Result]:
        """Return `function(worker, shared, item)` of every item, in the order of the items.

        Raises:
            SearchFailure: one item ended several workers, or no worker is left.
            Exception: whatever an item raised; the others are left to end by themselves.
        """
        began, waited = time.perf_counter(), 0.0
        kind = getattr(function, "__qualname__", repr(function))
        job = MapJob(kind, len(items), self._durations.setdefault(kind, Durations()))
        if not job.complete:
            self._look_for_nodes()
            work = ray.put(Work(function, shared))
        try:
            look = 0.0
            while not job.complete:
                self._assign(job, work, items)
                wait = min(LONGEST_WAIT, max(0.02, job.durations.median or LONGEST_WAIT))
                waited += self._listen(wait)
                if (now := time.monotonic()) > look:
                    look = now + wait
                    self._replace_late(now)
                    self._repeat_late(now, job, work, items)
        finally:
            job.over = True
        memory = max((handle.memory for handle in self._handles), default=0)
        self._tell("map", **job.report(self.workers, time.perf_counter() - began, waited, memory))
        return job.results

    def close(self) -> None:
        """End the workers, and the connection where this executor made it, with the Ray that it started."""
        handles, self._handles = self._handles, []
        if self._owns_ray:
            ray.shutdown()
        elif ray.is_initialized():
            for handle in handles:
                _kill(handle)

    # Dealing

    def _assign(self, job: MapJob, work: Any, items: Sequence[Any]) -> None:
        """Give every free worker an item, first to those without any."""
        workers = self.workers
        for depth in range(IN_FLIGHT):
            for handle in self._handles:
                if not job.waiting:
                    return
                if len(handle.held) == depth and handle.free_for(job, workers):
                    self._send(handle, job, job.take(), work, items)

    def _repeat_late(self, now: float, job: MapJob, work: Any, items: Sequence[Any]) -> None:
        """Have idle workers repeat what is late, once nothing else is left to do."""
        if job.waiting:
            return
        idle = [handle for handle in self._handles if handle.about is not None and not handle.held]
        for handle, item in zip(idle, job.late(self._handles, now) if idle else (), strict=False):
            job.repeat(item)
            self._tell("item_repeated", function=job.kind, item=item, worker=handle.name)
            self._send(handle, job, item, work, items)

    def _send(self, handle: WorkerHandle, job: MapJob, item: int, work: Any, items: Sequence[Any]) -> None:
        if not handle.held:
            handle.since = time.monotonic()
        handle.held.append((job, item))
        self._post(handle, job, item, handle.actor.run.remote(work, items[item]))

    def _post(self, handle: WorkerHandle, job: MapJob | None, item: int, reference: Any) -> None:
        """Have the answer put into the inbox, by a thread of Ray."""
        reference.future().add_done_callback(lambda future: self._inbox.put((handle, job, item, future)))

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
        if handle not in self._handles:
            return  # lost before; its items are elsewhere by now
        error = future.exception()
        if job is None:
            self._welcome(handle, error, None if error else future.result())
        elif isinstance(error, RayTaskError):
            self._next_item(handle)
            if not job.over:
                raise original(error)
        elif error is not None:
            self._lose(handle, cause_of(str(error)))
        else:
            answer, first = future.result(), handle.answers == 0
            self._next_item(handle)
            handle.memory = answer.memory
            job.answer(item, answer.result, answer.seconds, first)
            job.cpu += answer.cpu_seconds

    @staticmethod
    def _next_item(handle: WorkerHandle) -> None:
        handle.held.popleft()
        handle.answers += 1
        handle.since = time.monotonic()

    # Workers that come and go

    def _start(self) -> None:
        """Start the first workers and wait until they are ready; after a while, go on with those that are."""
        wanted = self._room()
        if not wanted:
            raise SearchError(
                f"no node of the cluster has the {self._placement} of a worker; see `ray status`"
            )
        self._add_workers(wanted)
        began = time.monotonic()
        while self.workers < len(self._handles):
            patience = self._patience.start * (0.1 if self.workers else 1.0)
            if time.monotonic() > began + patience:
                break
            with suppress(queue.Empty):
                self._take(*self._inbox.get(timeout=LONGEST_WAIT))
        if not self.workers:
            raise SearchError(
                f"no worker was ready within {self._patience.start:g} s: others hold the {self._placement} that "
                "each takes; see `ray status`"
            )
        hosts = sorted({handle.about["host"] for handle in self._handles if handle.about})
        self._tell("workers", ready=self.workers, wanted=wanted, hosts=hosts, cpus=sorted(self._kinds))
        self._running = True

    def _room(self) -> int:
        """Return how many workers there should be."""
        room = self._placement.room(_resources())
        room = max(0, room - self._given_up)
        return room if self._bound is None else min(room, self._bound)

    def _look_for_nodes(self) -> None:
        """Have as many workers as there is room for, after a loss or when nodes joined."""
        now = time.monotonic()
        if now < self._next_look:
            return
        self._next_look = now + NODES_EVERY
        room = self._room()
        starting = [handle for handle in self._handles if handle.about is None]
        for handle in starting[: max(0, len(self._handles) - room)]:
            self._remove(handle)  # its node left before it was ready
        self._add_workers(room - len(self._handles))

    def _add_workers(self, number: int) -> None:
        for _ in range(number):
            handle = WorkerHandle(self._made, self._make_actor(), time.monotonic())
            self._made += 1
            self._handles.append(handle)
            self._post(handle, None, 0, handle.actor.describe.remote())

    def _make_actor(self, **options: Any) -> Any:
        threads = self._placement.cpus
        actor = ray.remote(WorkerProcess).options(
            num_cpus=threads,
            num_gpus=self._placement.gpus,
            max_restarts=0,
            runtime_env={"env_vars": thread_environment(threads)},
            **options,
        )
        return actor.remote(self._factory)

    def _welcome(
        self, handle: WorkerHandle, error: BaseException | None, about: dict[str, Any] | None
    ) -> None:
        """Let a new worker in; refuse one of another build."""
        if about is None:
            self._turn_away(handle, "worker_lost", f"could not start: {last_line(str(error))}")
        elif difference := build_difference(self._build, about["build"]):
            self._failed_starts = FAILED_STARTS
            self._turn_away(
                handle, "worker_refused", f"on {about['host']}: another build of hebbevo: {difference}"
            )
        else:
            self._failed_starts = 0
            handle.about, handle.memory = about, about["memory"]
            self._tell("worker_started", worker=handle.name, cpu=about["cpu"], memory=handle.memory)
            if self._kinds and about["cpu"] not in self._kinds:
                self._tell("mixed_cpus", cpus=sorted({*self._kinds, about["cpu"]}))
            self._kinds.add(about["cpu"])

    def _turn_away(self, handle: WorkerHandle, kind: str, cause: str) -> None:
        """Do without a worker that cannot work: an error at the start of a run, an event later on."""
        self._remove(handle)
        if not self._running:
            raise SearchError(f"a worker {cause}; install the same hebbevo on every node (docs/cluster.md)")
        self._tell(kind, worker=handle.name, cause=cause, memory=0, items=0)
        self._failed_starts += 1
        if self._failed_starts >= FAILED_STARTS:
            self._failed_starts = 0
            self._given_up += 1

    def _lose(self, handle: WorkerHandle, cause: str, expired: bool = False) -> None:
        """Replace a worker; what it held goes back to be dealt."""
        self._remove(handle)
        self._tell(
            "worker_lost", worker=handle.name, cause=cause, memory=handle.memory, items=len(handle.held)
        )
        for position, (job, item) in reversed(list(enumerate(handle.held))):
            deaths = job.lose(item, running=position == 0, expired=expired)
            if deaths >= self._patience.deaths and not job.done(item):
                raise SearchFailure(f"item {item} of {job.kind} ended {deaths} workers, the last: {cause}")
        self._next_look = 0.0
        self._look_for_nodes()

    def _remove(self, handle: WorkerHandle) -> None:
        self._handles.remove(handle)
        _kill(handle)

    def _replace_late(self, now: float) -> None:
        """Replace workers that are out of time; give up when none is left."""
        for handle in list(self._handles):
            if handle.held and handle in self._handles:
                held, item = handle.held[0]
                if now - handle.since > held.deadline(item, self._patience, handle.answers == 0):
                    usual = held.durations.median or 0.0
                    cause = f"hung or slow: no answer for {now - handle.since:.1f} s, {usual:.2g} s is usual"
                    self._lose(handle, cause, expired=True)
        if self.workers:
            self._last_ready = now
            return
        self._look_for_nodes()
        if now - self._last_ready > self._patience.start:
            raise SearchFailure(
                f"no worker is left, and none came within {self._patience.start:g} s; see `ray status`"
            )


def _resources() -> list[dict[str, float]]:
    """Return what each node that lives has, as `CPU` and `GPU`."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    return [node["Resources"] for node in nodes if node["Alive"]]


def _kill(handle: WorkerHandle) -> None:
    with suppress(RayError, ValueError):
        ray.kill(handle.actor)


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
