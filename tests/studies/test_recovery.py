"""Speed, recovery and loss on traces whose answers are known, and intervals against SciPy."""

import numpy as np
import pytest
from scipy import stats

from hebbevo.evaluation.bootstrap import RESAMPLES
from hebbevo.evaluation.statistics import Estimate, mean_estimate, mean_intervals, ratio_of_means
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.studies.perturbation.recovery import (
    WINDOW,
    event_steps,
    mean_recovery,
    recovery_steps,
    windowed_speed,
)

STEPS = 400


def trace(*parts: tuple[int, float]) -> np.ndarray:
    """Return progress per step: so many steps at each speed, the last to the end of life."""
    line = np.concatenate([np.full(count, speed) for count, speed in parts])
    return np.concatenate([line, np.full(STEPS - len(line), parts[-1][1])])[None, :]


def recovery(progress: np.ndarray, twin: np.ndarray, since: int) -> float:
    return float(recovery_steps(windowed_speed(progress), windowed_speed(twin), since)[0])


TWIN = trace((STEPS, 1.0))


@pytest.mark.parametrize(
    ("progress", "since", "answer"),
    [
        (TWIN, 100, 0),  # nothing happened
        (trace((100, 1.0), (80, 0.0), (1, 1.0)), 100, 75),  # 45 of the 50 steps from 175 on are at full speed
        (trace((100, 1.0), (80, 0.5), (1, 1.0)), 100, 70),  # 0.9 = (10 * 0.5 + 40) / 50
        (trace((100, 1.0), (80, 0.0), (1, 1.0)), 180, 0),  # counted from the end of a window
        (trace((100, 1.0), (80, 0.0), (1, 2.0)), 100, 53),  # 23 of 50 steps at double speed are 0.92
        (trace((145, 1.0), (40, 0.0), (1, 1.0)), 100, 80),  # falls at k = 1, as 45 of 50 are enough at k = 0
        (trace((200, 1.0), (40, 0.0), (1, 1.0)), 100, 0),  # what comes later has another cause
        (trace((100, 1.0), (1, 0.89)), 100, np.inf),
        (trace((100, 1.0), (1, 0.91)), 100, 0),
        (trace((340, 1.0), (10, 0.0), (1, 1.0)), 340, 5),
        (trace((340, 1.0), (59, 0.0), (1, 1.0)), 340, np.inf),  # no window left in which it could
        (trace((390, 1.0), (1, 0.0)), 390, np.inf),
    ],
)
def test_recovery_is_the_first_return_to_nine_tenths(progress, since, answer) -> None:
    assert recovery(progress, TWIN, since) == answer


def test_who_does_not_move_cannot_recover() -> None:
    still = trace((STEPS, -0.1))
    assert recovery(still, still, 100) == np.inf


def test_the_twin_is_the_measure_at_the_same_step() -> None:
    twin = trace((200, 1.0), (1, 0.5))  # slower by itself from 200 on
    # nine tenths of 0.51, which the twin has when 1 of the 50 steps is at full speed: from 199 on
    assert recovery(trace((100, 1.0), (1, 0.46)), twin, 100) == 99


def test_windowed_speed_is_a_plain_mean() -> None:
    progress = np.random.default_rng(0).normal(size=(3, 130))
    speeds = windowed_speed(progress)
    assert speeds.shape == (3, 81)
    for t in (0, 17, 80):
        np.testing.assert_allclose(speeds[:, t], progress[:, t : t + WINDOW].mean(axis=1), rtol=1e-12)
    assert windowed_speed(progress[:, :49]).shape == (3, 0)


def slow_recoveries(progress: np.ndarray) -> list[float]:
    """Return the recovery times of the draws that SciPy makes, one by one."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(progress), (RESAMPLES, len(progress)))
    return [recovery(progress[draw].mean(axis=0, keepdims=True), TWIN, 100) for draw in draws]


def test_mean_recovery_is_that_of_the_mean_and_its_interval_covers_it() -> None:
    rng = np.random.default_rng(1)
    down = rng.integers(60, 100, 40)
    progress = np.concatenate([trace((100, 1.0), (int(n), 0.0), (1, 1.0)) for n in down])
    twin = np.repeat(TWIN, 40, axis=0)
    found = mean_recovery(progress, twin, 100)
    expected = recovery(progress.mean(axis=0, keepdims=True), TWIN, 100)
    assert found.value == expected
    assert found.low <= expected <= found.high < found.low + 15
    assert (found.low, found.high) == tuple(
        np.quantile(slow_recoveries(progress), [0.025, 0.975], method="lower")
    )
    never = mean_recovery(np.repeat(trace((100, 1.0), (1, 0.0)), 4, axis=0), twin[:4], 100)
    assert never == Estimate(None, None, None)
    assert mean_recovery(progress[:0], twin[:0], 100) == Estimate(None, None, None)


def test_loss_and_its_share() -> None:
    twin, perturbed = np.array([10.0, 12.0, 14.0]), np.array([9.0, 10.0, 11.0])
    assert mean_estimate(twin - perturbed).value == pytest.approx(2.0)
    assert ratio_of_means(twin - perturbed, twin).value == pytest.approx(1 / 6)
    assert ratio_of_means(perturbed, -twin) == Estimate(None, None, None)
    assert [*vars(mean_estimate(np.full(5, 3.0))).values()] == pytest.approx([3.0] * 3)
    assert mean_estimate(np.zeros(0)) == Estimate(None, None, None)


def test_intervals_agree_with_scipy() -> None:
    values = np.random.default_rng(2).gamma(2.0, size=(40, 3))
    low, high = mean_intervals(values)
    for column in range(3):
        other = stats.bootstrap(
            (values[:, column],), np.mean, n_resamples=9999, method="percentile", rng=np.random.default_rng(5)
        ).confidence_interval
        width = other.high - other.low
        assert low[column] == pytest.approx(other.low, abs=0.06 * width)
        assert high[column] == pytest.approx(other.high, abs=0.06 * width)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("none", None),
        ("zero_weights:at=30", (30, 30)),
        ("zero_weights:from=30,to=35", (30, 35)),
        ("saturate_actuators:from=30,to=40", (30, 40)),
        ("freeze:at=30", (30, 30)),
        ("sensor_noise", (0, 0)),
        ("push:at=20+saturate_actuators:from=30,to=40+none", (20, 40)),
    ],
)
def test_recovery_counts_from_when_it_is_over(text: str, steps: tuple[int, int] | None) -> None:
    assert event_steps(parse_perturbations(text)) == steps
