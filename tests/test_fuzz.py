"""A seeded share of what `scripts/fuzz` gives hebbevo; and that the fuzzer sees each thing that can be wrong."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import fuzz_runner
import pytest
from fuzz_inputs import KINDS
from fuzz_runner import Fuzzer, drawn

INPUTS = 120


@pytest.fixture(scope="module")
def fuzzer(tmp_path_factory: pytest.TempPathFactory) -> Fuzzer:
    return Fuzzer(tmp_path_factory.mktemp("fuzz"), seed=0)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_no_input_is_taken_otherwise_than_it_should(fuzzer: Fuzzer) -> None:
    for kind, number in islice(drawn(0), INPUTS):
        fuzzer.run(kind, number)
    assert fuzzer.report.wrong == []
    assert set(fuzzer.report.refused) == set(KINDS)
    assert fuzzer.report.accepted.total() > INPUTS // 20


def raises(words: list[str]) -> int:
    raise ZeroDivisionError("by chance")


def writes(words: list[str]) -> int:
    Path("new").write_text("something")
    return refuses(words)


def refuses(words: list[str], lines: str = "hebbevo: no\n") -> int:
    sys.stderr.write(lines)
    return 2


def hangs(words: list[str]) -> int:
    while True:
        pass


WRONG: dict[str, Callable[[list[str]], int]] = {
    "ZeroDivisionError: by chance": raises,
    "refused, but new changed": writes,
    "exit code 1": lambda words: 1,
    "in other than one line": lambda words: refuses(words, "hebbevo: no\nhebbevo: no\n"),
    "RuntimeWarning": lambda words: refuses(words, "x.py:3: RuntimeWarning: overflow\n"),
    "hangs": hangs,
}


@pytest.mark.parametrize("expected", WRONG)
def test_what_is_wrong_is_seen(expected: str, fuzzer: Fuzzer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fuzz_runner, "run", WRONG[expected])
    monkeypatch.setattr(fuzz_runner, "LONGEST", 0.05)
    before = list(fuzzer.report.wrong)
    fuzzer.run("overrides", 1)
    assert expected in fuzzer.report.wrong[-1]
    assert len(fuzzer.report.wrong) == len(before) + 1
