"""The one writer of files: whole or not at all, by a rename that survives a power cut."""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from hebbevo.errors import InputError

FULL_DISK: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
FAILING_DISK: Final = (*FULL_DISK, errno.EIO)
"""Codes of errors that are no fault of the path."""
_UNFINISHED = re.compile(r"\.(.+?)(\.\d+)?\.tmp")  # without a number: of earlier versions


def write_atomically(path: Path, data: bytes) -> None:
    """Replace a file; see `replacing`.

    Raises:
        OSError: the file cannot be written; the former content still stands.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a path beside `path` to write to; at the end of the `with` block it replaces `path` in one rename.

    A link is followed, and what is no file (a pipe, a device) is written to as it stands. Processes that write the
    same file do not meet: the last rename wins. A process that is killed leaves ``.NAME.PID.tmp``.

    Raises:
        OSError: the file cannot be written; it names `path`, whose former content still stands.
    """
    if path.exists() and not path.is_file():
        yield path
        return
    target = Path(os.path.realpath(path))
    temporary = _beside(target)
    try:
        yield temporary
        with temporary.open("rb+") as file:
            os.fsync(file.fileno())
        temporary.replace(target)
        sync_directory(target.parent)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.errno and error.filename in (None, str(temporary)):
            raise OSError(error.errno, error.strerror, str(path)) from None
        raise


def check_new(path: Path) -> None:
    """Look whether a file can be made that does not exist.

    Raises:
        InputError: it exists, or its directory does not exist or cannot be written to.
        OSError: the disk is full or fails.
    """
    refuse_existing(path)
    if not os.path.isdir(path.parent):
        raise InputError(f"cannot write {path}: there is no directory {path.parent}; make it first")
    check_writable(path)


def refuse_existing(path: Path) -> None:
    """Raise `InputError` where something has a path already."""
    if os.path.lexists(path):
        raise InputError(f"{path} exists; choose another out, or remove it")


def check_writable(path: Path) -> None:
    """Refuse a file that could not be written, before its content is computed; nothing changes on the disk.

    Raises:
        InputError: a directory, or a file in a directory that does not exist or cannot be written to.
        OSError: the disk is full or fails.
    """
    try:
        if os.path.isdir(path):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not os.path.exists(path) or os.path.isfile(path):
            temporary = _beside(Path(os.path.realpath(path)))
            temporary.open("wb").close()
            temporary.unlink()
    except OSError as error:
        if error.errno in FAILING_DISK:
            raise
        raise InputError(
            f"cannot write {path}: {error.strerror}; name a file in a directory that exists and can be written to"
        ) from None


def unfinished(name: str) -> str | None:
    """Return the name of the file of which a killed process left this one half-written; None for any other name."""
    match = _UNFINISHED.fullmatch(name)
    return match and match[1]


def remove_unfinished(folder: Path, ours: Callable[[str], bool] = lambda name: True) -> None:
    """Remove the files that a killed process left half-written in a folder; of names that are `ours`, others stay."""
    for path in folder.glob(".*.tmp"):
        name = unfinished(path.name)
        if name and ours(name) and not path.is_dir():
            path.unlink(missing_ok=True)


def sync_directory(directory: Path) -> None:
    """Flush a directory's names to the disk; Windows has no such call, and does not need it."""
    if os.name == "nt":
        return
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")
