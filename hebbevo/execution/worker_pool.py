"""The workers of an executor: started, admitted, replaced when lost or late, given up. No Ray here."""

import time
from collections.abc import Callable
from typing import Any, Protocol

from hebbevo.errors import SearchError, SearchFailure
from hebbevo.execution.build import Build, Machine, build_difference, machine_difference
from hebbevo.execution.events import Listener
from hebbevo.execution.placement import Placement
from hebbevo.execution.ray_setup import last_line
from hebbevo.execution.scheduling import WorkerHandle, WorkerLimits

NODE_CHECK_SECONDS = 1.0
"""Between looks for nodes that joined or left."""
FAILED_STARTS = 5
"""Starts that fail in a row until the pool does with one worker less."""
MAXIMUM_WAIT_SECONDS = 0.5
"""Between looks at which workers are late."""


class Processes(Protocol):
    """Starts and ends the processes of workers on the nodes of a cluster."""

    def nodes(self) -> list[dict[str, float]]:
        """Return the `CPU` and `GPU` of every node that is up."""
        ...

    def start(self) -> Any:
        """Start a process, and return the actor of a `WorkerHandle`."""
        ...

    def describe(self, handle: WorkerHandle) -> None:
        """Ask a process for its description, which arrives at `WorkerPool.admit`."""
        ...

    def end(self, handle: WorkerHandle) -> None:
        """End a process, dead or alive."""
        ...


class WorkerPool:
    """As many workers as there is room for, or as the caller allows.

    Args:
        processes: starts and ends them.
        placement: CPUs and GPUs that each takes.
        maximum: of workers; None is as many as there is room for.
        limits: when a worker counts as hung.
        build: that every worker must run.
        machine: of the driver; nodes that differ are named.
        on_event: is told of workers that come and go.
    """

    def __init__(
        self,
        processes: Processes,
        placement: Placement,
        maximum: int | None,
        limits: WorkerLimits,
        build: Build,
        machine: Machine,
        on_event: Listener,
    ) -> None:
        self.handles: list[WorkerHandle] = []
        self.cpu_kinds: set[str] = set()
        self._processes = processes
        self._placement = placement
        self._maximum = maximum
        self._limits = limits
        self._build, self._machine = build, machine
        self._named: set[tuple[str, str]] = set()
        self._on_event = on_event
        self._started = self._failed_starts = self._given_up = 0
        self._next_node_check = 0.0
        self._running = False
        self._last_ready = time.monotonic()

    @property
    def ready(self) -> int:
        """Number of workers that can take items."""
        return sum(handle.description is not None for handle in self.handles)

    def start(self, listen: Callable[[float], object]) -> None:
        """Start the first workers and wait until they are ready; after a while, go on with those that are.

        Args:
            listen: takes the answers that arrive within some seconds.

        Raises:
            SearchError: no room, none ready in time, or one that was refused.
        """
        wanted = self._room()
        if not wanted:
            raise SearchError(
                f"no node of the cluster has the {self._placement} of a worker; see `ray status`"
            )
        self._add(wanted)
        began = time.monotonic()
        while self.ready < len(self.handles):
            limit = self._limits.start * (0.1 if self.ready else 1.0)
            if time.monotonic() > began + limit:
                break
            listen(MAXIMUM_WAIT_SECONDS)
        if not self.ready:
            raise SearchError(
                f"no worker was ready within {self._limits.start:g} s: others hold the {self._placement} that "
                "each takes; see `ray status`"
            )
        hosts = sorted({handle.description["host"] for handle in self.handles if handle.description})
        self._on_event("workers", ready=self.ready, wanted=wanted, hosts=hosts, cpus=sorted(self.cpu_kinds))
        self._running = True

    def fill(self) -> None:
        """Have as many workers as there is room for, after a loss or when nodes joined or left."""
        now = time.monotonic()
        if now < self._next_node_check:
            return
        self._next_node_check = now + NODE_CHECK_SECONDS
        room = self._room()
        starting = [handle for handle in self.handles if handle.description is None]
        for handle in starting[: max(0, len(self.handles) - room)]:
            self._remove(handle)  # its node left before it was ready
        self._add(room - len(self.handles))

    def admit(
        self, handle: WorkerHandle, error: BaseException | None, description: dict[str, Any] | None
    ) -> None:
        """Let a new worker take items; refuse one of another build."""
        if description is None:
            self._reject(handle, "worker_lost", f"could not start: {last_line(str(error))}")
        elif difference := build_difference(self._build, description["build"]):
            self._failed_starts = FAILED_STARTS
            cause = f"on {description['host']}: another build of hebbevo: {difference}"
            self._reject(handle, "worker_refused", cause)
        else:
            self._failed_starts = 0
            handle.description, handle.memory = description, description["memory"]
            cpu = description["machine"]["cpu"]
            self._on_event("worker_started", worker=handle.name, cpu=cpu, memory=handle.memory)
            self.cpu_kinds.add(cpu)
            self._name_difference(description)

    def _name_difference(self, description: dict[str, Any]) -> None:
        """Tell, once for each host, how it differs from the driver: results there may have other last bits."""
        difference = machine_difference(self._machine, description["machine"])
        if difference and (description["host"], difference) not in self._named:
            self._named.add((description["host"], difference))
            self._on_event("other_machine", host=description["host"], difference=difference)

    def lose(self, handle: WorkerHandle, cause: str, expired: bool = False) -> None:
        """Replace a worker; the items that it held wait again.

        Raises:
            SearchFailure: an item has ended too many workers.
        """
        self._remove(handle)
        lost, memory = len(handle.held), handle.memory
        self._on_event("worker_lost", worker=handle.name, cause=cause, memory=memory, items=lost)
        for position, (job, item) in reversed(list(enumerate(handle.held))):
            losses = job.lose(item, running=position == 0, expired=expired)
            if losses >= self._limits.losses and not job.done(item):
                raise SearchFailure(
                    f"item {item} of {job.function} ended {losses} workers, the last: {cause}"
                )
        self._next_node_check = 0.0
        self.fill()

    def replace_late(self, now: float) -> None:
        """Replace workers that kept an item past its deadline.

        Raises:
            SearchFailure: no worker is left, and none came in time.
        """
        for handle in list(self.handles):
            if handle.held and handle in self.handles:
                job, item = handle.held[0]
                if now - handle.since > job.deadline(item, self._limits, handle.answers == 0):
                    usual = job.durations.median or 0.0
                    cause = f"hung or slow: no answer for {now - handle.since:.1f} s, {usual:.2g} s is usual"
                    self.lose(handle, cause, expired=True)
        if self.ready:
            self._last_ready = now
            return
        self.fill()
        if now - self._last_ready > self._limits.start:
            raise SearchFailure(
                f"no worker is left, and none came within {self._limits.start:g} s; see `ray status`"
            )

    def _room(self) -> int:
        """Return how many workers there should be."""
        room = max(0, self._placement.room(self._processes.nodes()) - self._given_up)
        return room if self._maximum is None else min(room, self._maximum)

    def _add(self, number: int) -> None:
        for _ in range(number):
            handle = WorkerHandle(self._started, self._processes.start(), time.monotonic())
            self._started += 1
            self.handles.append(handle)
            self._processes.describe(handle)

    def _reject(self, handle: WorkerHandle, event: str, cause: str) -> None:
        """Do without a worker that cannot work: an error at the start of a run, an event later on."""
        self._remove(handle)
        if not self._running:
            raise SearchError(f"a worker {cause}; install the same hebbevo on every node (docs/cluster.md)")
        self._on_event(event, worker=handle.name, cause=cause, memory=0, items=0)
        self._failed_starts += 1
        if self._failed_starts >= FAILED_STARTS:
            self._failed_starts = 0
            self._given_up += 1

    def _remove(self, handle: WorkerHandle) -> None:
        self.handles.remove(handle)
        self._processes.end(handle)
