"""The association task against a plain loop, its laws, and an oracle that plays it."""

import numpy as np
import pytest

from hebbevo.config.loading import load_config
from hebbevo.envs.base import environment_stream
from hebbevo.envs.cognitive.association import Association, AssociationConfig
from hebbevo.errors import InputError


def test_every_step_is_that_of_a_plain_loop():
    config = AssociationConfig(stimuli=3, steps=7)
    env, seeds = Association(config, 4), [5, 6, 7]
    env.reset(seeds, ["default"] * 3)
    draw = np.random.default_rng(0)
    worlds = []
    for seed in seeds:
        generator = environment_stream(seed)
        answers = generator.integers(0, 2, 3)
        shown = np.concatenate(generator.permuted(np.tile(np.arange(3), (3, 1)), axis=1))[:7]
        worlds.append((answers, shown))
    for step in range(7):
        actions = draw.standard_normal((4, 2)).astype(np.float32)
        for row, (_, shown) in enumerate(worlds):
            assert env.observations[row].tolist() == [float(i == shown[step]) for i in range(3)]
        env.step(actions, np.arange(3))
        for row, (answers, shown) in enumerate(worlds):
            chosen = 0 if actions[row, 0] >= actions[row, 1] else 1
            assert env.rewards[row] == (1.0 if chosen == answers[shown[step]] else -1.0)
    assert env.terminated[:3].all()
    env.step(np.ones((4, 2), np.float32), np.arange(3))
    assert (env.rewards[:3] == 0).all()


def play(policy, config, seeds):
    env = Association(config, len(seeds))
    env.reset(seeds, ["default"] * len(seeds))
    total, active = np.zeros(len(seeds)), np.arange(len(seeds))
    known = np.zeros((len(seeds), config.stimuli), np.int64)
    for _ in range(config.steps):
        stimuli = env.observations.argmax(axis=1)
        actions = policy(known, stimuli)
        env.step(actions.astype(np.float32), active)
        total += env.rewards
        answer = np.where(env.rewards > 0, actions.argmax(axis=1), 1 - actions.argmax(axis=1))
        known[active, stimuli] = 2 * answer - 1
    return total.mean()


def test_oracle_and_chance_are_as_stated():
    config, seeds = AssociationConfig(), list(range(400))

    def remembers(known, stimuli):
        answer = known[np.arange(len(known)), stimuli]
        return np.stack([-answer, answer], 1)

    def reacts(known, stimuli):
        return np.stack([stimuli % 2, 1 - stimuli % 2], 1)

    assert config.steps == 80
    assert config.oracle == 72
    assert play(remembers, config, seeds) == pytest.approx(config.oracle, abs=0.5)
    assert play(reacts, config, seeds) == pytest.approx(config.chance, abs=5)


def test_rows_do_not_disturb_each_other_and_nan_diverges():
    config = AssociationConfig(stimuli=4)
    one, many = Association(config, 1), Association(config, 3)
    one.reset([9], ["default"])
    many.reset([8, 9, 10], ["default"] * 3)
    for _ in range(10):
        assert (one.observations[0] == many.observations[1]).all()
        actions = np.tile(np.array([1, 0], np.float32), (3, 1))
        actions[2] = np.nan
        one.step(actions[:1], np.array([0]))
        many.step(actions, np.arange(3))
        assert one.rewards[0] == many.rewards[1]
    assert many.diverged.tolist() == [False, False, True]
    assert many.rewards[2] == 0


def test_config_takes_stimuli_and_steps():
    assert load_config("quick-association").env.stimuli == 8
    assert load_config("quick-association", ["env.stimuli=4"]).env.steps == 40
    with pytest.raises(InputError, match=r"env\.stimuli"):
        load_config("quick-association", ["env.stimuli=0"])
