"""Results that were recorded before: the same lifetimes, runs, old files and studies, to the last bit.

`cases.json` says what is pinned, `kinds/` holds the results by kind of machine, `record.py` records them for another.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import CASES, OLD, SHIPPED, grid_names, lacking, names, spread_names, study_files, value_of
from kinds import KIND_FILE, KINDS, Kind, read_values, recorded_kinds, this_kind, why_skipped

FOLDERS = sorted(path.parent for path in KINDS.glob(f"*/{KIND_FILE}"))
LACKING = lacking(read_values(this_kind().folder))
on_recorded_kind = pytest.mark.skipif(this_kind() not in recorded_kinds(), reason=why_skipped())
YOUNG = [f"catalogue/{name}" for name in CASES["catalogue"]]
INTERVAL = re.compile(r"(?P<of>.+)_(low|high)")
"""Columns of bootstrap intervals: they may move a little when the number of resamples changes, and nothing else may."""


@pytest.fixture(scope="module")
def recorded() -> dict[str, Any]:
    return read_values(this_kind().folder)


def listed(what: str) -> list[str]:
    """Return what `hebbevo list` prints, a name a line."""
    command = [sys.executable, "-m", "hebbevo", "list", what]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()


@on_recorded_kind
@pytest.mark.parametrize(
    "name", [name for name in names() if name not in (*grid_names(), *YOUNG)] + spread_names()
)
def test_same_bits(name: str, recorded: dict[str, Any]) -> None:
    if name.partition("/")[0] in LACKING:
        pytest.skip(why_skipped())
    assert value_of(name) == recorded[name]


@on_recorded_kind
@pytest.mark.parametrize("name", CASES["studies"])
def test_a_study_has_the_same_tables(name: str) -> None:
    if not (this_kind().folder / name).exists():
        pytest.skip(why_skipped())
    files, folder = study_files(name), this_kind().folder / name
    assert files["lifetimes.csv"] == (folder / "lifetimes.csv").read_bytes().decode()
    found, wanted = rows_of(files["table.csv"]), rows_of((folder / "table.csv").read_bytes().decode())
    assert [without_intervals(row) for row in found] == [without_intervals(row) for row in wanted]
    for row, pinned in zip(found, wanted, strict=True):
        assert_intervals_are_near(row, pinned)


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def without_intervals(row: dict[str, str]) -> dict[str, str]:
    return {column: text for column, text in row.items() if not INTERVAL.fullmatch(column)}


def assert_intervals_are_near(row: dict[str, str], pinned: dict[str, str]) -> None:
    """Check that each bound lies within half of the interval's width of where it was."""
    for column in pinned.keys() - without_intervals(pinned).keys():
        match = INTERVAL.fullmatch(column)
        assert match is not None
        low, high = (pinned[f"{match['of']}_{bound}"] for bound in ("low", "high"))
        width = float(high) - float(low) if low and high else 0.0
        assert bool(row[column]) == bool(pinned[column]), column
        if pinned[column]:
            assert float(row[column]) == pytest.approx(float(pinned[column]), rel=1e-9, abs=width / 2), column


def test_every_recorded_rule_and_each_genome_and_searcher_is_pinned() -> None:
    assert {*CASES["grid"]["rules"], *CASES["catalogue"]} == set(listed("rules"))
    assert set(listed("genomes")) <= {f"zoo:{name}" for group in SHIPPED for name in CASES[group]}
    assert set(listed("searchers")) <= {name.partition("-")[0] for name in CASES["evolution"]}


def test_the_few_of_the_grid_hold_every_rule_sharing_and_normaliser() -> None:
    grid = CASES["grid"]
    parts = [set(part) for part in zip(*(name.split("/")[1:] for name in spread_names()), strict=True)]
    assert parts == [set(grid[kind]) for kind in ("rules", "sharings", "normalisers")]
    assert set(spread_names()) < set(grid_names())


def test_there_is_a_recorded_kind() -> None:
    assert FOLDERS
    assert [kind.folder for kind in recorded_kinds()] == FOLDERS, "a kind.json that was edited by hand"


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_nothing_is_missing_from_what_was_recorded(folder: Path) -> None:
    values = read_values(folder)
    young = lacking(values)
    assert sorted(values) == sorted(name for name in names() if name.partition("/")[0] not in young)
    assert all(values.values())
    for study in CASES["studies"] if "zoo" not in young else ():
        assert len(rows_of((folder / study / "lifetimes.csv").read_text())) > 0
        assert len(rows_of((folder / study / "table.csv").read_text())) > 0


def test_every_group_is_recorded_somewhere() -> None:
    assert set.intersection(*(lacking(read_values(folder)) for folder in FOLDERS)) == set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_what_was_recorded_tells_cases_apart(folder: Path) -> None:
    """Nothing diverged unless it is meant to, and lifetimes differ wherever rules do; `hebb` is `A` by another name."""
    values = read_values(folder)
    for name, fitness in fitnesses(values):
        assert math.isfinite(fitness), name
        assert fitness > -1e8 or name == "special/rule-diverging", name
    young = [str(value) for name, value in values.items() if name in YOUNG]
    assert len(set(young)) == len(young)
    if lacking(values) & {"special", "grid"}:
        return
    assert min(fitness for name, fitness in fitnesses(values) if name == "special/rule-diverging") < -1e8
    for normaliser, sharing in itertools.product(CASES["grid"]["normalisers"], CASES["grid"]["sharings"]):
        group = [f"grid/{rule}/{sharing}/{normaliser}" for rule in CASES["grid"]["rules"] if rule != "hebb"]
        assert len({str(values[name]) for name in group}) == len(group), group


def fitnesses(values: dict[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in values.items():
        for lifetimes in value.values():
            if isinstance(lifetimes, list):
                yield from ((name, float.fromhex(text.split()[0])) for text in lifetimes)


def test_a_skip_says_what_to_do() -> None:
    assert "python tests/golden/record.py" in why_skipped()
    assert this_kind().name in why_skipped()
    other = Kind("z80", "", "none", dict.fromkeys(this_kind().libraries, "0"))
    assert "its CPU is z80" in this_kind().difference(other)
    assert "it has mujoco 0, not" in this_kind().difference(other)
    newer = replace(this_kind(), libraries={**this_kind().libraries, "mujoco": "4.0.1"})
    assert newer.difference(this_kind()) == f"it has mujoco {this_kind().libraries['mujoco']}, not 4.0.1"


def test_the_old_run_was_killed_in_mid_run() -> None:
    last = max((OLD / "run" / "checkpoints").iterdir()).name
    assert last == "generation_000003.safetensors"
    assert not (OLD / "run" / "log.jsonl").exists(), "it holds clock times, and results do not need it"
