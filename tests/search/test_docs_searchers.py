"""The examples of docs/searchers.md run as they stand."""

import contextlib
import re
from pathlib import Path

import pytest

import hebbevo
from hebbevo.search import SEARCHERS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "searchers.md"


def example(word: str) -> str:
    """Return the Python of the page that holds a word."""
    (found,) = [
        text
        for text in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
        if word in text
    ]
    return str(found)


def test_an_algorithm_of_evotorch_on_our_task(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {}
    exec(example("as_evotorch_problem"), names)
    assert "best_eval" in capsys.readouterr().out
    assert getattr(names["best"], "shape", None) == (61_440,)


def test_an_optimiser_from_outside() -> None:
    exec(example("scipy.optimize"), {})


def test_a_searcher_of_ones_own_evolves_and_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEARCHERS, "hill", None)  # and away again afterwards
    exec(example("class Hill"), {})
    kept = Path("runs/hill/center.safetensors").read_bytes()
    config = hebbevo.load_config("runs/hill/config.yaml")

    def stop(step: object) -> None:
        raise KeyboardInterrupt

    with contextlib.suppress(KeyboardInterrupt):
        hebbevo.evolve(config, out="runs/again", watch=stop)
    assert hebbevo.resume("runs/again").resumed_from == 1
    assert Path("runs/again/center.safetensors").read_bytes() == kept
