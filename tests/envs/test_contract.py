"""What every registered environment owes: shapes, dtypes, configs that round-trip, the same bits again."""

import json

import numpy as np
import pytest
from worlds import example

from hebbevo.envs import ENVIRONMENTS, config_class
from hebbevo.errors import EnvError

OTHER_TASKS = {"boolean": ("dms", "dsm"), "generated": ("harlow", "harlov")}


@pytest.fixture(params=ENVIRONMENTS)
def config(request):
    return example(request.param)


def test_shapes_and_dtypes(config):
    batch = config.build(3)
    assert batch.observations.shape == (3, batch.observation_size)
    assert batch.observations.dtype == np.float32
    assert batch.rewards.dtype == np.float64
    for flags in (batch.done, batch.terminated, batch.diverged):
        assert flags.shape == (3,)
        assert flags.dtype == np.bool_
    assert config.unit in ("m", "reward")
    assert isinstance(type(config).releases_gil, bool)
    batch.close()


def test_declared_is_what_is_built(config):
    batch = config.build(2)
    assert config.interface.observation_size == batch.observation_size
    assert config.interface.action_size == batch.action_size
    assert config.interface.image_shape == batch.image_shape
    np.testing.assert_array_equal(config.interface.action_slopes, batch.action_slopes)
    assert config.interface.action_slopes.dtype == np.float32
    assert bool(config.interventions) == (batch.interventions is not None)
    batch.close()


def test_axis_labels_name_the_fitness_and_its_unit():
    labels = {name: example(name).axis_label("{} in a lifetime") for name in ENVIRONMENTS}
    assert labels["dog"] == labels["quadruped"] == "progress in a lifetime (m)"
    assert labels["car_racing"] == labels["gymnasium:ID"] == "reward in a lifetime"


def test_bodies_are_chosen_only_where_there_are_several(config):
    known, misspelt = OTHER_TASKS.get(config.name, ("heavy", "hevy"))
    if config.has_bodies or config.name in OTHER_TASKS:
        assert config.with_morphologies([known]).morphology_names == (known,)
        for names, message in (
            ([misspelt], f"did you mean {known}"),
            ([known] * 2, "twice"),
            ([], "at least one"),
        ):
            with pytest.raises(EnvError, match=message):
                config.with_morphologies(names)
    else:
        with pytest.raises(EnvError, match="one body only"):
            config.with_morphologies(["heavy"])


def test_arrays_are_written_in_place_and_only_in_active_rows(config):
    batch = config.build(3)
    arrays = (batch.observations, batch.rewards, batch.done, batch.terminated, batch.diverged)
    batch.reset([1, 2, 3], [config.morphology_names[0]] * 3)
    before = batch.observations.copy()
    batch.step(np.full((3, batch.action_size), 0.5, np.float32), np.array([0, 2]))
    assert all(
        now is then
        for now, then in zip(
            arrays,
            (batch.observations, batch.rewards, batch.done, batch.terminated, batch.diverged),
            strict=True,
        )
    )
    np.testing.assert_array_equal(batch.observations[1], before[1])
    moved = np.zeros(3, np.bool_)
    for _ in range(12):
        moved |= (batch.observations != before).any(axis=1) | (batch.rewards != 0)
        batch.step(np.full((3, batch.action_size), 0.5, np.float32), np.array([0, 2]))
    assert moved.tolist() == [True, False, True]
    batch.close()


def experience(config, batch, seeds):
    """Yield what each row sees and is paid, first and after each of 40 steps, the same random actions for all."""
    batch.reset(seeds, [config.morphology_names[0]] * len(seeds))
    draw = np.random.default_rng(0)
    for _ in range(40):
        yield np.column_stack([batch.observations, batch.rewards])
        actions = draw.uniform(-1, 1, batch.action_size).astype(np.float32)
        batch.step(np.tile(actions, (len(seeds), 1)), np.arange(len(seeds)))


def test_same_seed_same_bits_other_seed_another_life(config):
    batch, other = config.build(4), config.build(4)
    differ, seeds = False, [4, 5, 6, 7]
    for first, then in zip(
        experience(config, batch, seeds), experience(config, other, seeds[::-1]), strict=True
    ):
        np.testing.assert_array_equal(first, then[::-1])
        differ |= bool((first[0] != first).any())
    assert differ
    batch.close()
    other.close()


def test_config_survives_json(config):
    dumped = json.loads(json.dumps(config.model_dump(mode="json")))
    assert config_class(dumped["name"])(**dumped) == config


def test_unknown_environment_suggests_the_nearest():
    with pytest.raises(EnvError, match="did you mean quadruped"):
        config_class("quadrupde")
    assert config_class("gymnasium:CartPole-v1") is config_class("gymnasium:ID")
