"""Which item goes to which worker, and for how long a worker may keep it. No process, no network, no clock.

Items are dealt as workers become free, with one more waiting at each worker while many are left. At the end,
an idle worker repeats an item that waits behind another one or takes longer than any did before: backup
tasks (Dean & Ghemawat 2004, MapReduce, section 3.6). An item is pure, so whichever answer comes first counts.
"""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any

IN_FLIGHT = 2  # items at a worker: one runs, one waits, so that no worker waits for the driver


@dataclass(frozen=True)
class Patience:
    """How long, in seconds, a worker may keep an item before it counts as hung.

    `floor`, or `factor` times the median so far if that is more; four times longer whenever the same item
    runs out of time again, as it may really be that long. A worker's `first` item may compile. `start` is how
    long to wait while no worker at all is ready. `deaths` of workers under one item end the run.
    """

    floor: float = 60.0
    factor: float = 20.0
    first: float = 900.0
    start: float = 300.0
    deaths: int = 3


class Durations:
    """Seconds that items of one kind took lately."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque(maxlen=200)
        self._median: float | None = None  # computed when asked for

    def add(self, seconds: float) -> None:
        """Take note of one."""
        self._recent.append(seconds)
        self._median = None

    @property
    def median(self) -> float | None:
        """The median, or None before the first."""
        if self._median is None and self._recent:
            self._median = median(self._recent)
        return self._median

    def deadline(self, patience: Patience, first: bool, expiries: int) -> float:
        """Return how long an item may take; `first` of its worker, out of time `expiries` times before."""
        middle = self.median
        if first or middle is None:
            return patience.first
        return max(patience.floor, patience.factor * middle) * 4.0**expiries

    @property
    def backup(self) -> float:
        """After how long an item is worth repeating on an idle worker."""
        return 1.2 * max(self._recent) + 0.05 if self._recent else float("inf")


@dataclass(eq=False)
class MapJob:
    """The items of one map: which wait, which are out, which are done."""

    kind: str
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
        self._deaths: dict[int, int] = {}
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
        """Take a result; only the first of an item counts, and the `first` of a worker may have compiled."""
        self.busy += seconds
        if not first:
            self.durations.add(seconds)
        self._return(item)
        if not self.done(item):
            self._done[item] = 1
            self._left -= 1
            self.results[item] = result

    def lose(self, item: int, *, running: bool, expired: bool) -> int:
        """Take an item back from a lost worker, to be dealt next; return how many died running it."""
        self._return(item)
        if running:
            counts = self._expiries if expired else self._deaths
            counts[item] = counts.get(item, 0) + 1
        if not self.done(item) and item not in self.out:
            self.waiting.appendleft(item)
            self.lost += 1
        return self._deaths.get(item, 0)

    def deadline(self, item: int, patience: Patience, first: bool) -> float:
        """Return how long a worker may take over an item."""
        return self.durations.deadline(patience, first, self._expiries.get(item, 0))

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
        """Return what the map came to: utilisation is the part of the workers' time that went into items."""
        return {
            "function": self.kind,
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
    """A worker's process and the items that it holds, the running one first."""

    number: int
    actor: Any
    since: float  # when the running item, or the process itself, began
    about: dict[str, Any] | None = None  # its description, once it is ready
    held: deque[tuple[MapJob, int]] = field(default_factory=deque)
    answers: int = 0
    memory: int = 0

    @property
    def name(self) -> str:
        """Say which process of which machine it is."""
        return (
            f"{self.number} on {self.about['host']}, process {self.about['pid']}"
            if self.about
            else f"{self.number}"
        )

    def free_for(self, job: MapJob, workers: int) -> bool:
        """Whether it should get one more item; one that others have done, or a former map's, keeps it busy."""
        stale = any(held is not job or job.done(item) for held, item in self.held)
        return self.about is not None and not stale and job.room(len(self.held), workers)
