"""The learning tasks step by step against plain Python, and what a batch of them owes."""

import numpy as np
import pytest
import slow_worlds
from slow_meta_task import SlowGenerated

from hebbevo.config.loading import load_config
from hebbevo.envs import config_class
from hebbevo.errors import EnvError, InputError

SLOW = {
    "association": slow_worlds.SlowAssociation,
    "bandit": slow_worlds.SlowBandit,
    "harlow": slow_worlds.SlowHarlow,
    "two_step": slow_worlds.SlowTwoStep,
    "maze": slow_worlds.SlowMaze,
    "t_maze": slow_worlds.SlowTMaze,
    "boolean": slow_worlds.SlowBoolean,
    "generated": SlowGenerated,
    "seasons": slow_worlds.SlowSeasons,
}

SETTINGS = [
    {"name": "association", "stimuli": 7, "steps": 24},
    {"name": "association", "stimuli": 1},
    *({"name": "bandit", "schedule": schedule, "steps": 40} for schedule in ("dependent", "reversing")),
    *(
        {"name": "bandit", "schedule": s, "arms": 3, "drift": 0.5}
        for s in ("independent", "reversing", "drifting")
    ),
    {"name": "harlow", "features": 3, "trials_per_pair": 4, "steps": 30},
    {"name": "harlow", "features": 1},
    {"name": "two_step", "hazard": 0.1},
    {"name": "two_step", "schedule": "daw", "trials": 30, "drift": 0.3},
    {"name": "maze"},
    {"name": "maze", "size": 7, "bump": -0.1, "clock": True, "steps": 150},
    {"name": "t_maze", "passage": 0, "trips": 20, "switches": 3},
    {"name": "t_maze", "homing": True, "passage": 1, "trips": 30},
    {"name": "t_maze", "double": True, "homing": True, "passage": 0, "trips": 60},
    {"name": "boolean", "tasks": ("train", "test", "and", "dms")},
    {"name": "boolean", "timing": "published", "trials": 2},
    {"name": "generated", "tasks": ("train", "test_07", "two_step", "bandit"), "trials": 20},
    {"name": "seasons"},
    {"name": "seasons", "foods": 3, "seasons": 3, "years": 2, "days": 2},
]


def configured(settings):
    return config_class(settings["name"])(**settings)


@pytest.fixture(params=SETTINGS, ids=lambda settings: "-".join(map(str, settings.values())))
def config(request):
    return configured(request.param)


def test_every_step_is_that_of_plain_python(config):
    seeds = [0, 3, 2**40 + 1, 2**63 - 1]
    tasks = [config.morphology_names[i % len(config.morphology_names)] for i in range(len(seeds))]
    batch, draw = config.build(len(seeds) + 1), np.random.default_rng(1)
    batch.reset(seeds, tasks)
    worlds = [SLOW[config.name](config, seed, task) for seed, task in zip(seeds, tasks, strict=True)]
    active = np.arange(len(seeds))
    for _ in range(config.steps):
        for row in active:
            np.testing.assert_array_equal(batch.observations[row], np.float32(worlds[row].observation))
        actions = draw.uniform(-1, 1, (len(seeds) + 1, config.action_size)).astype(np.float32)
        if config.name == "t_maze":  # a good walker, so that trips come to their ends
            at_turn = batch.observations[:, 1] == 1
            actions[~at_turn] /= 2.9
            actions[at_turn] = np.copysign(0.5, actions[at_turn])
        batch.step(actions, active)
        for row in active:
            world = worlds[row]
            assert batch.rewards[row] == world.step(actions[row])
            stated = (batch.trial[row], batch.phase[row], batch.optimal[row], batch.terminated[row])
            assert stated == (world.trial, world.phase, world.optimal, world.ended)
        active = active[~batch.terminated[active]]
    assert not len(active)


@pytest.mark.parametrize("name", SLOW)
def test_rows_do_not_depend_on_each_other_and_stay_where_they_ended(name):
    config = config_class(name)()
    task = config.morphology_names[0]
    alone, batch, draw = config.build(1), config.build(3), np.random.default_rng(2)
    alone.reset([9], [task])
    batch.reset([7, 8], [task] * 2)  # a row that another lifetime used before
    batch.step(np.zeros((3, config.action_size), np.float32), np.arange(2))
    batch.reset([8, 9, 10], [task] * 3)
    for step in range(12):
        actions = draw.uniform(-1, 1, (3, config.action_size)).astype(np.float32)
        actions[2] = np.nan if step >= 5 else actions[2]
        if step == 5:
            kept = batch.observations[2].copy()
        alone.step(actions[1:2].copy(), np.array([0]))
        batch.step(actions, np.array([1, 2]))
        np.testing.assert_array_equal(batch.observations[1], alone.observations[0])
        assert batch.rewards[1] == alone.rewards[0]
    assert batch.diverged.tolist() == [False, False, True]
    assert batch.rewards[2] == 0
    np.testing.assert_array_equal(batch.observations[2], kept)
    batch.terminated[1] = True
    kept = batch.observations[1].copy()
    batch.step(np.ones((3, config.action_size), np.float32), np.array([1]))
    assert batch.rewards[1] == 0
    np.testing.assert_array_equal(batch.observations[1], kept)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"name": "bandit", "arms": 3, "schedule": "dependent"}, "dependent has two arms, got 3"),
        ({"name": "bandit", "good": 0.1}, "env.good must be above env.bad, got 0.1 and 0.1"),
        ({"name": "maze", "size": 10}, "env.size must be odd, got 10; use 11"),
        ({"name": "t_maze", "trips": 3, "switches": 3}, "env.switches must be below env.trips, 3, got 3"),
        ({"name": "boolean", "tasks": ("xor",)}, "unknown task 'xor'"),
        ({"name": "boolean", "tasks": ()}, "at least one task, got none"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(InputError, match=message) as caught:
        load_config("quick-association", {f"env.{key}": value for key, value in settings.items()})
    assert "\n" not in str(caught.value)


def test_lifetimes_may_be_shortened_and_null_steps_are_whole_ones():
    whole = config_class("t_maze")(steps=None)
    assert whole.steps == 900
    assert config_class("two_step")(schedule="daw").steps == 402
    batch = config_class("maze")(steps=3).build(1)
    batch.reset([1], ["default"])
    for _ in range(3):
        assert not batch.terminated[0]
        batch.step(np.ones((1, 4), np.float32), np.array([0]))
    assert batch.terminated[0]


def test_unknown_tasks_are_refused_at_the_reset():
    with pytest.raises(EnvError, match="morphology 'heavy'"):
        config_class("maze")().build(1).reset([1], ["heavy"])
    with pytest.raises(EnvError, match="task 'dsm'; did you mean dms"):
        config_class("boolean")().build(1).reset([1], ["dsm"])
