"""The build of a process: the same for the same software however it is installed, another after one changed byte."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import hebbevo
from hebbevo.execution import build

FOLDER = Path(build.__file__).resolve().parent
ROOT = Path(__file__).resolve().parents[2]
LINKED = ("rules", "envs", "search")
checkout_only = pytest.mark.skipif(
    Path(hebbevo.__file__).resolve().parents[1] != ROOT, reason="an installed hebbevo is no checkout"
)


def test_a_build_is_equal_to_itself_and_names_what_differs() -> None:
    own = build.this_build()
    assert build.build_difference(own, build.this_build()) == ""
    assert build.build_difference(own, {**own, "numba": "0.1"}) == f"numba 0.1 there, {own['numba']} here"
    assert build.build_difference(own, {}).startswith("hebbevo unknown there")


def test_the_source_hash_sees_one_changed_byte_and_follows_links(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "room", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "link").symlink_to(tmp_path / "room")
    before = build.source_hash(tmp_path / "a")
    build.source_hash.cache_clear()
    assert build.source_hash(tmp_path / "b") == before
    (tmp_path / "room" / "noise.txt").write_text("no source")
    build.source_hash.cache_clear()
    assert build.source_hash(tmp_path / "a") == before
    with (tmp_path / "room" / "noise.py").open("a") as file:
        file.write("\n")
    build.source_hash.cache_clear()
    assert build.source_hash(tmp_path / "a") != before


def test_memory_is_that_of_this_process() -> None:
    """In a process of its own: this one may return other memory meanwhile."""
    script = (
        "from hebbevo.execution import build\n"
        "before = build.resident_memory()\n"
        "ballast = bytearray(b'x' * 50_000_000)\n"
        "print(before, build.resident_memory() - before)\n"
    )
    command = [sys.executable, "-c", script]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    before, gained = (int(number) for number in printed.split())
    if not before:
        pytest.skip("this system does not tell")
    assert 0.8 * 50_000_000 < gained < 2.5 * 50_000_000


@checkout_only
def test_the_hash_sees_every_source_file_through_the_links() -> None:
    own = [path for path in (ROOT / "hebbevo").rglob("*.py") if not set(path.parts[-2:-1]) & {"__pycache__"}]
    expected = {path.relative_to(ROOT / "hebbevo").as_posix() for path in own}
    for name in LINKED:
        expected |= {path.relative_to(ROOT).as_posix() for path in (ROOT / name).rglob("*.py")}
    seen = build.source_files(ROOT / "hebbevo")
    assert {path.relative_to(ROOT / "hebbevo").as_posix() for path in seen} == expected
    assert len(seen) == len(expected)
    assert {"rules/expression.py", "envs/base.py", "search/noise.py", "__init__.py"} <= expected
    assert build.this_build()["hebbevo"] == build.source_hash(ROOT / "hebbevo")


@checkout_only
def test_a_copy_without_links_has_the_same_hash(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "hebbevo", tmp_path / "hebbevo", ignore=shutil.ignore_patterns("__pycache__"))
    assert not any((tmp_path / "hebbevo" / name).is_symlink() for name in LINKED)
    assert build.source_hash(tmp_path / "hebbevo") == build.source_hash(ROOT / "hebbevo")


@checkout_only
@pytest.mark.slow
def test_an_installed_wheel_has_the_same_hash(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        ROOT, source, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", "__pycache__")
    )
    command = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", str(tmp_path / "wheels"), str(source)], check=True, timeout=300)
    (wheel,) = (tmp_path / "wheels").iterdir()
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    assert build.source_hash(tmp_path / "installed" / "hebbevo") == build.source_hash(ROOT / "hebbevo")
