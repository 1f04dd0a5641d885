"""Statistics over runs: rliable's numbers on stored scores, SciPy's bootstrap, and the law of nested sampling."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from hebbevo.evaluation import run_statistics
from hebbevo.evaluation.bootstrap import RESAMPLES, percentile_interval
from hebbevo.evaluation.run_statistics import (
    bands,
    estimate_of,
    improvement_over,
    median_with_never,
    profile,
    resample_runs,
    run_scores,
)
from hebbevo.evaluation.statistics import Estimate, interquartile_mean

RLIABLE: dict[str, Any] = json.loads((Path(__file__).parent / "rliable.json").read_text(encoding="utf-8"))
X, Y = np.array(RLIABLE["x"])[:, 0], np.array(RLIABLE["y"])[:, 0]
"""Scores of runs on the first task."""
NOISE = 0.012
"""Standard error of percentiles of 9,999 resamples against 5,000, as a share of the interval's width."""


def resampled(scores: np.ndarray, stream: int = 0) -> np.ndarray:
    return resample_runs(scores[:, None, None], stream)[:, :, 0]


def agree(estimate: Estimate, expected: dict[str, Any]) -> None:
    low, high = expected["interval"]
    assert estimate.value == pytest.approx(expected["value"], rel=1e-12)
    assert (estimate.low, estimate.high) == pytest.approx((low, high), abs=4 * NOISE * (high - low))


def test_runs_of_one_lifetime_have_rliables_intervals() -> None:
    agree(estimate_of(X, resampled(X), np.mean), RLIABLE["first_task_mean"])
    agree(estimate_of(X, resampled(X), interquartile_mean), RLIABLE["first_task_iqm"])
    found = improvement_over(X, Y, resampled(X), resampled(Y, 1))
    agree(found, RLIABLE["first_task_improvement"])
    assert found.value == stats.mannwhitneyu(X, Y).statistic / (len(X) * len(Y))


def test_runs_of_one_lifetime_are_scipys_bootstrap() -> None:
    result = stats.bootstrap(
        (X,), np.mean, n_resamples=RESAMPLES, method="percentile", rng=np.random.default_rng(0)
    )
    found = estimate_of(X, resampled(X), np.mean)
    assert (found.low, found.high) == pytest.approx(tuple(result.confidence_interval), rel=1e-14)


def test_lifetimes_are_drawn_within_drawn_runs() -> None:
    """The variance of a resampled mean is that of the runs' means plus that within runs over their lifetimes."""
    generator = np.random.default_rng(3)
    lifetimes = generator.normal(generator.normal(0, 2, (6, 1, 1)), 3.0, (6, 1, 5))
    found = resample_runs(lifetimes)[:, :, 0].mean(axis=1).var()
    means = lifetimes.mean(axis=2)[:, 0]
    within = lifetimes.var(axis=2).mean() / 5
    assert found == pytest.approx((means.var() + within) / 6, rel=5 * np.sqrt(2 / RESAMPLES))
    assert percentile_interval(resample_runs(np.ones((4, 2, 3))).mean(axis=(1, 2))) == (1.0, 1.0)


def test_bodies_share_the_draws_of_their_lifetimes() -> None:
    lifetimes = np.random.default_rng(4).normal(size=(3, 1, 7))
    both = resample_runs(np.concatenate([lifetimes, lifetimes + 5], axis=1))
    np.testing.assert_allclose(both[:, :, 1] - both[:, :, 0], 5.0)


def test_diverged_lifetimes_are_left_out() -> None:
    lifetimes = np.array([[[1.0, np.nan, 3.0]], [[np.nan, np.nan, 8.0]]])
    assert run_scores(lifetimes).tolist() == [[2.0], [8.0]]
    found = resample_runs(lifetimes)
    assert not np.isnan(found).any()
    assert found.min() >= 1.0
    assert found.max() == 8.0


def test_parts_keep_to_memory_and_to_the_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    lifetimes, curves = (
        np.random.default_rng(5).normal(size=(5, 2, 3)),
        np.random.default_rng(6).normal(size=(9, 4)),
    )
    whole, band = resample_runs(lifetimes), bands(curves)
    monkeypatch.setattr(run_statistics, "_VALUES_AT_ONCE", 15 * 1000)
    assert np.array_equal(resample_runs(lifetimes), whole)
    assert all(map(np.array_equal, bands(curves), band))


def test_a_band_has_the_interquartile_mean_in_it() -> None:
    curves = np.random.default_rng(7).normal(size=(8, 3)) + np.arange(3)
    middle, low, high = bands(curves)
    assert middle.tolist() == interquartile_mean(curves, axis=0).tolist()
    assert ((low < middle) & (middle < high)).all()
    assert np.isnan(bands(curves[:1])[1]).all()


def test_a_profile_is_the_share_of_runs_above() -> None:
    share, low, high = profile(X, resampled(X), np.array([-1e9, np.sort(X)[0], 1e9]))
    assert share.tolist() == [1.0, 1 - 1 / len(X), 0.0]
    assert (low <= share).all()
    assert (share <= high).all()


def test_a_median_may_be_never() -> None:
    never = float("inf")
    assert median_with_never(np.array([3.0, 1.0, never])).value == 3.0
    assert median_with_never(np.array([3.0, never])) == Estimate(None, 3.0, None)
    assert median_with_never(np.array([never] * 3)) == Estimate(None, None, None)
    assert median_with_never(np.array([4.0])) == Estimate(4.0, None, None)
    assert median_with_never(np.zeros(0)) == Estimate(None, None, None)


def test_a_single_run_has_no_interval() -> None:
    assert estimate_of(X[:1], resampled(X[:1]), np.mean) == Estimate(X[0], None, None)
    one = improvement_over(X[:1], Y, resampled(X[:1]), resampled(Y, 1))
    assert one.value == (X[0] > Y).mean() + 0.5 * (X[0] == Y).mean()
    assert one.low is None
