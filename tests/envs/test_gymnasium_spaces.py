"""Spaces of Gymnasium environments against Gymnasium's own flattening, and environments that break their word."""

import gymnasium
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.spaces import Box, Discrete
from gymnasium.wrappers import FlattenObservation, FrameStackObservation, NormalizeObservation

from hebbevo.envs import GymnasiumConfig
from hebbevo.envs.gymnasium.actions import actor
from hebbevo.envs.gymnasium.environment import gymnasium_seed
from hebbevo.envs.gymnasium.observations import observer
from hebbevo.envs.images import fill_planes
from hebbevo.errors import EnvError

NESTED = {
    "box": Box(-1, 1, (2, 3)),
    "scalar": Box(0, 1, ()),
    "integers": Box(-3, 7, (4,), np.int64),
    "levels": Box(0, 255, (5,), np.uint8),
    "discrete": Discrete(3, start=-1),
    "choices": spaces.MultiDiscrete([2, 3], start=[1, -1]),
    "table": spaces.MultiDiscrete([[2, 3], [4, 2]]),
    "bits": spaces.MultiBinary((2, 2)),
    "tuple": spaces.Tuple((Discrete(2), Box(0, 1, (2,), np.float64))),
}
SPACES = {**NESTED, "all": spaces.Dict(NESTED)}


@pytest.mark.parametrize("name", SPACES)
def test_observations_are_flattened_as_gymnasium_does(name):
    space = SPACES[name]
    seen = observer("Odd-v0", space)
    assert seen.image_shape is None
    for seed in range(5):
        space.seed(seed)
        value, row = space.sample(), np.full(seen.size, np.nan, np.float32)
        seen.write("reset", value, row)
        np.testing.assert_array_equal(row, spaces.flatten(space, value).ravel().astype(np.float32))


@pytest.mark.parametrize("name", SPACES)
def test_actions_lie_in_their_space_and_reach_its_ends(name):
    space = SPACES[name]
    made = actor("Odd-v0", space)
    random = np.random.default_rng(3)
    seen = set()
    for _ in range(60):
        action = made.act(random.choice([-1, 0.3, 1], len(made.slopes)).astype(np.float32))
        assert space.contains(action), action
        seen.add(spaces.flatten(space, action).tobytes())
    assert len(seen) > 1
    ends = {
        "integers": ([-3] * 4, [7] * 4),
        "levels": ([0] * 5, [255] * 5),
        "bits": ([[0] * 2] * 2, [[1] * 2] * 2),
    }
    for sign, end in zip((-1, 1), ends.get(name, ()), strict=False):
        assert made.act(np.full(len(made.slopes), sign, np.float32)).tolist() == end


@pytest.mark.parametrize("shape", [(3, 8, 9), (8, 9, 3), (1, 8, 9), (8, 9), (8, 4, 4), (4, 8, 4)])
def test_images_have_their_channels_first_or_last(shape):
    seen = observer("Odd-v0", Box(0, 255, shape, np.uint8))
    frame = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
    planes = np.moveaxis(frame, -1, 0) if shape[-1] in (3, 4) else frame
    assert seen.image_shape == (planes.shape if len(shape) == 3 else (1, *shape))
    row = np.empty(seen.size, np.float32)
    seen.write("reset", frame, row)
    np.testing.assert_allclose(row, planes.ravel() / 255, rtol=1e-6)


@pytest.mark.parametrize(
    "frame",
    [
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((16, 3), np.uint8),
        np.zeros((4, 8, 3), np.uint8)[:, ::2],
    ],
)
def test_compiled_code_gets_no_frame_that_does_not_fit(frame):
    memory = np.full(100, -7, np.float32)
    with pytest.raises(ValueError, match="cannot hold a frame"):
        fill_planes(frame, memory[:48])
    assert (memory == -7).all()


class Liar(gymnasium.Env):
    """Returns from `reset` or `step` what it is given."""

    action_space = Discrete(2)

    def __init__(self, space, **returned):
        self.observation_space = space
        self.returned = returned

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return self.returned.get("reset", (self.observation_space.sample(), {}))

    def step(self, action):
        good = (self.observation_space.sample(), 0.0, False, False, {})
        return self.returned.get("step", good)


@pytest.fixture
def register():
    names = []

    def add(make):
        names.append(f"HebbevoSpaces{len(names)}-v0")
        gymnasium.register(names[-1], entry_point=make)
        return GymnasiumConfig(name=f"gymnasium:{names[-1]}")

    yield add
    for name in names:
        del gymnasium.registry[name]


def test_an_id_that_is_registered_again_has_its_new_spaces(register):
    config = register(lambda: Liar(Box(-1, 1, (2,))))
    assert config.interface is config.interface
    assert config.interface.observation_size == config.build(1).observation_size == 2
    del gymnasium.registry[config.id]
    gymnasium.register(config.id, entry_point=lambda: Liar(Box(-1, 1, (5,))))
    assert config.interface.observation_size == config.build(1).observation_size == 5


def test_an_id_that_a_worker_does_not_know_is_one_line_with_the_remedy(register):
    config = register(lambda: Liar(Box(-1, 1, (2,))))
    registered = gymnasium.registry.pop(config.id)
    try:
        for vector in (False, True):
            with pytest.raises(EnvError, match=r"is not registered in a worker;.*--import FILE\.py"):
                config.model_copy(update={"vector": vector}).build(1)
    finally:
        gymnasium.registry[config.id] = registered


PAIR, IMAGE = Box(-1, 1, (2,)), Box(0, 255, (4, 4, 3), np.uint8)
ZEROS = np.zeros(2)


@pytest.mark.parametrize(
    ("space", "returned", "message"),
    [
        (PAIR, {"reset": ZEROS}, r"reset must return \(observation, info\), got float64 of shape \(2,\)"),
        (PAIR, {"reset": (0.5, {})}, "reset must return an observation .* got a float"),
        (PAIR, {"reset": (np.zeros((1, 2)), {})}, r"got float64 of shape \(1, 2\)"),
        (PAIR, {"reset": ([[1.0], [1.0, 2.0]], {})}, "got a list"),
        (PAIR, {"reset": (np.array(["a", "b"]), {})}, "reset must return an observation"),
        (IMAGE, {"reset": (np.zeros((4, 4, 4), np.uint8), {})}, r"uint8 of shape \(4, 4, 4\)"),
        (IMAGE, {"reset": (np.zeros((4, 4, 3)), {})}, "got float64 of shape"),
        (spaces.Dict(a=PAIR), {"reset": ({"b": ZEROS}, {})}, "got a dict"),
        (spaces.Tuple((PAIR, PAIR)), {"reset": ((ZEROS,), {})}, "must return an observation"),
        (Discrete(3), {"reset": (3, {})}, "got a int"),
        (PAIR, {"step": (ZEROS, 0.0, False, {})}, "step must return .* Gym before 0.26"),
        (PAIR, {"step": (ZEROS, None, False, False, {})}, "a number as reward, got a NoneType"),
        (PAIR, {"step": (ZEROS, np.zeros(1), False, False, {})}, "a number as reward"),
        (PAIR, {"step": (ZEROS, 0.0, None, False, {})}, "a bool as terminated"),
        (PAIR, {"step": (np.zeros(3), 0.0, False, False, {})}, r"step must return an obs.* shape \(3,\)"),
    ],
)
def test_an_environment_that_breaks_its_word_is_one_line(register, space, returned, message):
    batch = register(lambda: Liar(space, **returned)).build(2)

    def live():
        batch.reset([1, 2], ["default"] * 2)
        batch.step(np.zeros((2, 2), np.float32), np.arange(2))

    with pytest.raises(EnvError, match=message) as caught:
        live()
    assert str(caught.value).startswith("HebbevoSpaces0-v0: ")


def test_a_lifetime_does_not_depend_on_what_its_environment_did_before(register):
    """Statistics of a wrapper go on over resets, so that such an environment is made anew for every lifetime."""
    config = register(lambda: NormalizeObservation(gymnasium.make("InvertedPendulum-v5")))

    def observations(batch, seeds):
        batch.reset(seeds, ["default"] * len(seeds))
        for _ in range(3):
            batch.step(np.zeros((batch.batch_size, 1), np.float32), np.arange(len(seeds)))
        return batch.observations[: len(seeds)].copy()

    alone = [observations(config.build(1), [seed]) for seed in (1, 2)]
    one, two = config.build(1), config.build(2)
    np.testing.assert_array_equal(observations(two, [1, 2]), np.concatenate(alone))
    for seed, expected in zip((1, 2), alone, strict=True):
        np.testing.assert_array_equal(observations(one, [seed]), expected)


def test_gymnasiums_own_simulations_stay():
    batch = GymnasiumConfig(name="gymnasium:InvertedPendulum-v5").build(1)
    first = batch._environments[0]
    batch.reset([1], ["default"])
    batch.reset([2], ["default"])
    assert batch._environments[0] is first


def wrapped(*wrappers, **kwargs):
    return GymnasiumConfig(name="gymnasium:Pendulum-v1", wrappers=wrappers, kwargs=kwargs)


def test_arguments_and_wrappers_are_gymnasiums_own():
    config = wrapped({"FrameStackObservation": {"stack_size": 3}}, "FlattenObservation", g=3.0)
    assert config.interface.observation_size == 9
    assert wrapped().interface.observation_size == 3
    assert GymnasiumConfig.model_validate(config.model_dump(mode="json")) == config
    assert "kwargs" not in wrapped().model_dump()
    plain = gymnasium.make("Pendulum-v1", g=3.0)
    expected = FlattenObservation(FrameStackObservation(plain, 3))
    seen, _ = expected.reset(seed=gymnasium_seed(5))
    batch = config.build(1)
    batch.reset([5], ["default"])
    for _ in range(4):
        np.testing.assert_array_equal(batch.observations[0], seen)
        batch.step(np.full((1, 1), 0.5, np.float32), np.arange(1))
        seen, reward, *_ = expected.step(np.full(1, 1.0, np.float32))
        assert batch.rewards[0] == reward


@pytest.mark.parametrize(
    ("wrappers", "kwargs", "message"),
    [
        (["ClipActoin"], {}, "did you mean ClipAction"),
        (["RecordVideo"], {}, "unknown wrapper 'RecordVideo'"),
        ([{"ClipAction": {}, "ClipReward": {}}], {}, "a wrapper is one name"),
        ([], {"render_mode": "human"}, "hebbevo's own"),
        ([], {"gravity": 9}, "cannot make Pendulum-v1 with these arguments .*gravity"),
        (
            [{"FrameStackObservation": {"stack": 3}}],
            {},
            "cannot make Pendulum-v1 with these arguments .*stack",
        ),
    ],
)
def test_arguments_and_wrappers_that_cannot_be_are_refused(wrappers, kwargs, message):
    with pytest.raises(ValueError, match=message):
        _ = wrapped(*wrappers, **kwargs).interface
