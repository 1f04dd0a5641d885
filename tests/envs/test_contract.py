"""What every registered environment owes: shapes, dtypes, configs that round-trip, the same bits again."""

import json

import numpy as np
import pytest

from hebbevo.envs import ENVIRONMENTS, config_class
from hebbevo.errors import EnvError

EXAMPLES = {"gymnasium:ID": "gymnasium:CartPole-v1"}


@pytest.fixture(params=ENVIRONMENTS)
def config(request):
    return config_class(request.param)(name=EXAMPLES.get(request.param, request.param))


def test_shapes_and_dtypes(config):
    batch = config.build(3)
    assert batch.observations.shape == (3, batch.observation_size)
    assert batch.observations.dtype == np.float32
    assert batch.rewards.dtype == np.float64
    for flags in (batch.done, batch.terminated, batch.diverged):
        assert flags.shape == (3,)
        assert flags.dtype == np.bool_
    assert type(config).unit in ("m", "reward")
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
    labels = {name: config_class(name).axis_label("{} in a lifetime") for name in ENVIRONMENTS}
    assert labels["dog"] == labels["quadruped"] == "progress in a lifetime (m)"
    assert labels["car_racing"] == labels["gymnasium:ID"] == "reward in a lifetime"


def test_bodies_are_chosen_only_where_there_are_several(config):
    if config.has_bodies:
        assert config.with_morphologies(["heavy"]).morphology_names == ("heavy",)
        for names, message in (
            (["hevy"], "did you mean heavy"),
            (["heavy"] * 2, "twice"),
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
    assert (batch.observations[[0, 2]] != before[[0, 2]]).any(axis=1).all()
    batch.close()


def test_same_seed_same_bits_other_seed_other_start(config):
    batch = config.build(2)
    name = config.morphology_names[0]
    batch.reset([4, 5], [name] * 2)
    first = batch.observations.copy()
    batch.reset([5, 4], [name] * 2)
    np.testing.assert_array_equal(batch.observations, first[::-1])
    assert (first[0] != first[1]).any()
    batch.close()


def test_config_survives_json(config):
    dumped = json.loads(json.dumps(config.model_dump(mode="json")))
    assert config_class(dumped["name"])(**dumped) == config


def test_unknown_environment_suggests_the_nearest():
    with pytest.raises(EnvError, match="did you mean quadruped"):
        config_class("quadrupde")
    assert config_class("gymnasium:CartPole-v1") is config_class("gymnasium:ID")
