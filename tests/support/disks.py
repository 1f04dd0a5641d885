"""Disks that fill: a small one of its own where root may mount it, else a limit on the length of files."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def folder_that_fills(path: Path, size: str) -> Iterator[Path]:
    """Mount an empty disk at a new folder; where that is not allowed, it is a folder, for `full` to limit its files."""
    path.mkdir()
    mounted = _mount(path, size)
    try:
        yield path
    finally:
        if mounted:
            subprocess.run(["umount", str(path)], check=True)


@contextmanager
def small_disk(path: Path, size: str) -> Iterator[Path]:
    """Mount an empty disk at a new folder; skip the test where that is not allowed."""
    with folder_that_fills(path, size) as disk:
        if not disk.is_mount():
            pytest.skip("only root can mount a small disk")
        yield disk


@contextmanager
def full(folder: Path, free: int) -> Iterator[None]:
    """Leave `free` bytes on a disk; in a folder that is none, no file of this process may grow longer than that."""
    if folder.is_mount():
        fill(folder, free)
        yield
        return
    import resource

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (free, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def remount(disk: Path, options: str) -> None:
    """Change a mounted disk, as ``ro`` or ``size=4m``."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(disk)], check=True)


def fill(disk: Path, free: int) -> Path:
    """Fill a disk but for `free` bytes; return the ballast."""
    ballast = disk / "ballast"
    room = os.statvfs(disk)
    ballast.write_bytes(bytes(room.f_bavail * room.f_frsize - free))
    return ballast


def _mount(path: Path, size: str) -> bool:
    """Tell whether a disk of that size is now mounted."""
    if os.name == "nt" or os.geteuid() != 0:
        return False
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path)]
    return subprocess.run(command, check=False, capture_output=True).returncode == 0
