"""A file is replaced whole or not at all, whatever fails, and what stands at its path is respected."""

import multiprocessing
import os
import re
import sys
import threading
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import hebbevo
from hebbevo.errors import InputError
from hebbevo.io.atomic import check_writable, replacing, write_atomically
from hebbevo.io.figures import write_figure

posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs fork, pipes and limits")


@posix_only
def test_a_full_disk_leaves_the_former_content_and_names_the_file() -> None:
    def fill() -> None:
        import resource

        Path("a").write_bytes(b"former")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, resource.RLIM_INFINITY))
        with pytest.raises(OSError, match=r"large: 'a'$"):
            write_atomically(Path("a"), bytes(1001))
        assert Path("a").read_bytes() == b"former"
        assert os.listdir() == ["a"]

    child = multiprocessing.get_context("fork").Process(target=fill)
    child.start()
    child.join(60)
    assert child.exitcode == 0


def test_a_link_is_followed() -> None:
    Path("deep").mkdir()
    Path("link").symlink_to("deep/file")
    for content in (b"first", b"second"):
        write_atomically(Path("link"), content)
        assert Path("deep/file").read_bytes() == content
    assert Path("link").is_symlink()
    assert os.listdir("deep") == ["file"]


@posix_only
def test_a_pipe_is_written_to_and_stays() -> None:
    os.mkfifo("pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(Path("pipe").read_bytes()))
    reader.start()
    check_writable(Path("pipe"))
    write_atomically(Path("pipe"), b"through")
    reader.join(60)
    assert read == [b"through"]
    assert Path("pipe").is_fifo()


def test_what_fails_in_the_block_changes_nothing() -> None:
    Path("a").write_bytes(b"former")

    def fail() -> None:
        with replacing(Path("a")) as temporary:
            temporary.write_bytes(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert Path("a").read_bytes() == b"former"
    assert os.listdir() == ["a"]


def test_a_path_that_cannot_be_written_is_refused_before() -> None:
    Path("file").write_bytes(b"mine")
    Path("folder").mkdir()
    for path in ("folder", "none/file", "file/file", "x" * 300, f"folder/{'x' * 300}"):
        with pytest.raises(InputError, match=r"^cannot write .*; name a file in a directory that exists"):
            check_writable(Path(path))
    for path in ("file", "new", "folder/new"):
        check_writable(Path(path))
    assert Path("file").read_bytes() == b"mine"
    assert sorted(os.listdir()) == ["file", "folder"]
    assert os.listdir("folder") == []


def test_nothing_else_in_the_package_writes_files() -> None:
    package = Path(hebbevo.__file__).parent
    doors = {"io/atomic.py", "io/figures.py"}
    below = {
        "compilation.py",
        "imports/shipping.py",
    }  # they write to the cache and to a folder of the process, and lie below io
    writer = re.compile(r"\.(write_text|write_bytes|savefig)\(|open\([^)\n]*[\"']w[bt+]*[\"']")
    elsewhere = {
        f"{name}: {line.strip()}"
        for path in package.rglob("*.py")
        if (name := path.relative_to(package).as_posix()) not in doors | below
        for line in path.read_text(encoding="utf-8").splitlines()
        if writer.search(line) and "log.open" not in line and "nowhere" not in line
    }
    assert elsewhere == set()


def test_the_words_of_a_figure_are_text_and_powers_are_powers() -> None:
    figure = Figure()
    axes = figure.subplots()
    axes.plot([1, 10, 1000], [1, 10, 1000], label="$^$ legend")
    axes.set(title="$^$ title", xlabel="$x$ label", yscale="log")
    axes.set_xticks([1, 500], ["$^$ tick", r"\$$"])
    axes.legend()
    write_figure(figure, Path("a.png"), dpi=50)
    first = Path("a.png").read_bytes()
    assert first.startswith(b"\x89PNG")
    write_figure(figure, Path("a.png"), dpi=50)
    assert Path("a.png").read_bytes() == first
    assert all(label.get_parse_math() for label in axes.get_yticklabels())
    assert not axes.xaxis.label.get_parse_math()
