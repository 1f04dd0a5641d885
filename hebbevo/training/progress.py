"""The table of a run's generations, progress.csv: a row each, on the disk before the next generation begins.

Whole numbers stand as such, floats in the shortest form that keeps their bits, None as an empty field. A
process that is killed leaves at most one torn line, the last, which readers leave out.
"""

from __future__ import annotations

import csv
import errno
import io
import logging
import os
import re
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hebbevo.errors import FileError, InputError
from hebbevo.io.atomic import write_atomically
from hebbevo.training.records import Row

_logger = logging.getLogger(__name__)
NEW_COLUMNS = ("center_diverged", "center_metres")
"""Columns that tables of earlier versions lack; a run that began without them ends without them."""
_INTEGER = re.compile(r"-?\d+")


def append_row(path: Path, row: Mapping[str, int | float | None]) -> None:
    """Add a row, under a line of column names if it is the first; on the disk when this returns.

    Raises:
        InputError: other columns than those of the first row.
        OSError: the row cannot be written; the file is as before.
    """
    assert next(iter(row)) == "generation", "the generation comes first"
    columns = _columns(path)
    row = {name: row[name] for name in row if columns is None or name not in NEW_COLUMNS or name in columns}
    if columns is not None and set(columns) != set(row):
        raise InputError(
            f"generation {row['generation']} has columns {sorted(row)}, {path} has {sorted(columns)}; "
            "a searcher's diagnostics have the same names in every generation"
        )
    lines = [list(row)] if columns is None else []
    lines.append([_field(row[name]) for name in columns or row])
    _append_durably(path, _csv(lines))


def truncate_rows(path: Path, generation: int) -> None:
    """Drop the rows after `generation` and a torn last line; a file in order keeps its bytes and time."""
    content = _content(path)
    rows, kept = _intact_rows(content, generation)
    if [row.get("generation") for row in rows] != list(range(1, generation + 1)):
        _logger.warning("%s lacks rows up to generation %d; they stay lost", path, generation)
    if not rows:
        path.unlink(missing_ok=True)
    elif kept != content:
        write_atomically(path, kept)


def read_rows(path: Path) -> list[Row]:
    """Return all rows but a torn last one; none if there is no file.

    Raises:
        FileError: it cannot be read.
    """
    return _intact_rows(_content(path))[0]


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""
    except OSError as error:
        raise FileError(f"cannot read {path}: {error.strerror}; restore it") from None


def _append_durably(path: Path, data: bytes) -> None:
    """Append to a file and flush it to the disk; if that fails, cut it back to its former length."""
    with path.open("ab", buffering=0) as file:
        size = file.seek(0, os.SEEK_END)
        try:
            if (written := file.write(data)) != len(data):
                raise OSError(
                    errno.ENOSPC, f"only {written} of {len(data)} bytes could be written", str(path)
                )
            os.fsync(file.fileno())
        except BaseException:
            file.truncate(size)
            raise


def _csv(lines: list[list[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    return text.getvalue().encode()


def _columns(path: Path) -> list[str] | None:
    """Return the column names of a table, or None if it has none yet."""
    if not path.exists():
        return None
    with path.open("rb") as file:
        return _fields(file.readline()) or None


def _field(value: int | float | None) -> str:
    """Return the shortest text that reads back as the same number."""
    if value is None:
        return ""
    if isinstance(value, int | np.integer):
        return repr(int(value))
    return repr(float(value))


def _number(field: str) -> int | float | None:
    if not field:
        return None
    return int(field) if _INTEGER.fullmatch(field) else float(field)


def _intact_rows(data: bytes, last: int | None = None) -> tuple[list[Row], bytes]:
    """Return the rows before the first torn one or the first after generation `last`, and their bytes."""
    lines = data.splitlines(keepends=True)
    if not lines or not lines[0].endswith(b"\n"):
        return [], b""
    columns = _fields(lines[0])
    if "generation" not in columns:
        return [], b""
    rows: list[Row] = []
    for line in lines[1:]:
        row = _row(columns, line)
        if row is None or (last is not None and not _up_to(row, last)):
            break
        rows.append(row)
    return rows, b"".join(lines[: len(rows) + 1])


def _up_to(row: Row, last: int) -> bool:
    generation = row.get("generation")
    return isinstance(generation, int) and generation <= last


def _fields(line: bytes) -> list[str]:
    try:
        return next(csv.reader([line.decode("utf-8", errors="replace").rstrip("\r\n")]), [])
    except csv.Error:  # a field of megabytes
        return []


def _row(columns: list[str], line: bytes) -> Row | None:
    """Return the row of a line, or None if it is torn."""
    fields = _fields(line)
    if not line.endswith(b"\n") or len(fields) != len(columns):
        return None
    try:
        return dict(zip(columns, map(_number, fields), strict=True))
    except ValueError:
        return None
