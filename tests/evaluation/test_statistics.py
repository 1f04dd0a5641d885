"""Statistics: rliable's numbers on stored scores (`rliable.json` says how they came), and what must hold anyhow."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hebbevo.evaluation import statistics
from hebbevo.evaluation.statistics import interquartile_mean, probability_of_improvement, stratified_intervals

RLIABLE: dict[str, Any] = json.loads((Path(__file__).parent / "rliable.json").read_text(encoding="utf-8"))
X, Y = np.array(RLIABLE["x"]), np.array(RLIABLE["y"])
NOISE = 0.012
"""Standard error of percentiles of 9,999 resamples against 5,000, as a share of the interval's width."""


def agree(interval: list[float], expected: list[float]) -> None:
    assert interval == pytest.approx(expected, abs=4 * NOISE * (expected[1] - expected[0]))


@pytest.mark.parametrize(("key", "tasks"), [("", 6), ("first_task_", 1)])
def test_means_and_their_intervals_are_rliables(key: str, tasks: int) -> None:
    strata = list(X.T[:tasks])
    pooled = np.concatenate(strata)
    assert pooled.mean() == pytest.approx(RLIABLE[f"{key}mean"]["value"], rel=1e-12)
    assert interquartile_mean(pooled) == pytest.approx(RLIABLE[f"{key}iqm"]["value"], rel=1e-12)
    mean, iqm = stratified_intervals(strata, [np.mean, interquartile_mean])
    agree(mean, RLIABLE[f"{key}mean"]["interval"])
    agree(iqm, RLIABLE[f"{key}iqm"]["interval"])


@pytest.mark.parametrize(("key", "tasks"), [("", 6), ("first_task_", 1)])
def test_the_probability_of_improvement_is_rliables(key: str, tasks: int) -> None:
    value, interval = probability_of_improvement(list(X.T[:tasks]), list(Y.T[:tasks]))
    assert value == pytest.approx(RLIABLE[f"{key}improvement"]["value"], rel=1e-12)
    agree(interval, RLIABLE[f"{key}improvement"]["interval"])


def test_the_probability_of_improvement_is_mann_whitneys_u_over_the_pairs() -> None:
    x, y = np.array([1.0, 2.0, 2.0, 5.0]), np.array([2.0, 0.0, 2.0])
    value, (low, high) = probability_of_improvement([x], [y])
    assert value == stats.mannwhitneyu(x, y).statistic / 12
    assert low < value < high
    other, _ = probability_of_improvement([y], [x])
    assert value + other == 1.0
    assert probability_of_improvement(list(X.T), list(X.T))[0] == RLIABLE["improvement_over_itself"] == 0.5
    assert probability_of_improvement([x + 9], [y]) == (1.0, [1.0, 1.0])


def test_strata_may_differ_in_size_and_stay_apart() -> None:
    """Between the strata lies all the spread: pooled resampling would show it, stratified does not."""
    low, high = stratified_intervals([np.zeros(7), np.full(3, 100.0)], [np.mean])[0]
    assert low == high == 30.0
    value, (low, high) = probability_of_improvement([np.zeros(2), np.ones(3)], [np.ones(4), np.zeros(1)])
    assert value == low == high == 0.5


def test_a_stratum_is_scipys_bootstrap() -> None:
    found = stratified_intervals([X[:, 1]], [np.median])[0]
    expected = stats.bootstrap(
        (X[:, 1],),
        np.median,
        n_resamples=statistics.RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
    ).confidence_interval
    np.testing.assert_allclose(found, [expected.low, expected.high], rtol=1e-14)


def test_parts_keep_to_memory_and_to_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = stratified_intervals(list(X.T), [np.mean, interquartile_mean])
    assert whole == stratified_intervals(list(X.T), [np.mean, interquartile_mean])
    monkeypatch.setattr(statistics, "_VALUES_AT_ONCE", 96 * 100)
    for part, interval in zip(
        stratified_intervals(list(X.T), [np.mean, interquartile_mean]), whole, strict=True
    ):
        agree(part, interval)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 16, 33])
def test_the_interquartile_mean_cuts_a_quarter_rounded_down(count: int) -> None:
    values = np.sort(np.random.default_rng(count).normal(size=count))
    cut = count // 4
    assert interquartile_mean(values[::-1]) == pytest.approx(values[cut : count - cut].mean(), rel=1e-14)
