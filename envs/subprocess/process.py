"""A process that steps some rows of an environment: its arrays lie in memory shared with the process that commands it.

Commands and answers go through a pipe. The process ends when the other end of the pipe is gone, also where a program
was killed: no process is left behind.
"""

from __future__ import annotations

import ctypes
import math
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hebbevo.envs.base import BatchedEnvironment
from hebbevo.envs.config import EnvConfig
from hebbevo.errors import EnvError
from hebbevo.imports import Imports

CONTEXT: Final = get_context("spawn")

Reset = tuple[Sequence[int], Sequence[str]]
"""Seeds and morphologies of the lifetimes to start."""
Step = npt.NDArray[np.int64]
"""The rows to move."""


class SharedArrays:
    """The arrays of a batch and its actions, in memory that a process gets when it is started.

    The memory is a file without a name (in /dev/shm where it fits, else in the folder for temporary files), which is
    gone with the last process that maps it.
    """

    def __init__(self, batch_size: int, observation_size: int, action_size: int) -> None:
        self._shapes: dict[str, tuple[tuple[int, ...], type[Any]]] = {
            "observations": ((batch_size, observation_size), np.float32),
            "rewards": ((batch_size,), np.float64),
            "done": ((batch_size,), np.bool_),
            "terminated": ((batch_size,), np.bool_),
            "diverged": ((batch_size,), np.bool_),
            "actions": ((batch_size, action_size), np.float32),
        }
        self._memory = {
            name: CONTEXT.RawArray(ctypes.c_byte, max(1, math.prod(shape) * np.dtype(kind).itemsize))
            for name, (shape, kind) in self._shapes.items()
        }

    def views(self) -> dict[str, npt.NDArray[Any]]:
        """Return the arrays by name, one row a lifetime."""
        return {
            name: np.frombuffer(memoryview(self._memory[name]), kind, math.prod(shape)).reshape(shape)
            for name, (shape, kind) in self._shapes.items()
        }


@dataclass(frozen=True)
class Failure:
    """An exception in the process: the environment's message on bad input, or any other."""

    message: str
    bad_input: bool
    trace: str

    def error(self) -> Exception:
        """Return the exception to raise on the other side."""
        if self.bad_input:
            return EnvError(self.message)
        error = RuntimeError(self.message)
        error.add_note(f"In the environment's process:\n{self.trace}")
        return error


def serve(_: Imports, link: Connection, config: EnvConfig, shared: SharedArrays, rows: slice) -> None:
    """Build the environment of every row in `rows`, and carry out commands until the other end of the link is gone.

    Every command, and the building before the first, is answered by None or a `Failure`.
    """
    environment: BatchedEnvironment | None = None
    views = {name: view[rows] for name, view in shared.views().items()}
    actions = views.pop("actions")
    command: Reset | Step | None = None
    try:
        while True:
            try:
                if environment is None:
                    environment = config.build(len(actions))
                    vars(environment).update(views)  # it writes into the shared rows from now on
                elif isinstance(command, np.ndarray):
                    environment.step(actions, command)
                elif command is not None:
                    environment.reset(*command)
                link.send(None)
            except Exception as error:  # noqa: BLE001  (it goes on to the caller, in the other process)
                link.send(_failure(error))
            command = link.recv()
    except (EOFError, OSError):  # the other end is gone
        pass
    finally:
        if environment is not None:
            environment.close()


def _failure(error: Exception) -> Failure:
    bad_input = isinstance(error, EnvError)
    message = str(error) if bad_input else f"{type(error).__name__}: {error}"
    return Failure(message, bad_input, traceback.format_exc())
