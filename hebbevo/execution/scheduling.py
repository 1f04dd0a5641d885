"""Which item goes to which worker, and for how long a worker may keep it. No process, no network, no clock.

A worker gets an item when it is free, and one more that waits there while many are left. At the end, an idle worker
repeats an item that waits behind another one or takes longer than any did before: backup tasks (Dean & Ghemawat 2004,
MapReduce, section 3.6). An item is pure, so whichever answer comes first counts.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

IN_FLIGHT = 2
"""Items at a worker: one runs, one waits, so that no worker waits for the driver."""


@dataclass(frozen=True)
class WorkerLimits:
    """How long a worker may keep an item, in seconds, and how many workers an item may end.

    Attributes:
        minimum: seconds after which a worker counts as hung, at the least.
        factor: the same, as a multiple of the median so far, where that is more. Four times longer whenever the same
            item expires again: it may really take that long.
        first: seconds for a worker's first item, which may compile.
        start: seconds to wait while no worker at all is ready.
        losses: workers lost under one item that end the run.
    """

    minimum: float = 60.0
    factor: float = 20.0
    first: float = 900.0
    start: float = 300.0
    losses: int = 3


class Durations:
    """Seconds that the last items of one function took."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=200)
        self._median: float | None = None  # computed when asked for

    def add(self, seconds: float) -> None:
        """Record one."""
        self._recent.append(seconds)
        self._median = None

    @property
    def median(self) -> float | None:
        """The median, or None before the first."""
        if self._median is None and self._recent:
            self._median = median(self._recent)
        return self._median

    def deadline(self, limits: WorkerLimits, first: bool, expiries: int) -> float:
        """Return the seconds that an item may take; `first` of its worker, expired `expiries` times before."""
        middle = self.median
        if first or middle is None:
            return limits.first
        return max(limits.minimum, limits.factor * middle) * 4.0**expiries

    @property
    def backup(self) -> float:
        """Seconds after which an item is worth repeating on an idle worker."""
        return 1.2 * max(self._recent) + 0.05 if self._recent else float("inf")


@dataclass(eq=False)
class MapJob:
    """The items of one map: which wait, which are out at workers, which are done."""

    function: str
    size: int
    durations: Durations
    results: list[Any] = field(init=False)
    waiting: deque[int] = field(init=False)
    out: dict[int, int] = field(init=False)  # item -> copies at workers
    busy: float = 0.0  # seconds that workers spent on it
    cpu: float = 0.0  # of which their CPUs worked for them: less on a node that others use too
    repeated: int = 0
    lost: int = 0
    over: bool = False

    def __post_init__(self) -> None:
        self.results = [None] * self.size
        self.waiting = deque(range(self.size))
        self.out = {}
        self._done = bytearray(self.size)
        self._left = self.size
        self._losses: dict[int, int] = {}
        self._expiries: dict[int, int] = {}

    @property
    def complete(self) -> bool:
        """Whether every item has its result."""
        return not self._left

    def done(self, item: int) -> bool:
        """Whether nobody needs the item any more."""
        return self.over or bool(self._done[item])

    def room(self, held: int, workers: int) -> bool:
        """Whether a worker that holds `held` items should get one more."""
        depth = IN_FLIGHT if len(self.waiting) > workers else 1
        return bool(self.waiting) and held < depth

    def take(self) -> int:
        """Return the next item, for a worker."""
        item = self.waiting.popleft()
        self.out[item] = self.out.get(item, 0) + 1
        return item

    def repeat(self, item: int) -> None:
        """Count another copy of an item that is out."""
        self.out[item] += 1
        self.repeated += 1

    def answer(self, item: int, result: Any, seconds: float, first: bool) -> None:
        """Record a result; only the first of an item counts, and the `first` of a worker may have compiled."""
        self.busy += seconds
        if not first:
            self.durations.add(seconds)
        self._return(item)
        if not self.done(item):
            self._done[item] = 1
            self._left -= 1
            self.results[item] = result

    def lose(self, item: int, *, running: bool, expired: bool) -> int:
        """Take an item back from a lost worker, to be sent next; return how many workers died running it."""
        self._return(item)
        if running:
            counts = self._expiries if expired else self._losses
            counts[item] = counts.get(item, 0) + 1
        if not self.done(item) and item not in self.out:
            self.waiting.appendleft(item)
            self.lost += 1
        return self._losses.get(item, 0)

    def deadline(self, item: int, limits: WorkerLimits, first: bool) -> float:
        """Return the seconds that a worker may take over an item; `first`: it is the worker's first."""
        return self.durations.deadline(limits, first, self._expiries.get(item, 0))

    def late(self, handles: Iterable["WorkerHandle"], now: float) -> list[int]:
        """Return the items that idle workers should repeat, those that are out longest first.

        An item is late if it waits behind another one, or runs longer than any did lately; one copy is enough.
        """
        usual = self.durations.backup
        found = [
            (now - handle.since, item)
            for handle in handles
            for position, (job, item) in enumerate(handle.held)
            if job is self and (position or now - handle.since > usual)
        ]
        return [
            item for _, item in sorted(found, reverse=True) if not self.done(item) and self.out[item] == 1
        ]

    def report(self, workers: int, seconds: float, waited: float, memory: int) -> dict[str, Any]:
        """Return the fields of a `map` event; utilisation is the part of the workers' time that went into items."""
        return {
            "function": self.function,
            "items": self.size,
            "workers": workers,
            "seconds": seconds,
            "busy_seconds": self.busy,
            "cpu_seconds": self.cpu,
            "utilisation": self.busy / (max(1, workers) * seconds),
            "driver_seconds": seconds - waited,
            "repeated": self.repeated,
            "lost": self.lost,
            "worker_memory": memory,
        }

    def _return(self, item: int) -> None:
        self.out[item] -= 1
        if not self.out[item]:
            del self.out[item]


@dataclass(eq=False)
class WorkerHandle:
    """A worker's process and the items that it holds, the running one first.

    Attributes:
        actor: the process, in Ray's terms.
        since: `time.monotonic` at which the running item, or the process itself, began.
        description: `WorkerProcess.describe`; None until the worker is ready.
        memory: bytes that the process held at its last answer.
    """

    number: int
    actor: Any
    since: float
    description: dict[str, Any] | None = None
    held: deque[tuple[MapJob, int]] = field(default_factory=deque)
    answers: int = 0
    memory: int = 0

    @property
    def name(self) -> str:
        """The number, machine and process, for messages."""
        if self.description is None:
            return f"{self.number}"
        return f"{self.number} on {self.description['host']}, process {self.description['pid']}"

    def free_for(self, job: MapJob, workers: int) -> bool:
        """Whether it should get one more item; one that others have done, or a former map's, keeps it busy."""
        stale = any(held is not job or job.done(item) for held, item in self.held)
        return self.description is not None and not stale and job.room(len(self.held), workers)
