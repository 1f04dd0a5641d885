"""A run is a directory: what stands in it, and the order of writing that lets it be killed at any instant.

    config.yaml            the configuration as resolved; in place when the directory appears
    start.safetensors      the genome that the first centre was, if one was given; in place with it
    progress.csv           one row per generation, no clock times
    log.jsonl              events with clock times
    checkpoints/           generation_000123.safetensors: the last three and the best
    best.safetensors       the centre with the highest evaluated mean so far
    center.safetensors     the centre now
    figures/

A generation's row is on the disk before its checkpoint appears, and a file is replaced by one rename: after a
kill, the newest checkpoint has all its rows, and `truncate_progress` drops those that came after it.
"""

from __future__ import annotations

import errno
import json
import logging
import math
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from hebbevo.errors import InputError
from hebbevo.io.atomic import sync_directory, write_atomically
from hebbevo.io.directories import discard, lock_directory, make_beside
from hebbevo.training.checkpoint import Tensors, load_checkpoint, save_checkpoint
from hebbevo.training.progress import Row, append_row, read_rows, truncate_rows

__all__ = ["KEPT_CHECKPOINTS", "Checkpoint", "Row", "RunDirectory"]

KEPT_CHECKPOINTS = 3

_logger = logging.getLogger(__name__)
_CHECKPOINT = re.compile(r"generation_(\d{6,})\.safetensors")
_FAILING_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


@dataclass(frozen=True)
class Checkpoint:
    """A run after `generation` generations; `best_generation` is the one of the best checkpoint, if any."""

    generation: int
    best_generation: int | None
    tensors: Tensors
    header: dict[str, Any]


class RunDirectory:
    """A run on the disk; made by `create` or `open`, and locked against a second process until closed."""

    def __init__(self, path: Path, descriptor: int | None) -> None:
        self.path = path
        self._descriptor = descriptor  # holds the lock; None: only to be read
        self._best_generation: int | None = None

    @classmethod
    def create(
        cls, path: Path | str, config_text: str, fill: Callable[[RunDirectory], object] = lambda _: None
    ) -> Self:
        """Make a new run directory; it appears in one rename, its config.yaml inside.

        Args:
            path: where.
            config_text: of config.yaml.
            fill: called with the directory before it appears, to write what else it shall appear with.

        Raises:
            InputError: `path` exists or cannot be made.
            OSError: the disk is full or fails.
        """
        target = Path(path)
        if os.path.lexists(target):
            raise _exists(target)
        try:
            return cls(target, _make(target, config_text, fill))
        except OSError as error:
            if error.errno in _FAILING_DISK:
                raise
            if os.path.lexists(target) and error.errno in (errno.EEXIST, errno.ENOTEMPTY):
                raise _exists(target) from None
            raise InputError(f"cannot make {target}: {error.strerror}; choose another --out") from None

    @classmethod
    def open(cls, path: Path | str, read_only: bool = False) -> Self:
        """Open a run directory and remove what a killed process left half written.

        Args:
            path: the directory.
            read_only: take no lock and remove nothing; a run can be read while it goes on.

        Raises:
            InputError: not a run directory, or another process has it.
        """
        target = Path(path)
        if not target.is_dir():
            raise InputError(
                f"{target} {'is a file' if target.exists() else 'does not exist'}; name a run directory"
            )
        if not (target / "config.yaml").is_file():
            raise InputError(f"{target} is not a run directory: it has no config.yaml; check the path")
        if read_only:
            return cls(target, None)
        run = cls(target, lock_directory(target))
        for leftover in (*target.glob(".*.tmp"), *target.glob("*/.*.tmp")):
            leftover.unlink(missing_ok=True)
        return run

    def close(self) -> None:
        """Release the lock; nothing is written any more."""
        if self._descriptor is not None and self._descriptor >= 0:
            os.close(self._descriptor)
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
        """Put another configuration in the place of the old one."""
        write_atomically(self.config_path, text.encode())

    @property
    def start_path(self) -> Path:
        """The genome that the first centre was; missing where the centre was drawn."""
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
        """The centre with the highest evaluated mean so far, a genome file."""
        return self.path / "best.safetensors"

    @property
    def center_path(self) -> Path:
        """The centre now, a genome file."""
        return self.path / "center.safetensors"

    @property
    def figures_path(self) -> Path:
        """The folder of the figures; made by who draws one."""
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
        self, generation: int, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any], best: bool
    ) -> None:
        """Write the checkpoint of a generation whose row is appended; keep the last three and the best.

        Raises:
            OSError: it cannot be written (a full disk); the checkpoints before it still stand.
        """
        best_generation = generation if best else self._best_generation
        self.checkpoints_path.mkdir(exist_ok=True)
        content = {
            "generation": generation,
            "best_generation": best_generation,
            "content": dict(header),
        }
        save_checkpoint(self._checkpoint_path(generation), tensors, content)
        self._best_generation = best_generation
        self._prune(generation)

    def latest(self) -> Checkpoint | None:
        """Return the newest checkpoint that can be read, or None if there is none at all.

        A damaged one is skipped with a warning: what comes after the one before it is then computed again.

        Raises:
            InputError: there are checkpoints, all of them damaged.
        """
        damage = []
        for generation in reversed(self._generations()):
            try:
                checkpoint = self._load(generation)
            except InputError as error:
                damage.append(str(error))
                continue
            self._report(damage)
            self._best_generation = checkpoint.best_generation
            if self._descriptor is not None:
                self._prune(generation)
            return checkpoint
        if damage:
            raise InputError(
                f"{damage[0]}; no checkpoint can be read: remove them all to start at generation 0"
            )
        return None

    def log(self, event: str, /, **fields: Any) -> None:
        """Add an event and its clock time (UTC) to log.jsonl; for people, nothing is read back from it."""
        record = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
        line = json.dumps(_plain(record), default=str) + "\n"
        torn = self.log_path.exists() and not _ends_with_newline(self.log_path)
        with self.log_path.open("a", encoding="utf-8") as file:
            file.write("\n" + line if torn else line)

    def _checkpoint_path(self, generation: int) -> Path:
        return self.checkpoints_path / f"generation_{generation:06d}.safetensors"

    def _generations(self) -> list[int]:
        names = (path.name for path in self.checkpoints_path.glob("*.safetensors"))
        return sorted(int(match[1]) for name in names if (match := _CHECKPOINT.fullmatch(name)))

    def _load(self, generation: int) -> Checkpoint:
        path = self._checkpoint_path(generation)
        tensors, header = load_checkpoint(path)
        best, content = header.get("best_generation"), header.get("content")
        if header.get("generation") != generation or not isinstance(content, dict):
            raise InputError(f"checkpoint {str(path)!r} is of generation {header.get('generation')!r}")
        return Checkpoint(generation, best if isinstance(best, int) else None, tensors, content)

    def _prune(self, generation: int) -> None:
        """Remove all but the last three up to `generation` and the best; what comes later is damaged."""
        older = [number for number in self._generations() if number <= generation]
        for number in set(older[:-KEPT_CHECKPOINTS]) - {self._best_generation}:
            self._checkpoint_path(number).unlink(missing_ok=True)

    def _report(self, damage: list[str]) -> None:
        for message in damage:
            _logger.warning("skipping a damaged checkpoint: %s", message)
            if self._descriptor is not None:
                self.log("damaged checkpoint skipped", message=message)


def _exists(target: Path) -> InputError:
    if (target / "config.yaml").is_file():
        return InputError(
            f"{target} exists; resume it with: hebbevo resume {target}, or choose another --out"
        )
    return InputError(f"{target} exists and is not a run directory; choose another --out")


def _make(target: Path, config_text: str, fill: Callable[[RunDirectory], object]) -> int:
    """Build the directory beside its place, locked, and rename it there; return the lock's descriptor."""
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


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _plain(value: Any) -> Any:
    """Return what JSON can hold: NumPy numbers as numbers, numbers that are not finite as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value
