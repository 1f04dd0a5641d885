"""Threads of this process as workers."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

from hebbevo.errors import SearchError
from hebbevo.search.executor import Item, Result, Shared

Worker = TypeVar("Worker")


class InProcess(Generic[Worker]):
    """Threads of this process, each with a worker of its own that is kept until the executor closes.

    Worth more than one thread where the work releases the GIL (MuJoCo, the compiled kernels, NumPy).
    """

    def __init__(self, make_worker: Callable[[], Worker], threads: int) -> None:
        """Start nothing yet: threads begin with the first items, workers are made in their thread.

        Raises:
            SearchError: no thread.
        """
        if threads < 1:
            raise SearchError(f"threads must be at least 1, got {threads}")
        self._make_worker = make_worker
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="hebbevo-worker")
        self._local = threading.local()
        self._made: list[Worker] = []

    @property
    def workers(self) -> int:
        """Number of threads."""
        return self._threads

    def map(
        self, function: Callable[[Worker, Shared, Item], Result], shared: Shared, items: Sequence[Item]
    ) -> list[Result]:
        """Run each item on the next free thread; return the results in the order of the items.

        On an exception of an item, or KeyboardInterrupt in the caller, no further item begins and the running
        ones are waited for; then the exception goes on to the caller. A worker whose items take long may have an
        `interrupt` method, which is called then and makes its item fail.
        """
        results: dict[int, Result] = {}
        pending, stop = iter(enumerate(list(items))), threading.Event()  # next() on it is atomic

        def run() -> None:
            while not stop.is_set() and (position_and_item := next(pending, None)) is not None:
                position, item = position_and_item
                results[position] = self._run(function, shared, item)

        futures: list[Future[None]] = []
        try:
            for _ in range(min(self._threads, len(items))):
                futures.append(self._pool.submit(run))
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()  # raises the exception of an item
        except BaseException:
            for worker in list(self._made):
                getattr(worker, "interrupt", _nothing)()
            raise
        finally:
            stop.set()
            wait(futures)
        return [results[position] for position in range(len(items))]

    def close(self) -> None:
        """End the threads and close the workers that have a `close` method."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        for worker in self._made:
            close = getattr(worker, "close", None)
            if close is not None:
                close()
        self._made.clear()

    def _run(self, function: Callable[[Worker, Shared, Item], Result], shared: Shared, item: Item) -> Result:
        if not hasattr(self._local, "worker"):
            self._local.worker = self._make_worker()
            self._made.append(self._local.worker)  # list.append is atomic
        return function(self._local.worker, shared, item)


def _nothing() -> None:
    """Stand in for a method that a worker does not have."""
