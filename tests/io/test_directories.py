"""A lock stays with its directory through a rename and ends with its process, however that ends."""

import errno
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import pytest

from hebbevo.errors import InputError
from hebbevo.io import directories
from hebbevo.io.directories import discard, lock_directory, make_beside

posix_only = pytest.mark.skipif(os.name == "nt", reason="Windows opens no directory")
SECOND = """
import sys
from pathlib import Path
from hebbevo.io.directories import lock_directory
lock_directory(Path(sys.argv[1]))
print("locked", flush=True)
sys.stdin.read()
"""


def second_process(directory: Path) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", SECOND, str(directory)]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True)


@posix_only
def test_a_directory_renamed_into_place_is_still_locked(tmp_path: Path) -> None:
    beside, descriptor = make_beside(tmp_path / "runs" / "a")
    beside.rename(tmp_path / "runs" / "a")
    output, error = second_process(tmp_path / "runs" / "a").communicate()
    assert "locked" not in output
    assert "is in use by another process" in error
    os.close(descriptor)
    assert "locked" in second_process(tmp_path / "runs" / "a").communicate()[0]
    assert list((tmp_path / "runs" / "a").iterdir()) == []


@posix_only
def test_a_lock_ends_with_a_killed_process(tmp_path: Path) -> None:
    second = second_process(tmp_path)
    assert second.stdout is not None
    assert second.stdout.readline() == "locked\n"
    with pytest.raises(InputError, match="in use"):
        lock_directory(tmp_path)
    second.send_signal(signal.SIGKILL)
    second.communicate()
    os.close(lock_directory(tmp_path))


@posix_only
def test_a_file_system_without_locks_is_warned_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(descriptor: int, *, blocking: bool) -> NoReturn:
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(directories, "lock_descriptor", refuse)
    os.close(lock_directory(tmp_path))
    assert "cannot be locked (Operation not supported)" in caplog.text


@posix_only
def test_leftovers_of_killed_processes_are_removed_and_others_stay(tmp_path: Path) -> None:
    for name in (".a*.1.tmp", ".ab.1.tmp", ".a*.x.tmp"):
        (tmp_path / name).mkdir()
    beside, descriptor = make_beside(tmp_path / "a*")
    assert {path.name for path in tmp_path.iterdir()} == {beside.name, ".ab.1.tmp", ".a*.x.tmp"}
    discard(beside, descriptor)
    assert not beside.exists()
