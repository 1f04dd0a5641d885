"""What every registered environment owes: shapes, dtypes, configs that round-trip, the same bits again."""

import json

import numpy as np
import pytest

from hebbevo.envs import ENVIRONMENTS, config_class
from hebbevo.errors import EnvError

EXAMPLES = {"gymnasium:ID": "gymnasium:CartPole-v1"}


@pytest.fixture(params=ENVIRONMENTS)
def config(request):
    return ENVIRONMENTS[request.param](name=EXAMPLES.get(request.param, request.param))


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
    assert config_class("gymnasium:CartPole-v1") is ENVIRONMENTS["gymnasium:ID"]
