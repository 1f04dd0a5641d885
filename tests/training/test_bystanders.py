"""What a run does without: no display, log, listener, curve or figure ends it, or changes a byte of its results."""

import io
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tasks import CART_POLE, HERE, small_config
from test_evolution import results

import hebbevo
from hebbevo.cli import display
from hebbevo.cli.app import run
from hebbevo.cli.output import LastingOutput
from hebbevo.execution.events import unfailing
from hebbevo.io.tensorboard import EventFile
from hebbevo.training import figures, run_directory

KEYS = (*CART_POLE, "env.steps=40", "search.population=6", "search.generations=3", "evaluation.every=2")
COMMAND = ("evolve", "quick-quadruped", *KEYS, "evaluation.episodes=3", "run.seed=7", "--threads", "1")


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    path = tmp_path_factory.mktemp("straight") / "run"
    hebbevo.evolve(small_config(), path, execution=HERE)
    return results(path)


def fail(*_: Any, **__: Any) -> Any:
    raise OSError(28, "No space left on device")


def break_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventFile, "add", fail)


def break_event_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(EventFile, "__init__", fail)


def break_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_directory, "append_event", fail)


def break_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(figures.FIGURES, "learning_curve", fail)


def break_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(display.StatusLine, "_line", fail)


@pytest.mark.parametrize("broken", [break_curves, break_event_file, break_log, break_figures, break_line])
def test_a_part_that_fails_is_one_warning_and_the_run_goes_on(
    broken: Callable[[pytest.MonkeyPatch], None],
    expected: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    broken(monkeypatch)
    assert run([*COMMAND, "--out", "run"]) == 0
    assert results("run") == expected
    (warning,) = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert "the run goes on" in warning
    assert "No space left on device" in warning


class Gone(io.RawIOBase):
    """A pipe whose reader is gone."""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        raise BrokenPipeError(32, "Broken pipe")


@pytest.mark.parametrize("case", ["ascii", "gone", "none"])
def test_no_standard_output_ends_a_run(
    case: str, expected: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    gone = io.TextIOWrapper(io.BufferedWriter(Gone()), encoding="utf-8", write_through=True)  # type: ignore[type-var]
    monkeypatch.setattr(sys, "stdout", {"ascii": ascii_only, "gone": gone, "none": None}[case])
    assert run([*COMMAND, "--out", "run"]) == 0
    assert results("run") == expected
    ascii_only.seek(0)
    assert ("generation 3/3 - center" in ascii_only.read()) == (case == "ascii")


def test_output_that_fails_goes_nowhere_from_then_on(caplog: pytest.LogCaptureFixture) -> None:
    output = LastingOutput(io.TextIOWrapper(Gone(), write_through=True))  # type: ignore[type-var, arg-type]
    for _ in range(3):
        assert output.write("text") == 4
        output.flush()
    assert len(caplog.records) == 1


def test_a_listener_that_fails_ends_no_work(caplog: pytest.LogCaptureFixture) -> None:
    unfailing(fail)("map", items=3)
    assert "a listener failed at map" in caplog.text


def test_a_path_that_is_no_text_is_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    monkeypatch.setattr(sys, "stdout", out)
    path = Path("caf\udce9")
    assert run([*COMMAND, "--out", str(path)]) == 0
    out.seek(0)
    assert r"done: caf\udce9" in out.read()
