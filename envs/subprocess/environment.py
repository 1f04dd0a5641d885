"""An environment that holds the GIL, with rows stepped by processes of this machine.

Row r belongs to process r mod n, so that the first few lifetimes of a batch keep every process busy. What a lifetime
experiences depends on its row alone, so that the number of processes changes no bit.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from multiprocessing.util import Finalize
from typing import Final

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs.base import BatchedEnvironment
from hebbevo.envs.config import EnvConfig
from hebbevo.envs.subprocess.process import CONTEXT, Failure, Reset, SharedArrays, Step, serve
from hebbevo.imports import Imports

PATIENCE: Final = 30.0
"""Seconds that processes have to end by themselves before they are killed."""


class ProcessEnvironment(BatchedEnvironment):
    """A batch with rows in several processes; to the caller it is the batch that `config` builds.

    A program that makes one must be importable (``if __name__ == "__main__":``), as for any new Python process.

    Args:
        config: of the environment.
        batch_size: most lifetimes side by side.
        processes: how many; no more than rows are started.

    Raises:
        EnvError: the environment cannot be built.
        ChildProcessError: a process ended.
    """

    def __init__(self, config: EnvConfig, batch_size: int, processes: int) -> None:
        interface = config.interface
        super().__init__(batch_size, interface.observation_size, interface.action_size)
        self.image_shape, self.action_slopes = interface.image_shape, interface.action_slopes
        _compile_kernels(config)
        self.config = config
        self.processes = max(1, min(processes, batch_size))
        shared = SharedArrays(batch_size, self.observation_size, self.action_size)
        views = shared.views()
        self._actions: npt.NDArray[np.float32] = views.pop("actions")
        vars(self).update(views)
        self._links: list[Connection] = []
        self._children: list[SpawnProcess] = []
        # At the end of the program, before multiprocessing waits for processes that wait for commands.
        self._end = Finalize(self, _end, (self._links, self._children), exitpriority=10)
        try:
            for number in range(self.processes):
                self._start(shared, number)
            _raise_first(self._gather(range(self.processes)))
        except BaseException:
            self.close()
            raise

    @override
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        count, n = self._check_reset(seeds, morphologies), self.processes
        self._carry_out({part: (seeds[part::n], morphologies[part::n]) for part in range(min(n, count))})

    @override
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        self._actions[...] = actions
        owner, local = active % self.processes, active // self.processes
        self._carry_out({int(part): local[owner == part] for part in np.unique(owner)})

    @override
    def close(self) -> None:
        self._end()

    def _start(self, shared: SharedArrays, number: int) -> None:
        """Start a process; it answers once its environment is built."""
        here, there = CONTEXT.Pipe()
        rows = slice(number, None, self.processes)
        child = CONTEXT.Process(
            target=serve,
            args=(Imports(), there, self.config, shared, rows),
            name=f"{self.config.name} {number + 1} of {self.processes}",
            daemon=True,
        )
        with _without_signals():
            child.start()
        there.close()
        self._links.append(here)
        self._children.append(child)

    def _carry_out(self, commands: Mapping[int, Reset | Step]) -> None:
        """Send each process a command and wait for all; an exception in between ends all of them."""
        if not self._links:
            raise ChildProcessError(
                f"the processes of {self.config.name} have ended; build another environment"
            )
        try:
            for number, command in commands.items():
                self._send(number, command)
            failures = self._gather(commands)
        except BaseException:
            self.close()
            raise
        _raise_first(failures)

    def _send(self, number: int, command: Reset | Step) -> None:
        try:
            self._links[number].send(command)
        except OSError:
            raise self._ended(number) from None

    def _gather(self, numbers: Iterable[int]) -> list[Failure | None]:
        """Wait for the answers of some processes."""
        answers: list[Failure | None] = []
        for number in numbers:
            try:
                answers.append(self._links[number].recv())
            except (EOFError, OSError):
                raise self._ended(number) from None
        return answers

    def _ended(self, number: int) -> ChildProcessError:
        child = self._children[number]
        child.join(PATIENCE)
        return ChildProcessError(
            f"environment process {child.name} {_how(child.exitcode)}; is its memory full? "
            "fewer threads or a smaller batch_size need less"
        )


def _compile_kernels(config: EnvConfig) -> None:
    """Start a lifetime in this process, so that every other one finds the compiled kernels on disk."""
    with closing(config.build(1)) as environment:
        environment.reset([0], config.morphology_names[:1])


def _raise_first(answers: Iterable[Failure | None]) -> None:
    for failure in answers:
        if failure is not None:
            raise failure.error()


def _how(exitcode: int | None) -> str:
    if exitcode is not None and exitcode < 0:
        return f"was killed by signal {-exitcode}"
    return f"ended with exit code {exitcode}"


def _end(links: list[Connection], children: list[SpawnProcess]) -> None:
    """Close the links, at which the processes end; kill those that do not."""
    for link in links:
        link.close()
    links.clear()
    deadline = time.monotonic() + PATIENCE
    for child in children:
        child.join(max(0.0, deadline - time.monotonic()))
        if child.is_alive():
            child.kill()
            child.join()
    children.clear()


@contextmanager
def _without_signals() -> Iterator[None]:
    """Let processes started inside ignore Ctrl-C and SIGTERM, which reach a group as one: `close` ends them."""
    if sys.platform == "win32":
        yield
        return
    resource_tracker.ensure_running()  # unblocks both signals when it starts, so it has to be there
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
