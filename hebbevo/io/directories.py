"""Directories that appear by one rename, locked: made beside their target; leftovers of killed processes are removed.

A lock is the operating system's own on the directory itself (`filelock.lock_descriptor`): it needs no lock file in a
directory whose content is compared byte by byte, stays with the directory through a rename, and ends with the process.
"""

from __future__ import annotations

import errno
import logging
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import lock_descriptor

from hebbevo.errors import InputError

_logger = logging.getLogger(__name__)
_CAN_LOCK = os.name != "nt"  # Windows opens no directory


def make_beside(target: Path) -> tuple[Path, int]:
    """Make and lock an empty directory to be renamed to `target`; return it and the lock's descriptor.

    Raises:
        OSError: it cannot be made; nor is any directory that it would lie in.
    """
    beside = _beside(target)
    with _parents_of(beside):
        _remove_abandoned(target)
        beside.mkdir()
    try:
        return beside, lock_directory(beside)
    except BaseException:
        discard(beside, -1)
        raise


def make_directory(path: Path) -> None:
    """Make a directory, where there is none, and those that it lies in.

    Raises:
        OSError: it cannot be made; nor is any directory that it would lie in.
    """
    with _parents_of(path):
        path.mkdir(exist_ok=True)


@contextmanager
def _parents_of(path: Path) -> Iterator[None]:
    """Make the directories that a path lies in; if the `with` block fails, remove them again."""
    missing = [parent for parent in path.parents if not os.path.lexists(parent)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError:
        for parent in missing:
            with suppress(OSError):
                parent.rmdir()
        raise


def check_can_be_made(target: Path) -> None:
    """Look whether `make_beside` could make a directory, without making any: others may be about to use its parents.

    Raises:
        OSError: it could not.
    """
    beside = _beside(target.absolute())
    with suppress(FileNotFoundError):
        beside.lstat()
    ground = next(parent for parent in beside.parents if os.path.lexists(parent))
    if not ground.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(ground))
    if not os.access(ground, os.W_OK | os.X_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(ground))
    longest = os.pathconf(ground, "PC_NAME_MAX") if hasattr(os, "pathconf") else 255
    if any(len(os.fsencode(name)) > longest for name in beside.relative_to(ground).parts):
        raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(target))


def discard(beside: Path, descriptor: int) -> None:
    """Remove a directory of `make_beside`, and release its lock."""
    if descriptor >= 0:
        os.close(descriptor)
    shutil.rmtree(beside, ignore_errors=True)


def lock_directory(directory: Path) -> int:
    """Lock a directory until the descriptor is closed or the process ends; -1 where there are no such locks.

    Raises:
        InputError: another process has it.
    """
    if not _CAN_LOCK:
        return -1
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        locked = lock_descriptor(descriptor, blocking=False)
    except OSError as error:  # some network file systems
        _logger.warning(
            "%s cannot be locked (%s); let no second process evolve it", directory, error.strerror
        )
        return descriptor
    if not locked:
        os.close(descriptor)
        raise InputError(f"{directory} is in use by another process; wait for its end, or interrupt it")
    return descriptor


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}.tmp")


def _remove_abandoned(target: Path) -> None:
    """Remove the leftovers of processes that were killed while they made this same directory: nobody locks them."""
    for beside in target.parent.glob(f".{_literal(target.name)}.*.tmp"):
        if _CAN_LOCK and re.fullmatch(r"\.\d+\.tmp", beside.name[len(target.name) + 1 :]):
            with suppress(InputError, OSError):
                descriptor = lock_directory(beside)
                shutil.rmtree(beside, ignore_errors=True)
                os.close(descriptor)


def _literal(name: str) -> str:
    """Return a glob pattern for the name itself."""
    return re.sub(r"([*?[])", r"[\1]", name)
