"""Meta-tasks: drawn ones, those of the literature beside the worlds written by hand, and what they are worth."""

import numpy as np
import pytest

from hebbevo.config.loading import load_config
from hebbevo.envs import config_class
from hebbevo.envs.cognitive.generated import GeneratedConfig
from hebbevo.envs.cognitive.meta_task import FlagRule, MetaTask, RewardRule
from hebbevo.envs.cognitive.meta_task_drawing import drawn_meta_task, is_interesting, split_names
from hebbevo.envs.cognitive.meta_task_examples import EXAMPLES
from hebbevo.envs.cognitive.meta_task_values import _map_values
from hebbevo.errors import InputError

LIFETIMES = 1000


def play(config, policy, task="default"):
    """Rewards of lifetimes step by step, ``(steps, lifetimes)``; the policy sees the batch and the step's number."""
    batch, rewards = config.build(LIFETIMES), []
    batch.reset(range(LIFETIMES), [task] * LIFETIMES)
    active = np.arange(LIFETIMES)
    for step in range(config.steps):
        batch.step(policy(batch, step), active)
        rewards.append(batch.rewards.copy())
    return np.array(rewards)


def one_hot(choices):
    return np.eye(2, dtype=np.float32)[choices]


def generated(task, **settings):
    return GeneratedConfig(tasks=(task,), **settings)


@pytest.mark.parametrize(
    ("task", "chance", "reactive", "oracle"),
    [("bandit", 0.5, 0.5, 0.75), ("harlow", 0, 0, 1), ("t_maze", 0.6, 0.6, 1), ("two_step", 0.5, 0.5, 0.82)],
)
def test_tasks_of_the_literature_are_worth_what_their_laws_say(task, chance, reactive, oracle):
    config = generated(task)
    values = [config.chance / 100, config.reactive / 100, config.oracle / 100]
    assert values == pytest.approx([chance, reactive, oracle])


def test_values_are_those_of_simulated_lifetimes():
    config, draw = generated("train_003", trials=8), np.random.default_rng(0)
    always_first = 8 * _map_values(drawn_meta_task("train_003"), 20)[0, 0]
    for policy, value in (
        (lambda *_: one_hot(draw.integers(0, 2, LIFETIMES)), config.chance),
        (lambda *_: one_hot(np.zeros(LIFETIMES, int)), always_first),
    ):
        rewards = play(config, policy, "train_003").sum(axis=0)
        assert rewards.mean() == pytest.approx(value, abs=4 * rewards.std() / LIFETIMES**0.5)
    assert config.chance < always_first <= config.reactive <= config.oracle


@pytest.mark.parametrize("task", ["train_003", "two_step"])
def test_who_always_does_the_best_gets_what_the_oracle_does(task):
    config, tried = generated(task, trials=8), {}

    def best(batch, step):
        """Look at a batch of the same lifetimes what the first action would have been called."""
        trial = tried.setdefault("batch", config.build(LIFETIMES))
        trial.reset(range(LIFETIMES), [task] * LIFETIMES)
        for choices in (*tried.setdefault("past", []), one_hot(np.zeros(LIFETIMES, int))):
            trial.step(choices, np.arange(LIFETIMES))
        tried["past"].append(one_hot((trial.optimal == 0).astype(int)))
        return tried["past"][-1]

    rewards = play(config, best, task).sum(axis=0)
    assert rewards.mean() == pytest.approx(config.oracle, abs=4 * rewards.std() / LIFETIMES**0.5)


def test_the_bandit_is_the_one_written_by_hand():
    """The first arm pays as often, in the same share of lifetimes."""
    ours = play(generated("bandit", trials=50), lambda *_: one_hot(np.zeros(LIFETIMES, int)), "bandit")
    theirs = play(
        config_class("bandit")(schedule="dependent", steps=50), lambda *_: one_hot(np.zeros(LIFETIMES, int))
    )
    quantiles = [np.quantile(rewards.mean(axis=0), [0.1, 0.3, 0.5, 0.7, 0.9]) for rewards in (ours, theirs)]
    np.testing.assert_allclose(*quantiles, atol=0.06)
    np.testing.assert_allclose(quantiles[0], [0.1, 0.3, 0.5, 0.7, 0.9], atol=0.06)


def test_the_two_step_task_is_the_one_written_by_hand():
    """An action's state is as likely, and a state pays as often where it is the good one."""
    theirs = config_class("two_step")(common=0.9, hazard=0, trials=40)
    shares = []
    for config, task in ((generated("two_step", trials=40), "two_step"), (theirs, "default")):
        batch, paid = config.build(LIFETIMES), np.zeros((3, LIFETIMES))
        batch.reset(range(LIFETIMES), [task] * LIFETIMES)
        came, count = 0.0, np.zeros((3, LIFETIMES))
        for step in range(config.steps):
            before = batch.state.copy()
            batch.step(one_hot(np.zeros(LIFETIMES, int)), np.arange(LIFETIMES))
            if step % 2:
                paid[before, np.arange(LIFETIMES)] += batch.rewards
                count[before, np.arange(LIFETIMES)] += 1
            else:
                came += np.isin(batch.state, 1).mean() / 40
        rates = paid[1] / np.maximum(count[1], 1)
        shares.append((came, np.quantile(rates, [0.2, 0.8]), (rates > 0.5).mean()))
    (ours, ours_paid, ours_good), (hand, hand_paid, hand_good) = shares
    assert {round(ours, 2), round(1 - hand, 2)} <= {0.1, 0.9}
    np.testing.assert_allclose(ours_paid, [0.1, 0.9], atol=0.08)
    np.testing.assert_allclose(hand_paid, [0.1, 0.9], atol=0.08)
    assert abs(ours_good - 0.5) < 0.05
    assert abs(hand_good - 0.5) < 0.05


def test_the_t_maze_is_the_one_written_by_hand():
    """Trip for trip, whoever goes left gets the same share of high ends, and stays with his luck."""
    ours = play(generated("t_maze", trials=5), lambda *_: one_hot(np.zeros(LIFETIMES, int)), "t_maze")
    config = config_class("t_maze")(passage=0, trips=5, switches=0)
    theirs = play(config, lambda batch, _: -0.9 * batch.observations[:, 1:2])
    for rewards in (ours, theirs):
        assert (rewards[0::3] == 0).all()
        assert (rewards[1::3] == 0).all()
        assert (rewards[2::3] == rewards[2]).all()
        assert set(rewards[2]) == {0.2, 1.0}
        assert abs(rewards[2].mean() - 0.6) < 0.04


def test_harlow_is_the_one_written_by_hand():
    """Who stays with an object that paid, and leaves one that did not, is right from the second trial on."""
    ours, theirs = generated("harlow", trials=6), config_class("harlow")(features=4, steps=6)

    def pattern_policy(batch, step):
        shown = batch.observations > 0
        codes = (shown.reshape(LIFETIMES, 2, 4) * (1 << np.arange(4))).sum(axis=2)
        if step:
            picked, other = memory["codes"][rows, memory["side"]], memory["codes"][rows, 1 - memory["side"]]
            memory["right"] = np.where(batch.rewards > 0, picked, other)
        side = (codes[:, 1] == memory.get("right", codes[:, 0])).astype(int)
        memory.update(codes=codes, side=side)
        return one_hot(side)

    rows, memory = np.arange(LIFETIMES), {}
    by_hand = (play(theirs, pattern_policy) > 0).mean(axis=1)
    state = {"right": 0}

    def object_policy(batch, step):
        if step % 3 == 0 and step:  # paid when the object is left
            picked = state["picked"]
            state["right"] = np.where(batch.rewards > 0, picked, 1 - picked)
        side = np.where(batch.state == 1, state["right"], 1 - np.asarray(state["right"]))
        if step % 3 == 1:
            state["picked"] = np.where(batch.state == 1, side, 1 - side)
        return one_hot(side)

    specified = (play(ours, object_policy, "harlow")[2::3] > 0).mean(axis=1)
    for rates in (by_hand, specified):
        assert rates[0] == pytest.approx(0.5, abs=0.05)
        assert (rates[1:] == 1).all()


def test_drawn_meta_tasks_are_interesting_and_the_splits_share_none():
    train, test = ({drawn_meta_task(name) for name in split_names(split)} for split in ("train", "test"))
    assert (len(train), len(test), len(train & test)) == (120, 30, 0)
    assert all(map(is_interesting, train | test))
    assert not is_interesting(EXAMPLES["two_step"].model_copy(update={"rewards": (RewardRule(old=1),)}))


OWN = {
    "stimuli": [0, "v0"],
    "transitions": [[[0, 1], [0, 1]], [[1, 0], [1, 0]]],
    "rewards": [{"old": 1, "action": 1, "probability": "1-p1"}],
}


def test_a_specification_of_ones_own_stands_in_the_config():
    config = load_config(
        "quick-association",
        {"env.name": "generated", "env.specifications": {"mine": OWN}, "env.tasks": ["mine"]},
    )
    assert config.env.steps == 200
    assert config.env.oracle == pytest.approx(50)
    assert config.env.chance == pytest.approx(25)
    assert GeneratedConfig(**config.env.model_dump(mode="json")) == config.env


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"stimuli": [0, "v9"]}, "a stimulus must be one of 0, 1, 2, v0, v1, v2, v3 or null, got 'v9'"),
        ({"transitions": [[[0, 1], [0, 1]]]}, "a row for each of 2 actions in each of 2 states"),
        (
            {"transitions": [[[0, 1], [0, 1]], [[1, 0], [0.5, 0]]]},
            "a row of state 1 must be 2 probabilities with sum 1",
        ),
        ({"rewards": [{"old": "s0"}]}, "a rule's state must be one of 0 to 1, got 's0'"),
        ({"rewards": [{"probability": "p7"}]}, "a probability must lie in .* got p7"),
        ({"variables": [[2]]}, "variables: s0 must name states from 0 to 1, got"),
    ],
)
def test_specifications_that_make_no_world_are_refused(change, message):
    overrides = {
        "env.name": "generated",
        "env.specifications": {"mine": {**OWN, **change}},
        "env.tasks": ["mine"],
    }
    with pytest.raises(InputError, match=message) as caught:
        load_config("quick-association", overrides)
    assert "\n" not in str(caught.value)


def test_later_rules_win_and_flags_are_read_before_they_are_set():
    task = MetaTask(
        stimuli=(0, 1),
        transitions=(((0, 1), (0, 1)), ((0, 1), (1, 0))),
        rewards=(RewardRule(value=2), RewardRule(old=1, flag=1, value=5)),
        flags=(FlagRule(old=1, action=0),),
    )
    config = GeneratedConfig(tasks=("mine",), specifications={"mine": task}, trials=2)
    batch = config.build(1)
    batch.reset([0], ["mine"])
    paid = []
    for action in (0, 0, 0, 1, 0, 1):
        batch.step(one_hot(np.array([action])), np.array([0]))
        paid.append(batch.rewards[0])
    assert paid == [2, 2, 5, 5, 2, 2]
    assert batch.terminated[0]
