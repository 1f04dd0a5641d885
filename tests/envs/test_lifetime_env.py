"""A lifetime as a Gymnasium environment: Gymnasium's own checker, and the bits of the batch that it stands for."""

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from worlds import example

from hebbevo import load_config
from hebbevo.envs import ENVIRONMENTS, as_gymnasium


@pytest.mark.filterwarnings("ignore")  # observations without bounds, no render mode
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_gymnasiums_checker_passes(name):
    environment = as_gymnasium(example(name))
    check_env(environment, skip_render_check=True)
    environment.close()


def test_a_lifetime_is_that_of_the_batch():
    config = load_config("quick-quadruped", ["env.steps=5", "env.morphologies=[intact, heavy]"])
    environment, batch = as_gymnasium(config), config.env.build(3)
    batch.reset([4, 9, 5], ["intact", "heavy", "intact"])
    observation, info = environment.reset(seed=9, options={"morphology": "heavy"})
    assert info == {"seed": 9, "morphology": "heavy"}
    actions = np.random.default_rng(1).uniform(-1, 1, (5, 8)).astype(np.float32)
    for step, action in enumerate(actions):
        np.testing.assert_array_equal(observation, batch.observations[1])
        observation, reward, terminated, truncated, info = environment.step(action)
        batch.step(np.tile(action, (3, 1)), np.arange(3))
        assert (reward, terminated, truncated) == (batch.rewards[1], False, step == 4)
    assert environment.reset()[1]["morphology"] == "intact"
    environment.step(np.full(8, np.nan, np.float32))
    assert environment.step(actions[0])[2:4] == (True, False), "diverged"


def test_a_discrete_action_is_the_largest_output():
    environment = as_gymnasium(example("gymnasium:ID"))
    assert environment.action_space.n == 2
    environment.reset(seed=3)
    moved = [environment.step(action)[0][1] for action in (1, 0, 0)]
    assert moved[0] > moved[1] > moved[2], "the cart is pushed to the right, then to the left"
