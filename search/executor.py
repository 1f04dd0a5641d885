"""The protocol of executors, which run the many small, pure pieces of work of a generation.

`function(worker, shared, item)` must be pure in (shared, item): the worker only holds things that are
expensive to build (compiled kernels, environments, buffers), so that a piece may run on any worker, and run
again, with the same result. It must be a module-level function, because other executors send it by name.
"""

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from typing_extensions import TypeVar as TypeVarWithDefault

Worker = TypeVar("Worker")
Worker_co = TypeVarWithDefault("Worker_co", covariant=True, default=object)
Shared = TypeVar("Shared")
Item = TypeVar("Item")
Result = TypeVar("Result")


class Executor(Protocol[Worker_co]):
    """Runs pure functions on workers of one kind."""

    @property
    def workers(self) -> int:
        """Number of workers that can run at the same time."""
        ...

    def map(
        self, function: Callable[[Worker_co, Shared, Item], Result], shared: Shared, items: Sequence[Item]
    ) -> list[Result]:
        """Return `function(worker, shared, item)` of every item, in the order of the items."""
        ...

    def close(self) -> None:
        """Release threads, processes and workers; the executor is not used afterwards."""
        ...
