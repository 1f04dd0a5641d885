"""A run directory survives kills, full disks and second processes; a resumed one ends with the same bytes."""

import json
import math
import multiprocessing
import os
import signal
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbevo.errors import InputError
from hebbevo.training.run_directory import RunDirectory

GENERATIONS = 400  # more than any of the killed processes reaches
posix_only = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and flock")


def row_of(generation: int) -> dict[str, int | float | None]:
    values = np.random.default_rng(generation).standard_normal(3)
    evaluated = float(values[1]) if generation % 5 == 0 else None
    return {
        "generation": generation,
        "mean": float(values[0]),
        "center": evaluated,
        "sigma": float(values[2]),
    }


def tensors_of(generation: int) -> dict[str, Any]:
    return {"center": np.full(2000, generation, np.float32), "generation": np.array(generation)}


def rollout(run: RunDirectory, until: int) -> None:
    """Do what an evolving process does with its directory: go on from the newest checkpoint."""
    checkpoint = run.latest()
    begun = checkpoint.generation if checkpoint else 0
    run.tidy()
    run.truncate_progress(begun)
    for generation in range(begun + 1, until + 1):
        run.append_row(row_of(generation))
        run.save(generation, tensors_of(generation), {"seed": 1}, best=generation % 7 == 0)


def run_from_anywhere(path: Path) -> None:
    run = RunDirectory.open(path) if path.exists() else RunDirectory.create(path, "seed: 1\n")
    rollout(run, GENERATIONS)


def contents(path: Path) -> dict[str, bytes]:
    return {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}


def in_child(function: Callable[[], None]) -> int | None:
    """Run `function` in a forked process; return its exit code."""
    child = multiprocessing.get_context("fork").Process(target=function)
    child.start()
    child.join(60)
    return child.exitcode


@pytest.fixture
def run(tmp_path: Path) -> RunDirectory:
    return RunDirectory.create(tmp_path / "runs" / "a", "seed: 1\n")


def test_a_new_directory_holds_its_config(run: RunDirectory) -> None:
    assert run.config_path.read_text() == "seed: 1\n"
    assert run.latest() is None
    assert run.read_progress() == []
    assert [path.name for path in run.path.parent.iterdir()] == ["a"]


def test_a_directory_that_exists_is_refused(run: RunDirectory, tmp_path: Path) -> None:
    before = contents(run.path)
    with pytest.raises(
        InputError, match=r"a exists; resume it with: hebbevo resume .*a, or choose another out"
    ):
        RunDirectory.create(run.path, "other: 1\n")
    assert contents(run.path) == before
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(InputError, match="is not a run directory; choose another out"):
            RunDirectory.create(path, "")
    with pytest.raises(InputError, match=r"cannot make .*choose another out"):
        RunDirectory.create(tmp_path / "file" / "run", "")


def test_what_is_no_run_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path, message in [
        (tmp_path, "no config.yaml"),
        (tmp_path / "none", "does not exist"),
        (tmp_path / "file", "is a file"),
    ]:
        with pytest.raises(InputError, match=message):
            RunDirectory.open(path)


@posix_only
def test_a_second_process_is_refused_and_a_reader_is_not(run: RunDirectory) -> None:
    def second() -> None:
        RunDirectory.open(run.path, read_only=True)
        with pytest.raises(InputError, match="in use"):
            RunDirectory.open(run.path)

    assert in_child(second) == 0
    run.close()
    RunDirectory.open(run.path).close()


def test_leftovers_are_removed_once_a_run_goes_on(run: RunDirectory) -> None:
    names = (
        ".progress.csv.tmp",
        ".center.safetensors.77.tmp",
        "checkpoints/.generation_000001.safetensors.7.tmp",
    )
    leftovers = [run.path / name for name in names]
    for path in leftovers:
        path.write_bytes(b"half")
    run.close()
    again = RunDirectory.open(run.path)
    assert all(path.exists() for path in leftovers)
    again.tidy()
    assert not any(path.exists() for path in leftovers)


def test_what_others_write_inside_a_run_stays(run: RunDirectory) -> None:
    study = run.path / ".study.77.tmp"
    inner = RunDirectory.create(run.path / "inner", "seed: 2\n")
    others = [
        run.path / ".figures.json.77.tmp",
        study / "table.csv",
        inner.path / ".center.safetensors.7.tmp",
    ]
    study.mkdir()
    for path in others:
        path.write_bytes(b"half")
    run.close()
    with RunDirectory.open(run.path) as again:
        rollout(again, 2)
    assert all(path.read_bytes() == b"half" for path in others)


@posix_only
def test_a_creation_that_was_killed_leaves_nothing_for_long(tmp_path: Path) -> None:
    (tmp_path / ".a.999999.tmp" / "checkpoints").mkdir(parents=True)
    (tmp_path / ".a.txt.tmp").mkdir()
    RunDirectory.create(tmp_path / "a", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".a.txt.tmp", "a"]


@given(values=st.lists(st.none() | st.integers() | st.floats(), max_size=5))
def test_rows_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, values: list[int | float | None]
) -> None:
    path = tmp_path_factory.mktemp("rows") / "a"
    with RunDirectory.create(path, "") as run:
        for generation, value in enumerate(values, 1):
            run.append_row({"generation": generation, 'odd, "name"': value})
        back = [row['odd, "name"'] for row in run.read_progress()]
    assert len(back) == len(values)
    for got, value in zip(back, values, strict=True):
        assert type(got) is type(value)
        both_nan = (
            isinstance(got, float) and isinstance(value, float) and math.isnan(got) and math.isnan(value)
        )
        same = struct.pack("d", got) == struct.pack("d", value) if isinstance(got, float) else got == value
        assert both_nan or same


def test_numpy_numbers_are_written_as_numbers(run: RunDirectory) -> None:
    row: Any = {
        "generation": np.int64(1),
        "mean": np.float32(0.1),
        "count": np.uint8(7),
        "sd": np.float64(0.1),
    }
    run.append_row(row)
    assert run.read_progress() == [{"generation": 1, "mean": float(np.float32(0.1)), "count": 7, "sd": 0.1}]
    assert run.progress_path.read_text() == "generation,mean,count,sd\n1,0.10000000149011612,7,0.1\n"


def test_columns_do_not_change(run: RunDirectory) -> None:
    run.append_row({"generation": 1, "a": 1.0, "b": 2.0})
    run.append_row({"generation": 2, "b": 4.0, "a": 3.0})
    with pytest.raises(InputError, match="same names in every generation"):
        run.append_row({"generation": 3, "a": 1.0})
    assert run.read_progress()[1] == {"generation": 2, "a": 3.0, "b": 4.0}


@pytest.mark.parametrize("tail", [b"", b"4", b"4,0.5,,1", b"4,0.5,,1.5\n5,0", b"4,\x00\x00\x00\n", b"\n"])
def test_a_torn_end_is_dropped(run: RunDirectory, tail: bytes) -> None:
    for generation in (1, 2, 3):
        run.append_row(row_of(generation))
    good = run.progress_path.read_bytes()
    run.progress_path.write_bytes(good + tail)
    run.truncate_progress(3)
    assert run.progress_path.read_bytes() == good
    run.truncate_progress(2)
    assert run.read_progress() == [row_of(1), row_of(2)]


def test_truncating_to_nothing_begins_the_table_again(run: RunDirectory) -> None:
    run.progress_path.write_bytes(b"generation,me")
    run.truncate_progress(0)
    assert not run.progress_path.exists()
    run.append_row(row_of(1))
    assert run.read_progress() == [row_of(1)]


def test_a_table_in_order_is_not_touched(run: RunDirectory) -> None:
    rollout(run, 3)
    os.utime(run.progress_path, ns=(1, 1))
    run.truncate_progress(3)
    assert run.progress_path.stat().st_mtime_ns == 1


def test_lost_rows_are_warned_of(run: RunDirectory, caplog: pytest.LogCaptureFixture) -> None:
    rollout(run, 3)
    run.progress_path.unlink()
    run.truncate_progress(3)
    assert "lacks rows" in caplog.text


def test_the_last_three_and_the_best_are_kept(run: RunDirectory) -> None:
    rollout(run, 20)
    kept = sorted(path.name for path in run.checkpoints_path.iterdir())
    assert kept == [f"generation_0000{number}.safetensors" for number in (14, 18, 19, 20)]
    checkpoint = run.latest()
    assert checkpoint is not None
    assert (checkpoint.generation, checkpoint.best_generation, checkpoint.header) == (20, 14, {"seed": 1})
    np.testing.assert_array_equal(checkpoint.tensors["center"], tensors_of(20)["center"])


@pytest.mark.parametrize("damage", [b"", b"rubbish that is long enough to be read as a header"])
def test_a_damaged_newest_checkpoint_is_skipped(run: RunDirectory, damage: bytes, tmp_path: Path) -> None:
    rollout(run, 9)
    (run.checkpoints_path / "generation_000009.safetensors").write_bytes(damage)
    checkpoint = run.latest()
    assert checkpoint is not None
    assert checkpoint.generation == 8
    run.tidy()
    assert "generation_000009" in run.log_path.read_text()
    rollout(run, 12)
    with RunDirectory.create(tmp_path / "b", "seed: 1\n") as straight:
        rollout(straight, 12)
    run.log_path.unlink()
    assert contents(run.path) == contents(straight.path)


def test_a_renamed_checkpoint_is_damaged(run: RunDirectory) -> None:
    rollout(run, 2)
    newest = run.checkpoints_path / "generation_000002.safetensors"
    newest.rename(run.checkpoints_path / "generation_000005.safetensors")
    checkpoint = run.latest()
    assert checkpoint is not None
    assert checkpoint.generation == 1


def test_nothing_but_damage_is_refused(run: RunDirectory) -> None:
    rollout(run, 2)
    for path in run.checkpoints_path.iterdir():
        path.write_bytes(b"")
    with pytest.raises(InputError, match="restore one, or evolve into another directory"):
        run.latest()


def test_the_log_holds_one_object_a_line(run: RunDirectory) -> None:
    run.log("started", workers=2, path=run.path)
    with run.log_path.open("a") as file:
        file.write('{"time": "to')
    run.log("generation", mean=np.float32(0.5), worst=float("nan"), counts=np.arange(2))
    lines = run.log_path.read_text().splitlines()
    assert json.loads(lines[0])["workers"] == 2
    last = json.loads(lines[-1])
    assert (last["event"], last["mean"], last["worst"], last["counts"]) == ("generation", 0.5, "nan", [0, 1])


def test_reopening_a_finished_run_changes_no_byte(run: RunDirectory) -> None:
    rollout(run, 10)
    run.close()
    before = contents(run.path)
    with RunDirectory.open(run.path) as again:
        rollout(again, 10)
    assert contents(run.path) == before


@posix_only
def test_killed_at_any_instant_it_opens_and_ends_with_the_same_bytes(tmp_path: Path) -> None:
    path, reached = tmp_path / "killed", 0
    delays = np.random.default_rng(20).uniform(0.0, 0.03, 20)
    context = multiprocessing.get_context("fork")
    for delay in delays:
        child = context.Process(target=run_from_anywhere, args=(path,))
        child.start()
        time.sleep(delay)
        os.kill(child.pid or 0, signal.SIGKILL)
        child.join()
        if path.exists():
            reached = check_consistent(path, reached)
    assert in_child(lambda: run_from_anywhere(path)) == 0
    with RunDirectory.create(tmp_path / "straight", "seed: 1\n") as straight:
        rollout(straight, GENERATIONS)
    assert contents(path) == contents(straight.path)
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["killed", "straight"]


def check_consistent(path: Path, reached: int) -> int:
    """Check what a killed process left; return the generation reached, which never goes back."""
    with RunDirectory.open(path) as run:
        checkpoint = run.latest()
        generation = checkpoint.generation if checkpoint else 0
        assert generation >= reached
        if checkpoint is not None:
            assert (checkpoint.tensors["center"] == generation).all()
            assert checkpoint.best_generation == (generation // 7 * 7 or None)
        assert run.read_progress()[:generation] == [row_of(number) for number in range(1, generation + 1)]
        run.tidy()
        assert not [*path.rglob("*.tmp")]
    return generation


@posix_only
def test_a_full_disk_leaves_the_last_good_checkpoint(run: RunDirectory) -> None:
    import resource

    def fill() -> None:
        rollout(run, 3)
        size = run.progress_path.stat().st_size
        resource.setrlimit(resource.RLIMIT_FSIZE, (size + 5, resource.RLIM_INFINITY))
        before = contents(run.path)
        with pytest.raises(OSError, match="bytes could be written"):
            run.append_row(row_of(4))
        with pytest.raises(OSError, match="large"):
            run.save(4, tensors_of(4), {"seed": 1}, best=True)
        assert contents(run.path) == before

    assert in_child(fill) == 0
    checkpoint = run.latest()
    assert checkpoint is not None
    assert checkpoint.generation == 3
    rollout(run, 5)
    assert run.read_progress() == [row_of(number) for number in range(1, 6)]
