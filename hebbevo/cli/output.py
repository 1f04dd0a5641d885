"""The output of commands and scripts: plain lines, and figures as JSON in a file or on standard output."""

from __future__ import annotations

import io
import json
import logging
import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from hebbevo.io.atomic import check_writable, write_atomically
from hebbevo.io.text import visible

if TYPE_CHECKING:
    from rich.console import Console

STANDARD_OUTPUT = "-"
_logger = logging.getLogger(__name__)


def print_what_cannot_be_encoded() -> None:
    """Let standard output write characters that it has no code for as ``\\xb7``, where they were an error."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors in ("strict", "surrogateescape"):
        sys.stdout.reconfigure(errors="backslashreplace")


class LastingOutput:
    """A file that is written to as long as it can be: nothing that it does ends a run.

    Once a write fails (the reader of a pipe is gone, the disk is full), what follows goes nowhere.
    """

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def write(self, text: str) -> int:
        """Write a text; return its length."""
        self._try(lambda: self._file.write(text))
        return len(text)

    def flush(self) -> None:
        """Write what is in buffers."""
        self._try(self._file.flush)

    def __getattr__(self, name: str) -> Any:
        """Be the file in everything else."""
        return getattr(self._file, name)

    def _try(self, call: Callable[[], object]) -> None:
        try:
            call()
        except (OSError, ValueError) as error:
            _logger.warning("cannot write to standard output (%s); the run goes on without", error)
            nowhere = os.open(os.devnull, os.O_WRONLY)
            with suppress(OSError, ValueError):
                os.dup2(nowhere, self._file.fileno())  # what is still in the buffer must not fail at the end
            self._file = open(nowhere, "w", encoding="utf-8")  # noqa: SIM115  (it lasts as long as the process)


def run_console() -> Console:
    """Return a console on standard output that ends no run, and no study."""
    from rich.console import Console

    return Console(file=cast(IO[str], LastingOutput(sys.stdout))) if sys.stdout else Console(quiet=True)


def say(console: Console, text: str) -> None:
    """Print a line as it stands: not wrapped, no colors, brackets no markup."""
    console.print(visible(text), soft_wrap=True, highlight=False, markup=False)


def say_done(console: Console, run: Path) -> None:
    """Print the last line of a run, with the command that comes next."""
    say(console, f"done: {run}; evaluate it with: hebbevo evaluate {run}")


def check_json_file(file: str | None) -> None:
    """Refuse a file that cannot be written, before anything is measured; None and `-` are none.

    Raises:
        InputError: a directory, or a file in a directory that does not exist or cannot be written to.
    """
    if file not in (None, STANDARD_OUTPUT):
        check_writable(Path(str(file)))


def write_json(file: str | None, figures: Mapping[str, object]) -> None:
    """Write figures to a file; `-` is standard output, None writes nothing."""
    text = json.dumps(figures, indent=2) + "\n"
    if file == STANDARD_OUTPUT:
        sys.stdout.write(text)
    elif file is not None:
        write_atomically(Path(file), text.encode())
