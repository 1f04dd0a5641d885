"""A real run of the command line, killed, interrupted and on a full disk, ends with the bits of one left alone."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from disks import remount, small_disk
from tasks import HERE

import hebbevo

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")]

KILLS = 20
CONFIG = (
    *("network.hidden=6", "plasticity.normalise=max", "env.steps=20", "env.burn_in=2", "run.seed=3"),
    *("search.population=4", "search.generations=400", "evaluation.every=7", "evaluation.episodes=2"),
)
PROGRAM = """
import resource, signal
from hebbevo.cli.app import main
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs of a shell ignore it
{}
main()
"""


def evolve_or_resume(path: Path, first: str = "") -> subprocess.Popen[str]:
    """Start what a user would type: resume what is there, else evolve; `first` is code to run before."""
    arguments = ["resume", str(path)] if path.exists() else ["evolve", "quick-quadruped", *CONFIG]
    arguments += ["--threads", "2", *(["--out", str(path)] if arguments[0] == "evolve" else [])]
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(first), *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, list[str]]:
    """Wait for the end; return the exit code and the lines on standard error."""
    _, errors = process.communicate(timeout=120)
    return process.returncode, errors.splitlines()


def results(path: Path) -> dict[str, bytes]:
    """Return the bytes of all that equal runs share."""
    names = ("center.safetensors", "best.safetensors", "progress.csv", "config.yaml")
    files = [*(path / name for name in names), *sorted((path / "checkpoints").iterdir())]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def rows(path: Path) -> int:
    """Return how many generations progress.csv holds."""
    try:
        return max(0, (path / "progress.csv").read_bytes().count(b"\n") - 1)
    except FileNotFoundError:  # not written yet, or a resumed run puts it back this instant
        return 0


def writing(path: Path) -> bool:
    """Whether a file is half written just now."""
    folders = (path, path / "checkpoints")
    return any(name.endswith(".tmp") for folder in folders if folder.exists() for name in os.listdir(folder))


def spin(process: subprocess.Popen[str], until: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not until() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.0002)


def wait_for_more_rows(process: subprocess.Popen[str], path: Path, count: int) -> None:
    goal = rows(path) + count
    spin(process, lambda: rows(path) >= goal)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the results of the run that nothing interrupts."""
    path = tmp_path_factory.mktemp("straight") / "run"
    assert finish(evolve_or_resume(path)) == (0, [])
    return results(path)


def kill(process: subprocess.Popen[str], path: Path, number: int, rng: np.random.Generator) -> None:
    """Kill a process while it starts, at any instant of its generations, or during a write."""
    if number % 5 == 0:
        time.sleep(rng.uniform(0, 2))
    else:
        wait_for_more_rows(process, path, int(rng.integers(1, 12)))
        if number % 5 in (1, 2):
            spin(process, lambda: writing(path), seconds=2)
        else:
            time.sleep(rng.uniform(0, 0.03))
    process.send_signal(signal.SIGKILL)
    process.communicate()


def test_killed_at_twenty_instants_it_ends_with_the_same_bits(straight: dict[str, bytes]) -> None:
    path, rng, killed = Path("run").absolute(), np.random.default_rng(2026), 0
    for number in range(KILLS):
        process = evolve_or_resume(path)
        kill(process, path, number, rng)
        killed += process.returncode == -signal.SIGKILL
        if (path / "center.safetensors").exists():
            hebbevo.load_genome(path)  # whole at every instant
    assert killed == KILLS, "the run ended before its last kill"
    assert finish(evolve_or_resume(path)) == (0, [])
    assert results(path) == straight
    assert not list(Path().rglob("*.tmp"))
    assert [entry.name for entry in Path().iterdir()] == ["run"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_from_its_checkpoint(
    straight: dict[str, bytes], number: signal.Signals
) -> None:
    path = Path("run").absolute()
    process = evolve_or_resume(path)
    wait_for_more_rows(process, path, 5)
    process.send_signal(number)
    code, errors = finish(process)
    assert code == 130
    assert len(errors) == 1
    assert "interrupted" in errors[0]
    assert "hebbevo resume" in errors[0]
    assert not writing(path)
    run = hebbevo.resume(path, execution=HERE)
    assert run.resumed_from is not None
    assert run.resumed_from >= 4
    assert results(path) == straight


def full_disk_report(code: int, errors: list[str], path: Path) -> int:
    """Check what the command said; return the generation of the checkpoint that stands."""
    assert code == 1, errors
    assert all(warning.endswith("; the run goes on") for warning in errors[:-1])  # of logs and curves
    assert errors[-1].startswith("hebbevo: ")
    assert "hebbevo resume" in errors[-1]
    checkpoints = sorted((path / "checkpoints").glob("generation_*.safetensors"))
    assert not writing(path)
    return int(checkpoints[-1].stem.removeprefix("generation_"))


@pytest.mark.parametrize("limit", [7_000, 40_000])
def test_a_file_that_may_not_grow_leaves_the_last_good_checkpoint(
    straight: dict[str, bytes], limit: int
) -> None:
    path = Path("run").absolute()
    limited = f"resource.setrlimit(resource.RLIMIT_FSIZE, ({limit}, resource.RLIM_INFINITY))"
    generation = full_disk_report(*finish(evolve_or_resume(path, limited)), path)
    run = hebbevo.resume(path, execution=HERE)
    assert run.resumed_from == generation
    assert results(path) == straight


def test_a_full_disk_leaves_the_last_good_checkpoint(straight: dict[str, bytes]) -> None:
    with small_disk(Path("disk").absolute(), "200k") as disk:
        path, ballast = disk / "run", disk / "ballast"
        process = evolve_or_resume(path)
        wait_for_more_rows(process, path, 10)
        with ballast.open("wb", buffering=0) as file:
            while process.poll() is None:
                try:
                    file.write(bytes(4096))
                except OSError:
                    time.sleep(0.001)
        generation = full_disk_report(*finish(process), path)
        ballast.unlink()
        remount(disk, "size=4m")
        run = hebbevo.resume(path, execution=HERE)
        assert run.resumed_from == generation
        assert results(path) == straight


def test_the_log_of_a_killed_run_still_reads(tmp_path: Path) -> None:
    path = tmp_path / "run"
    process = evolve_or_resume(path)
    wait_for_more_rows(process, path, 3)
    process.kill()
    process.communicate()
    lines = (path / "log.jsonl").read_text().splitlines()
    assert json.loads(lines[0])["event"] == "start"
