"""The Gymnasium wrapper against loops over `gymnasium.make` written out by hand, and the ids it refuses."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.spaces import Box, Discrete

from hebbevo.envs import GymnasiumConfig
from hebbevo.envs.gymnasium.environment import gymnasium_seed
from hebbevo.errors import EnvError
from hebbevo.rollouts.rollout import rollout

IDS = ["CartPole-v1", "Pendulum-v1", "HalfCheetah-v5"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path, monkeypatch):
    """MuJoCo writes its warnings to MUJOCO_LOG.TXT in the working directory."""
    monkeypatch.chdir(tmp_path)


def outputs_of(seed, size, steps):
    return np.tanh(np.random.default_rng(seed).standard_normal((steps, size))).astype(np.float32)


def by_hand(identifier, seed, steps):
    """Observations, rewards and ends of one lifetime, with the action spaces of these three written out."""
    environment = gymnasium.make(identifier)
    size = {"CartPole-v1": 2, "Pendulum-v1": 1, "HalfCheetah-v5": 6}[identifier]
    act = {
        "CartPole-v1": lambda out: int(out[1] > out[0]),
        "Pendulum-v1": lambda out: (2.0 * out.astype(np.float64)).astype(np.float32),
        "HalfCheetah-v5": lambda out: out,
    }[identifier]
    observation, _ = environment.reset(seed=gymnasium_seed(seed))
    history = [(observation.astype(np.float32), 0.0, False)]
    for outputs in outputs_of(seed, size, steps):
        observation, reward, terminated, truncated, _ = environment.step(act(outputs))
        history.append((observation.astype(np.float32), float(reward), terminated or truncated))
        if terminated or truncated:
            break
    return history


@pytest.mark.parametrize("identifier", IDS)
@pytest.mark.parametrize("batch_size", [1, 3])
def test_equal_to_a_loop_by_hand(identifier, batch_size):
    batch = GymnasiumConfig(name=f"gymnasium:{identifier}").build(batch_size)
    seeds = [3, 2**40, 5, 8, 13, 21]
    for start in range(0, len(seeds), batch_size):
        some = seeds[start : start + batch_size]
        histories = [by_hand(identifier, seed, 230) for seed in some]
        outputs = [outputs_of(seed, batch.action_size, 230) for seed in some]
        batch.reset(some, ["default"] * len(some))
        for step in range(max(map(len, histories))):
            active = np.array([row for row, history in enumerate(histories) if step < len(history)])
            if step:
                actions = np.full((batch_size, batch.action_size), np.nan, np.float32)
                for row in active:
                    actions[row] = outputs[row][step - 1]
                batch.step(actions, active)
            for row in active:
                observation, reward, ended = histories[row][step]
                np.testing.assert_array_equal(batch.observations[row], observation)
                assert batch.rewards[row] == reward
                assert batch.terminated[row] == ended
    assert not batch.diverged.any()
    batch.close()


def test_the_time_limit_of_the_id_terminates():
    batch = GymnasiumConfig(name="gymnasium:Pendulum-v1").build(1)
    batch.reset([1], ["default"])
    for step in range(200):
        assert not batch.terminated[0], step
        batch.step(np.zeros((1, 1), np.float32), np.arange(1))
    assert batch.terminated[0]
    batch.step(np.zeros((1, 1), np.float32), np.arange(1))
    assert batch.rewards[0] == 0


def test_a_nan_output_ends_its_own_row_only():
    batch = GymnasiumConfig(name="gymnasium:CartPole-v1").build(2)
    batch.reset([1, 2], ["default"] * 2)
    batch.step(np.array([[np.nan, 1], [0, 1]], np.float32), np.arange(2))
    assert batch.diverged.tolist() == [True, False]
    assert (batch.observations[0] == 0).all()
    assert batch.rewards.tolist() == [0.0, 1.0]
    batch.reset([1], ["default"])
    assert not batch.diverged[0]


def test_an_exploded_mujoco_simulation_diverges():
    batch = GymnasiumConfig(name="gymnasium:HalfCheetah-v5").build(2)
    batch.reset([1, 2], ["default"] * 2)
    batch._environments[0].unwrapped.data.qvel[:] = 1e11
    batch.step(np.zeros((2, 6), np.float32), np.arange(2))
    assert batch.diverged.tolist() == [True, False]
    batch.reset([1, 2], ["default"] * 2)
    batch.step(np.zeros((2, 6), np.float32), np.arange(2))
    assert not batch.diverged.any()


class Odd(gymnasium.Env):
    """Spaces that are not the usual ones: a shifted Discrete, half-bounded Boxes, NaN at will."""

    def __init__(self, action_space, observation_space=None, reward=0.0):
        self.action_space = action_space
        self.observation_space = observation_space or Box(-np.inf, np.inf, (2,))
        self.reward = reward
        self.taken = []

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(2), {}

    def step(self, action):
        self.taken.append(action)
        return np.array([0.0, 1e300 if self.reward == "overflow" else 0.0]), self.reward, False, False, {}


@pytest.fixture
def register_odd():
    made = []

    def register(**arguments):
        identifier = f"HebbevoOdd{len(made)}-v0"
        gymnasium.register(identifier, entry_point=lambda: Odd(**arguments))
        made.append(identifier)
        return GymnasiumConfig(name=f"gymnasium:{identifier}")

    yield register
    for identifier in made:
        del gymnasium.registry[identifier]


def taken(batch, outputs):
    batch.reset([1], ["default"])
    batch.step(np.array([outputs], np.float32), np.arange(1))
    return batch._environments[0].unwrapped.taken[-1]


def test_actions_by_their_space(register_odd):
    assert taken(register_odd(action_space=Discrete(3, start=-1)).build(1), [0, 0.2, 0.9]) == 1
    box = Box(np.array([-2, 0, -np.inf, 0]), np.array([4, 1, np.inf, np.inf]), dtype=np.float64)
    batch = register_odd(action_space=box).build(1)
    np.testing.assert_allclose(taken(batch, [0.5, -1, 7, 3]), [2.5, 0, 7, 3], atol=1e-7)
    np.testing.assert_allclose(taken(batch, [2, -2, -7, -3]), [4, 0, -7, 0], atol=1e-7)
    square = register_odd(action_space=Box(-1, 1, (2, 2))).build(1)
    assert square.action_size == 4
    np.testing.assert_allclose(taken(square, [0.1, 0.2, 0.3, 0.4]), [[0.1, 0.2], [0.3, 0.4]])


@pytest.mark.parametrize("reward", [float("nan"), float("inf")])
def test_a_reward_that_is_not_finite_diverges(register_odd, reward):
    batch = register_odd(action_space=Discrete(2), reward=reward).build(1)
    taken(batch, [0, 1])
    assert batch.diverged[0]
    assert batch.rewards[0] == 0


def nan_bounds():
    space = Box(-1, 1, (2,))
    space.low = np.array([np.nan, -1], np.float32)
    return space


def raising(error):
    raise error


@pytest.mark.parametrize(
    ("entry_point", "message"),
    [
        (lambda: raising(RuntimeError("boom\nboom")), "RuntimeError: boom boom"),
        (lambda: raising(SystemExit(3)), "SystemExit: 3"),
        (lambda: 3, "must inherit from the gymnasium.Env class"),
        ("no_such_module_of_anyone:Env", "No module named 'no_such_module_of_anyone'"),
        ("json:Env", "no attribute 'Env'"),
        ("json", "ValueError: "),
    ],
)
def test_what_cannot_be_made_is_one_line(entry_point, message):
    gymnasium.register("HebbevoHostile-v0", entry_point)
    try:
        with pytest.raises(
            EnvError, match=f"^Gymnasium cannot make HebbevoHostile-v0: .*{message}"
        ) as caught:
            GymnasiumConfig(name="gymnasium:HebbevoHostile-v0").build(1)
        assert "\n" not in str(caught.value)
    finally:
        del gymnasium.registry["HebbevoHostile-v0"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"observation_space": spaces.Sequence(Box(0, 1, (2,)))}, "a fixed count of numbers"),
        ({"observation_space": spaces.Dict(name=spaces.Text(5))}, "a fixed count of numbers"),
        ({"observation_space": spaces.OneOf((Discrete(2), Discrete(3)))}, "a fixed count of numbers"),
        ({"observation_space": Box(0, 1, (0,))}, "a fixed count of numbers"),
        ({"action_space": spaces.Text(5)}, "no outputs can be mapped to"),
        ({"action_space": "left"}, "no outputs can be mapped to"),
        ({"action_space": spaces.Tuple(())}, "takes 0 outputs"),
        ({"action_space": Discrete(10**9)}, "takes 1,000,000,000 outputs; it must be 1 to 1,048,576"),
        ({"action_space": spaces.MultiDiscrete([10**9] * 9)}, "takes 9,000,000,000 outputs"),
        ({"action_space": spaces.Dict(a=Discrete(2**20), b=Discrete(2))}, "takes 1,048,578 outputs"),
        ({"action_space": nan_bounds()}, "whose bounds are NaN"),
        ({"action_space": Box(-(2**40), 2**40, (1,), np.int64)}, "integers without bounds"),
    ],
)
def test_spaces_that_cannot_run_are_refused(register_odd, arguments, message):
    config = register_odd(**{"action_space": Discrete(2), **arguments})
    with pytest.raises(EnvError, match=message):
        config.build(1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gymnasium:CartPol-v1", "did you mean CartPole-v"),
        ("gymnasium:CartPole", "did you mean CartPole-v"),
        ("gymnasium:", "or module:Env-v0, got ''"),
        ("gymnasium:os:CartPole-v1", "registered by a module that was not imported here, os"),
        ("gymnasium:os.path:CartPole-v1", "not imported here, os.path"),
        ("gymnasium:os;x:CartPole-v1", "or module:Env-v0"),
        ("gymnasium:os:sys:CartPole-v1", "or module:Env-v0"),
        ("gymnasium:CartPole-v1\n", "or module:Env-v0"),
        ("CartPole-v1", "gymnasium:ID"),
    ],
)
def test_ids_that_are_not_plain_and_registered_are_refused(name, message):
    with pytest.raises(ValueError, match=message):
        GymnasiumConfig(name=name)


def test_a_missing_optional_dependency_is_one_line(register_odd, monkeypatch):
    def make(*_, **__):
        raise gymnasium.error.DependencyNotInstalled("Box2D is not installed,\nrun pip install swig")

    monkeypatch.setattr(gymnasium, "make", make)
    with pytest.raises(EnvError, match="Box2D is not installed, run") as caught:
        register_odd(action_space=Discrete(2)).build(1)
    assert "\n" not in str(caught.value)


class Fixed:
    """A network that plays the same outputs in every lifetime."""

    def __init__(self, outputs):
        self.outputs, self.step = outputs, -1

    def reset(self, genomes, genome_of, seeds, *, plastic):
        self.step = -1

    def forward(self, observations, active):
        self.step += 1
        return np.repeat(self.outputs[self.step][None], len(observations), axis=0)

    def learn(self, active, rewards):
        pass


@pytest.mark.parametrize(
    ("identifier", "limits", "most"),
    [
        ("CartPole-v1", {}, 300),  # terminates
        ("CartPole-v1", {"max_episode_steps": 8}, 300),  # truncates, or terminates in its last step
        ("Pendulum-v1", {}, 250),  # truncates
        ("Pendulum-v1", {}, 50),  # cut short by env.steps
    ],
)
def test_a_lifetime_is_a_plain_loop_to_termination_truncation_or_its_length(identifier, limits, most):
    config = GymnasiumConfig(name=f"gymnasium:{identifier}", kwargs=limits, steps=most)
    batch = config.build(3)
    outputs = outputs_of(4, batch.action_size, most)
    found = rollout(
        *(batch, Fixed(outputs), np.zeros((1, 1), np.float32), [0] * 3, [1, 2, 3], ["default"] * 3),
        **{"steps": most, "early_stop": None},
    )
    for row, seed in enumerate([1, 2, 3]):
        environment = gymnasium.make(identifier, **limits)
        environment.reset(seed=gymnasium_seed(seed))
        total, steps = 0.0, 0
        for one in outputs:
            action = int(one.argmax()) if identifier == "CartPole-v1" else 2 * one
            _, reward, terminated, truncated, _ = environment.step(action)
            total, steps = total + float(reward), steps + 1
            if terminated or truncated:
                break
        assert (found.steps[row], found.fitness[row]) == (steps, pytest.approx(total, rel=1e-12))


def test_numbers_beyond_the_bounds_of_their_box_are_passed_on(register_odd):
    batch = register_odd(action_space=Discrete(2), observation_space=Box(5, 6, (2,)), reward=1e30).build(1)
    taken(batch, [0, 1])
    assert (batch.observations == 0).all()
    assert batch.rewards[0] == 1e30
    assert not batch.diverged[0]


def test_only_the_default_morphology():
    batch = GymnasiumConfig(name="gymnasium:CartPole-v1").build(1)
    with pytest.raises(EnvError, match="default"):
        batch.reset([1], ["intact"])
