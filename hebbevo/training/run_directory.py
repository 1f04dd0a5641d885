"""A run is a directory: its files, and the order of writing that lets it be killed at any instant.

    config.yaml            the configuration as resolved; in place when the directory appears
    start.safetensors      the genome that the first center was, if one was given; in place with it
    progress.csv           one row per generation, no clock times
    log.jsonl              events with clock times
    checkpoints/           generation_000123.safetensors: the last three and the best
    best.safetensors       the center with the highest evaluated mean so far
    center.safetensors     the current center
    figures/

A generation's row is on the disk before its checkpoint appears, and a file is replaced by one rename: after a
kill, the newest checkpoint has all its rows, and `truncate_progress` drops those that came after it.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy.typing as npt

from hebbevo.errors import InputError
from hebbevo.io.atomic import FAILING_DISK, remove_unfinished, sync_directory, write_atomically
from hebbevo.io.directories import check_can_be_made, discard, lock_directory, make_beside
from hebbevo.training.bystanders import Bystanders
from hebbevo.training.checkpoints import Checkpoint, Checkpoints
from hebbevo.training.event_log import append_event
from hebbevo.training.progress import append_row, read_rows, truncate_rows
from hebbevo.training.records import Row

_logger = logging.getLogger(__name__)
_FILES = (
    "config.yaml",
    "progress.csv",
    "evaluation.json",
    *(f"{name}.safetensors" for name in ("start", "best", "center")),
)
_FOLDERS = ("checkpoints", "figures")


class RunDirectory:
    """A run on the disk; made by `create` or `open`, and locked against a second process until closed."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._bystanders = Bystanders()
        self._descriptor = descriptor  # holds the lock; None: only to be read
        self._checkpoints = Checkpoints(self.checkpoints_path)

    @classmethod
    def create(
        cls, path: Path | str, config_text: str, fill: Callable[[RunDirectory], object] = lambda _: None
    ) -> Self:
        """Make a new run directory; it appears in one rename, its config.yaml inside.

        Args:
            path: of the directory.
            config_text: of config.yaml.
            fill: called with the directory before it appears, to write further files.

        Raises:
            InputError: `path` exists or cannot be made.
            OSError: the disk is full or fails.
        """
        target = Path(path)
        with _explained(target):
            return cls(target, _make(target, config_text, fill))

    @staticmethod
    def check_new(path: Path | str) -> None:
        """Refuse what `create` would refuse; nothing changes.

        Raises:
            InputError: `path` exists or cannot be made.
            OSError: the disk is full or fails.
        """
        target = Path(path)
        with _explained(target):
            check_can_be_made(target)

    @classmethod
    def open(cls, path: Path | str, read_only: bool = False) -> Self:
        """Open a run directory; nothing in it changes.

        Args:
            path: the directory.
            read_only: take no lock; a run can be read while it goes on.

        Raises:
            InputError: not a run directory, or another process has it.
        """
        target = Path(path)
        if not os.path.isdir(target):
            raise InputError(
                f"{target} {'is a file' if os.path.exists(target) else 'does not exist'}; name a run directory"
            )
        if not os.path.isfile(target / "config.yaml"):
            raise InputError(f"{target} is not a run directory: it has no config.yaml; check the path")
        if read_only:
            return cls(target, None)
        return cls(target, lock_directory(target))

    def tidy(self) -> None:
        """Remove what a killed process left half-written or was about to remove; tell of the damage met."""
        # Others may make files, studies and runs inside it meanwhile.
        remove_unfinished(self.path, lambda name: name in _FILES)
        for folder in _FOLDERS:
            remove_unfinished(self.path / folder)
        self._checkpoints.prune()
        for message in self._checkpoints.damage:
            _logger.warning("skipping a damaged checkpoint: %s", message)
            self.log("damaged checkpoint skipped", message=message)

    def close(self) -> None:
        """Release the lock; nothing is written any more."""
        if self._descriptor is not None and self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = None

    def discard(self) -> None:
        """Remove the directory and all that is in it."""
        assert self._descriptor is not None, "only to be read"
        discard(self.path, self._descriptor)
        self._descriptor = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def config_path(self) -> Path:
        """The configuration as resolved."""
        return self.path / "config.yaml"

    def write_config(self, text: str) -> None:
        """Replace the configuration."""
        write_atomically(self.config_path, text.encode())

    @property
    def start_path(self) -> Path:
        """The genome that the first center was; missing where the center was drawn."""
        return self.path / "start.safetensors"

    @property
    def progress_path(self) -> Path:
        """The table of generations; missing before the first has ended."""
        return self.path / "progress.csv"

    @property
    def log_path(self) -> Path:
        """Events with clock times, a JSON object a line."""
        return self.path / "log.jsonl"

    @property
    def checkpoints_path(self) -> Path:
        """The folder of the checkpoints."""
        return self.path / "checkpoints"

    @property
    def best_path(self) -> Path:
        """The center with the highest evaluated mean so far, a genome file."""
        return self.path / "best.safetensors"

    @property
    def center_path(self) -> Path:
        """The current center, a genome file."""
        return self.path / "center.safetensors"

    @property
    def figures_path(self) -> Path:
        """The folder of the figures; made with the first."""
        return self.path / "figures"

    def append_row(self, row: Mapping[str, int | float | None]) -> None:
        """Add a generation to progress.csv; it is on the disk when this returns.

        Args:
            row: by column, `generation` first; the same columns in every row. Floats keep their bits, None is
                an empty field.

        Raises:
            InputError: other columns than those of the first row.
            OSError: the row cannot be written; the file is as before.
        """
        new = not self.progress_path.exists()
        append_row(self.progress_path, row)
        if new:
            sync_directory(self.path)

    def truncate_progress(self, generation: int) -> None:
        """Drop the rows after `generation`, and a torn last line; called before a resumed run goes on.

        A file that needs no change keeps its bytes and its time.
        """
        truncate_rows(self.progress_path, generation)

    def read_progress(self) -> list[Row]:
        """Return the rows of progress.csv, without a torn last line; whole numbers are int, others float."""
        return read_rows(self.progress_path)

    def save(
        self, generation: int, tensors: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any], best: bool
    ) -> None:
        """Write the checkpoint of a generation whose row is appended; see `Checkpoints.save`."""
        self._checkpoints.save(generation, tensors, header, best)

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint that can be read, or None if there is none at all.

        A damaged one is skipped, of which `tidy` warns: the generations after the one before it are computed again.

        Raises:
            InputError: there are checkpoints, all of them damaged.
        """
        return self._checkpoints.latest()

    def log(self, event: str, /, **fields: Any) -> None:
        """Add an event and its clock time (UTC) to log.jsonl; one that cannot be written is a warning."""
        with self._bystanders.guard(f"cannot write {self.log_path}"):
            append_event(self.log_path, event, fields)


@contextmanager
def _explained(target: Path) -> Iterator[None]:
    """Refuse a path that exists; make errors of the path that come up inside one line."""
    if os.path.lexists(target):
        raise _exists(target)
    try:
        yield
    except OSError as error:
        if error.errno in FAILING_DISK:
            raise
        if os.path.lexists(target) and error.errno in (errno.EEXIST, errno.ENOTEMPTY):
            raise _exists(target) from None
        raise InputError(f"cannot make {target}: {error.strerror}; choose another out") from None


def _exists(target: Path) -> InputError:
    if (target / "config.yaml").is_file():
        return InputError(f"{target} exists; resume it with: hebbevo resume {target}, or choose another out")
    return InputError(f"{target} exists and is not a run directory; choose another out")


def _make(target: Path, config_text: str, fill: Callable[[RunDirectory], object]) -> int:
    """Build the directory beside its target, locked, and rename it; return the lock's descriptor."""
    beside, descriptor = make_beside(target)
    try:
        (beside / "checkpoints").mkdir()
        run = RunDirectory(beside, descriptor)
        run.write_config(config_text)
        fill(run)
        beside.rename(target)
    except BaseException:
        discard(beside, descriptor)
        raise
    sync_directory(target.parent)
    return descriptor
