"""scripts/coverage_intervals.py counts what it says, and docs/experiments.md has a row of every number of runs."""

import re
import runpy
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "coverage_intervals.py"))


def test_intervals_are_counted_where_they_hold_the_truth() -> None:
    constant = SCRIPT["coverage"](lambda generator, runs: generator.normal(0, 1e-9, runs) + 1, 3, 2, 5)
    assert constant[0] > 0  # lifetimes alone vary
    assert 0.5 < constant[2] < 1.5
    iqm, better, width = SCRIPT["coverage"](SCRIPT["DISTRIBUTIONS"]["normal"], 8, 2, 20)
    assert iqm >= 0.75
    assert better >= 0.7
    assert 1.0 < width < 2.5


def test_the_page_has_a_row_of_each() -> None:
    text = (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| ([^|]+) \| \d+ % \| \d+ % \| \d\.\d\d \|$", text, re.MULTILINE)
    assert rows == [(str(runs), name) for runs in SCRIPT["RUNS"] for name in SCRIPT["DISTRIBUTIONS"]]
