"""The two-step task played by learners whose stay probabilities are known."""

import functools

import numpy as np
import pytest

from hebbevo.envs import config_class
from hebbevo.evaluation.stay import (
    FACTORS,
    INDICES,
    STAYS,
    Trials,
    indices,
    regression,
    stay_estimates,
    stay_probabilities,
)
from hebbevo.evaluation.two_step_learners import ModelBased, ModelFree, TwoStepLearner, play

LIFETIMES, TRIALS = 200, 1500


class WinStayAction:
    """Repeat the first action after a reward, change it otherwise."""

    def __init__(self, draw):
        self.next = draw.integers(0, 2, LIFETIMES)

    def choose(self):
        return self.next

    def see(self, choice, state, reward):
        self.next = np.where(reward > 0, choice, 1 - choice)


class WinStayState(WinStayAction):
    """Go for the state that paid, or for the other one."""

    def see(self, choice, state, reward):
        self.next = np.where(reward > 0, state, 1 - state)


@functools.cache
def played(kind):
    """Trials of a learner of ours, or of one above."""
    config = config_class("two_step")(trials=TRIALS)
    return play(kind, config, range(LIFETIMES)) if issubclass(kind, TwoStepLearner) else repeated(kind)


def repeated(kind):
    learner = kind(np.random.default_rng(0))
    config = config_class("two_step")(trials=TRIALS)
    batch, rows = config.build(LIFETIMES), np.arange(LIFETIMES)
    batch.reset(range(LIFETIMES), ["default"] * LIFETIMES)
    told = []
    for _ in range(config.trials):
        choice = learner.choose()
        batch.step(np.eye(2, dtype=np.float32)[choice], rows)
        state, correct = batch.state - 1, batch.optimal == 1
        batch.step(np.zeros((LIFETIMES, 2), np.float32), rows)
        learner.see(choice, state, batch.rewards)
        told.append((choice, batch.rewards > 0, state == choice, correct))
    return _trials(told)


def _trials(told):
    choices, rewarded, common, correct = (np.array(column).T for column in zip(*told, strict=True))
    return Trials(choices, rewarded, common, correct)


@pytest.mark.parametrize(
    ("learner", "stays", "reward"),
    [
        (WinStayAction, (1, 1, 0, 0), 0.609),
        (WinStayState, (1, 0, 0, 1), 0.683),
        (ModelFree, (0.91, 0.75, 0.54, 0.76), None),
        (ModelBased, (0.87, 0.48, 0.49, 0.87), None),
    ],
)
def test_learners_stay_as_they_are_known_to(learner, stays, reward):
    trials = played(learner)
    assert stay_probabilities(trials) == pytest.approx(stays, abs=0.015)
    if reward:
        assert trials.rewarded.mean() == pytest.approx(reward, abs=0.01)
    model_free, model_based = indices(np.array(stays))
    assert indices(stay_probabilities(trials)) == pytest.approx((model_free, model_based), abs=0.02)


def test_the_regression_takes_the_spurious_index_out():
    free, based = played(ModelFree), played(ModelBased)
    assert indices(stay_probabilities(free))[1] == pytest.approx(0.19, abs=0.02)
    assert regression(free)["reward_by_transition"] == pytest.approx(-0.01, abs=0.015)
    assert indices(stay_probabilities(based))[1] == pytest.approx(0.38, abs=0.02)
    assert regression(based)["reward_by_transition"] == pytest.approx(0.12, abs=0.02)


def test_estimates_are_the_numbers_of_all_trials_with_intervals_over_lifetimes():
    config = config_class("two_step")(trials=40)
    trials = play(ModelFree, config, range(30))
    found = stay_estimates(trials)
    probabilities, coefficients = stay_probabilities(trials), regression(trials)
    expected = [*probabilities, *indices(probabilities), *(coefficients[name] for name in FACTORS)]
    assert [found[name].value for name in (*STAYS, *INDICES, *FACTORS)] == pytest.approx(expected)
    assert all(one.low < one.value < one.high for one in found.values())
    less = stay_estimates(play(ModelFree, config, range(10)))["reward"]
    assert less.high - less.low > found["reward"].high - found["reward"].low


def test_learners_of_states_with_two_arms():
    """On the schedule of Daw the indices tell the two apart without correction."""
    config = config_class("two_step")(schedule="daw", trials=800)
    free, based = (play(kind, config, range(100)) for kind in (ModelFree, ModelBased))
    assert indices(stay_probabilities(free))[1] == pytest.approx(0.02, abs=0.02)
    assert indices(stay_probabilities(based))[1] > 0.1
    assert min(trials.rewarded.mean() for trials in (free, based)) > 0.52


def test_kinds_of_trials_that_never_came_are_not_numbers():
    always = np.ones((1, 5), bool)
    trials = Trials(np.zeros((1, 5), np.int64), always, always, always)
    assert stay_probabilities(trials)[0] == 1
    assert np.isnan(stay_probabilities(trials)[1:]).all()
    assert stay_estimates(trials)["rewarded_rare"].value is None
