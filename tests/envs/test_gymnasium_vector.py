"""Vector environments against the same environments one by one; those whose rows are not their own are refused."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import batch_space

from hebbevo.envs import GymnasiumConfig
from hebbevo.errors import EnvError

IDENTIFIER = "HebbevoVector-v0"


class Nested(gymnasium.Env):
    """Observes a Dict, acts in a Tuple, and ends by itself or by its time limit, at random."""

    observation_space = spaces.Dict(level=spaces.Discrete(4), image=spaces.Box(-1, 1, (2, 2)))
    action_space = spaces.Tuple((spaces.MultiDiscrete([2, 3]), spaces.Box(0, 1, (2,))))

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.seen(), {}

    def seen(self):
        noise = self.np_random.uniform(-1, 1, (2, 2)).astype(np.float32)
        return {"level": int(self.np_random.integers(4)), "image": noise}

    def step(self, action):
        choices, numbers = action
        reward = float(choices.sum() + numbers.sum())
        return self.seen(), reward, bool(self.np_random.random() < 0.1), False, {}


def cart_pole():
    return gymnasium.make("CartPole-v1", max_episode_steps=12)


def nested():
    return gymnasium.wrappers.TimeLimit(Nested(), 12)


class Drift(VectorEnv):
    """Stepped in NumPy: a point drifts by its action; faults on demand."""

    metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012  (as Gymnasium has it)

    def __init__(self, num_envs, fault=""):
        self.num_envs, self.fault = num_envs, fault
        self.single_observation_space = spaces.Box(-np.inf, np.inf, (2,), np.float64)
        self.single_action_space = spaces.Box(-1, 1, (2,))
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.total = 0.0

    def reset(self, *, seed=None, options=None):
        if self.fault == "one seed":
            super().reset(seed=seed)
        self.at = np.array([np.random.default_rng(one).uniform(-1, 1, 2) for one in seed])
        self.at += {"place": np.arange(self.num_envs)[:, None], "history": self.total}.get(self.fault, 0.0)
        return (self.at[:1] if self.fault == "shape" else self.at.copy()), {}

    def step(self, actions):
        self.total += 1.0
        self.at = self.at + 0.1 * actions
        if self.fault == "neighbours":
            self.at += self.at.mean(axis=0)
        ends = np.zeros(self.num_envs, np.bool_)
        rewards = [0.0] if self.fault == "rewards" else -np.abs(self.at).sum(axis=1)
        return self.at.copy(), rewards, ends, ends, {}


@pytest.fixture
def register():
    def add(make, **arguments):
        gymnasium.registry.pop(IDENTIFIER, None)
        gymnasium.register(IDENTIFIER, vector_entry_point=make, **arguments)
        return GymnasiumConfig(name=f"gymnasium:{IDENTIFIER}", vector=True)

    yield add
    gymnasium.registry.pop(IDENTIFIER, None)


def lived(batch, seeds, steps=15):
    """Return observations, rewards and ends of every step of some lifetimes, those of rows that go on."""
    random = np.random.default_rng(1)
    batch.reset(seeds, ["default"] * len(seeds))
    active, history = np.arange(len(seeds)), [batch.observations[: len(seeds)].copy()]
    for _ in range(steps):
        actions = random.uniform(-1, 1, (8, batch.action_size)).astype(np.float32)[: batch.batch_size]
        batch.step(actions, active)
        history += [batch.rewards[active].copy(), batch.terminated[active].copy()]
        active = active[~batch.terminated[active]]
        history.append(batch.observations[active].copy())
    assert not batch.diverged.any()
    return history


@pytest.mark.parametrize("mode", AutoresetMode)
@pytest.mark.parametrize("single", [cart_pole, nested])
def test_rows_are_those_of_single_environments(register, single, mode):
    config = register(lambda num_envs: SyncVectorEnv([single] * num_envs, autoreset_mode=mode))
    vector = config.build(5)
    del gymnasium.registry[IDENTIFIER]
    gymnasium.register(IDENTIFIER, single)
    plain = GymnasiumConfig(name=f"gymnasium:{IDENTIFIER}")
    alone = plain.build(5)
    for seeds in ([7, 2**40, 3, 4, 5], [3, 7, 9]):
        for one, other in zip(lived(vector, seeds), lived(alone, seeds), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_batch_of_one_and_rows_that_diverge(register):
    config = register(Drift)
    assert (config.interface.observation_size, config.preferred_batch_size) == (2, 64)
    alone, five = config.build(1), config.build(5)
    np.testing.assert_array_equal(lived(alone, [7])[0][0], lived(five, [1, 7, 2])[0][1])
    five.reset([1, 2], ["default"] * 2)
    before = five.observations[1].copy()
    five.step(np.array([[np.nan, 0], [0, 0.5], *[[0, 0]] * 3], np.float32), np.arange(2))
    assert five.diverged.tolist()[:2] == [True, False]
    assert five.rewards[0] == 0
    np.testing.assert_allclose(five.observations[:2] - [[0, 0], before], [[0, 0], [0, 0.05]], atol=1e-6)
    five.close()


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("one seed", r"no reset\(seed=\[...\]\) with a seed for each row"),
        ("neighbours", "come out otherwise in another order"),
        ("place", "come out otherwise in another order"),
        ("history", "come out otherwise in another order"),
        ("shape", r"observations of shape \(3, 2\), got float64 of shape \(1, 2\)"),
        ("rewards", r"step must return 3 rewards, got float64 of shape \(1,\)"),
    ],
)
def test_rows_that_are_not_their_own_are_refused(register, fault, message):
    config = register(Drift, kwargs={"fault": fault})
    with pytest.raises(EnvError, match=message) as caught:
        config.build(3)
    assert "\n" not in str(caught.value)


def test_what_cannot_be_stepped_so_says_what_can(register):
    register(Drift)
    with pytest.raises(EnvError, match=r"only a vector_entry_point; set env.vector=true"):
        GymnasiumConfig(name=f"gymnasium:{IDENTIFIER}").build(2)
    with pytest.raises(EnvError, match=r"no vector_entry_point .* leave env.vector out"):
        _ = GymnasiumConfig(name="gymnasium:Pendulum-v1", vector=True).interface
    with pytest.raises(EnvError, match=r"a seed for each row"):
        GymnasiumConfig(name="gymnasium:CartPole-v1", vector=True).build(2)
    with pytest.raises(ValueError, match=r"env.wrappers are those of single environments"):
        GymnasiumConfig(name="gymnasium:CartPole-v1", vector=True, wrappers=["ClipReward"])
