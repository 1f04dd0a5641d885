"""Statistics: rliable's numbers on stored scores (`rliable.json` says how they came), and what must hold anyhow."""

import json
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hebbevo.evaluation import bootstrap
from hebbevo.evaluation.statistics import (
    Estimate,
    interquartile_mean,
    mean_estimate,
    mean_intervals,
    probability_of_improvement,
    ratio_of_means,
    stratified_intervals,
)

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


def scipys(samples: tuple[np.ndarray, ...], statistic: Any, **options: Any) -> tuple[float, float]:
    """Return the interval of `scipy.stats.bootstrap` on the values themselves."""
    result = stats.bootstrap(
        samples,
        statistic,
        n_resamples=bootstrap.RESAMPLES,
        method="percentile",
        rng=np.random.default_rng(0),
        **options,
    )
    return result.confidence_interval.low, result.confidence_interval.high


def test_a_stratum_is_scipys_bootstrap() -> None:
    found = stratified_intervals([X[:, 1]], [np.median])[0]
    np.testing.assert_allclose(found, scipys((X[:, 1],), np.median), rtol=1e-14)


def test_strata_are_the_samples_of_scipys_bootstrap() -> None:
    def pooled_mean(*samples: np.ndarray, axis: int) -> np.ndarray:
        return np.concatenate(samples, axis=axis).mean(axis=axis)

    strata = [X[:3, 0], X[:, 1], X[:7, 2]]
    found = stratified_intervals(strata, [np.mean])[0]
    np.testing.assert_allclose(found, scipys(tuple(strata), pooled_mean), rtol=1e-14)
    with_a_single_lifetime = stratified_intervals([strata[0], X[:1, 3], strata[1]], [np.mean])[0]
    expected = scipys((strata[0], strata[1]), lambda x, y, axis: _with(X[0, 3], x, y, axis))
    np.testing.assert_allclose(with_a_single_lifetime, expected, rtol=1e-14)


def _with(single: float, x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
    count = x.shape[axis] + y.shape[axis] + 1
    return (x.sum(axis=axis) + y.sum(axis=axis) + single) / count


def test_the_probability_of_improvement_is_scipys_bootstrap_of_both_sides() -> None:
    def improvement(x: np.ndarray, y: np.ndarray, axis: int) -> np.ndarray:
        difference = x[..., :, None] - y[..., None, :]
        return ((difference > 0) + 0.5 * (difference == 0)).mean(axis=(-2, -1))

    x, y = np.round(X[:5, 0], 1), np.round(Y[:4, 0], 1)
    _, interval = probability_of_improvement([x], [y])
    assert interval == pytest.approx(scipys((x, y), improvement), abs=1e-12)


def test_a_ratio_is_scipys_paired_bootstrap() -> None:
    x, y = X[:12, 0], Y[:, 1] + 2
    found = ratio_of_means(x, y)
    low, high = scipys((x, y), lambda a, b, axis: a.mean(axis=axis) / b.mean(axis=axis), paired=True)
    assert found.value == x.mean() / y.mean()
    assert (found.low, found.high) == pytest.approx((low, high), rel=1e-12)


def test_columns_have_the_intervals_of_their_means() -> None:
    low, high = mean_intervals(X)
    for column, values in enumerate(X.T):
        assert [low[column], high[column]] == pytest.approx(
            stratified_intervals([values], [np.mean])[0], rel=1e-12
        )


@pytest.fixture
def warnings_are_errors() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.mark.usefixtures("warnings_are_errors")
def test_values_without_spread_have_plain_intervals() -> None:
    for values in (np.array([0.1]), np.full(3, 0.1), np.full(16, -2.7)):
        value = float(values[0])
        assert stratified_intervals([values, values], [np.mean, interquartile_mean]) == [[value] * 2] * 2
        assert mean_estimate(values) == Estimate(pytest.approx(value), value, value)
        low, high = mean_intervals(np.stack([values, values], axis=1))
        assert low.tolist() == high.tolist() == [value] * 2
        ratio = ratio_of_means(values, np.abs(values))
        assert (ratio.low, ratio.high) == pytest.approx((ratio.value, ratio.value))
        assert probability_of_improvement([values, values], [values, values]) == (0.5, [0.5, 0.5])
    assert mean_estimate(np.zeros(0)) == Estimate(None, None, None)
    assert ratio_of_means(np.zeros(0), np.zeros(0)) == Estimate(None, None, None)
    assert ratio_of_means(np.ones(3), np.array([5.0, -4.0, 0.5])) == Estimate(2.0, None, None)


def test_parts_keep_to_memory_and_to_the_law(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = stratified_intervals(list(X.T), [np.mean, interquartile_mean])
    assert whole == stratified_intervals(list(X.T), [np.mean, interquartile_mean])
    monkeypatch.setattr(bootstrap, "_VALUES_AT_ONCE", 96 * 100)
    for part, interval in zip(
        stratified_intervals(list(X.T), [np.mean, interquartile_mean]), whole, strict=True
    ):
        agree(part, interval)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 16, 33])
def test_the_interquartile_mean_cuts_a_quarter_rounded_down(count: int) -> None:
    values = np.sort(np.random.default_rng(count).normal(size=count))
    cut = count // 4
    assert interquartile_mean(values[::-1]) == pytest.approx(values[cut : count - cut].mean(), rel=1e-14)


def test_columns_with_gaps_have_the_intervals_of_what_is_there():
    rng = np.random.default_rng(2)
    values = rng.normal(size=(30, 3))
    full = mean_intervals(values)
    values[:, 1] = np.nan
    values[4, 1] = 7.0
    values[::2, 2] = np.nan
    low, high = mean_intervals(values)
    assert (low[0], high[0]) == (full[0][0], full[1][0])
    assert (low[1], high[1]) == (7, 7)
    known = values[1::2, 2]
    spread = 1.96 * known.std() / np.sqrt(len(known))
    assert low[2] == pytest.approx(known.mean() - spread, abs=0.1)
    assert high[2] == pytest.approx(known.mean() + spread, abs=0.1)
