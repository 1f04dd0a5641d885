"""Every pair of rule, sharing and normaliser: the same lifetimes as recorded, to the last bit.

A kernel per case is compiled, which takes minutes where none is cached; `test_golden_bits` has a few of them, and
`record.py --check` runs all of the grid.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import pytest
from cases import CASES, lacking, paired_names, spread_names, value_of
from kinds import read_values, recorded_kinds, this_kind, why_skipped

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(this_kind() not in recorded_kinds(), reason=why_skipped()),
]


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessPoolExecutor]:
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as executor:
        yield executor


def test_same_bits_of_younger_rules(pool: ProcessPoolExecutor) -> None:
    recorded = read_values(this_kind().folder)
    wanted = [f"catalogue/{name}" for name in CASES["catalogue"]]
    if "catalogue" in lacking(recorded):
        pytest.skip(why_skipped())
    found = dict(zip(wanted, pool.map(value_of, wanted), strict=True))
    assert found == {name: recorded[name] for name in wanted}


@pytest.mark.parametrize("rule", CASES["grid"]["rules"])
def test_same_bits_of_every_sharing(rule: str, pool: ProcessPoolExecutor) -> None:
    recorded = read_values(this_kind().folder)
    if "grid" in lacking(recorded):
        pytest.skip(why_skipped())
    wanted = [name for name in paired_names() if name.split("/")[1] == rule and name not in spread_names()]
    assert len(wanted) >= len(CASES["grid"]["sharings"]) - 1
    found = dict(zip(wanted, pool.map(value_of, wanted), strict=True))
    assert found == {name: recorded[name] for name in wanted}
