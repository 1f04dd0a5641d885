"""Networks that see images: the paper's CarRacing policy against float64, and any Gymnasium id with pixels."""

import gymnasium
import numpy as np
import pytest
import torch
from reference_network import ReferenceNetwork

from hebbevo import load_config
from hebbevo.envs.images import fill_planes
from hebbevo.errors import InputError, RuleError
from hebbevo.networks.numba.encoder import NumbaEncoder
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.network import NumbaNetwork
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker


class Picture(gymnasium.Env):
    """Sees a noisy stripe; acts between 0 and 1, between -2 and 2, and without bounds; is paid for its actions."""

    observation_space = gymnasium.spaces.Box(0, 255, (20, 24, 3), np.uint8)
    action_space = gymnasium.spaces.Box(
        np.array([0, -2, -np.inf], np.float32), np.array([1, 2, np.inf], np.float32)
    )

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.actions = []
        return self._picture(), {}

    def step(self, action):
        self.actions.append(action)
        return self._picture(), float(action.sum()), False, False, {}

    def _picture(self):
        frame = self.np_random.integers(0, 60, (20, 24, 3), dtype=np.uint8)
        frame[:, self.np_random.integers(24)] += 120
        return frame


class GreyPicture(Picture):
    """The same with one channel, and without an axis for it."""

    observation_space = gymnasium.spaces.Box(0, 255, (20, 24), np.uint8)

    def _picture(self):
        return super()._picture()[..., 0]


@pytest.fixture(autouse=True)
def pictures():
    for kind in (Picture, GreyPicture):
        gymnasium.register(f"{kind.__name__}-v0", kind)
    yield
    for kind in (Picture, GreyPicture):
        gymnasium.registry.pop(f"{kind.__name__}-v0")


def picture_task(*overrides: str, name: str = "Picture-v0") -> Task:
    small = (
        f"env.name=gymnasium:{name}",
        "env.steps=12",
        "network.hidden=5",
        "network.encoder.image_size=18",
    )
    return Task.of(load_config("quick-quadruped", [*small, *overrides]))


@pytest.fixture(scope="module")
def car_task():
    pytest.importorskip("Box2D")
    return Task.of(load_config("quick-carracing"))


def test_the_paper_s_numbers(car_task):
    assert car_task.sizes == (648, 128, 64, 3)
    assert car_task.layout.size == 458_002
    assert car_task.layout.names[:3] == ("conv1.weight", "conv2.weight", "layer1.A")
    static = load_config("quick-carracing", ["plasticity.rule=none", "plasticity.initial_weights=evolved"])
    assert Task.of(static).layout.size == 92_690
    np.testing.assert_array_equal(car_task.env.interface.action_slopes, np.float32([1, 0.5, 0.5]))


def float64_features(frame: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    fine = torch.tensor(frame.reshape(3, 96, 96), dtype=torch.float64)
    fine = fine.repeat_interleave(7, 1).repeat_interleave(7, 2)
    image = torch.nn.functional.avg_pool2d(fine, 8)[None]
    for name, stride in (("conv1.weight", 1), ("conv2.weight", 2)):
        weights = torch.tensor(arrays[name], dtype=torch.float64)
        image = torch.nn.functional.max_pool2d(
            torch.tanh(torch.nn.functional.conv2d(image, weights, stride=stride)), 2
        )
    return image.flatten().numpy()


@pytest.mark.parametrize(
    ("loop", "coefficients", "steps"),
    [("closed", "normal(0, 0.1)", 200), ("open", "normal(0, 0.1)", 50), ("open", "normal(0, 1)", 50)],
)
def test_the_paper_s_policy_agrees_with_float64(loop, coefficients, steps):
    """Convolutions and the max-normalised plastic head, on frames of a real drive.

    Open: every step of the reference begins with the weights of the kernel, so that the difference is one step's.
    Closed: both learn by themselves, which rules as wide as normal(0, 1) turn into chaos: 5e-4 there, at single steps.
    """
    pytest.importorskip("Box2D")
    from hebbevo.envs.car_racing.driver import drive
    from hebbevo.envs.car_racing.environment import FastCarRacing

    task, seed = (
        Task.of(load_config("quick-carracing", [f"plasticity.initial_coefficients={coefficients}"])),
        11,
    )
    genome = task.first_genome(np.random.default_rng(0))
    encoder = NumbaEncoder(task.encoder, task.layout, 1)
    slopes = task.env.interface.action_slopes
    network = NumbaNetwork(NumbaKernel(task.kernel_spec), task.layout, 1, encoder, slopes)
    network.reset(genome[None], [0], [seed])
    expected = ReferenceNetwork(task.network_spec, task.layout, genome, seed)
    assert [projection.normaliser for projection in task.network_spec.projections] == ["max"] * 3
    car, arrays, active = FastCarRacing(), task.layout.split(genome), np.arange(1)
    frame, _ = car.reset(seed=3)
    planes, errors = np.empty((1, 3 * 96 * 96), np.float32), []
    for _ in range(steps):
        fill_planes(frame, planes[0])
        if loop == "open":
            for layer, states in enumerate(expected.states, start=1):
                states["w"] = torch.tensor(network.weights(layer)[0], dtype=torch.float64)
        actions = network.forward(planes, active)[0]
        raw = expected.forward(float64_features(planes[0], arrays))
        pairs = [(actions, [np.tanh(raw[0]), *(2 / (1 + np.exp(-raw[1:])) - 1)])]
        pairs += [(network.activations(layer)[0], expected.activations[layer]) for layer in range(4)]
        network.learn(active)
        expected.learn()
        pairs += [(network.weights(layer)[0], expected.weights(layer)) for layer in (1, 2, 3)]
        errors.append([np.abs(ours - np.asarray(theirs)).max() for ours, theirs in pairs])
        frame = car.step(drive(car))[0]
    assert np.max(errors) <= 1e-4
    assert np.max(errors, axis=0)[1] <= 1e-5  # the convolutions, which do not learn


@pytest.mark.parametrize("name", ["Picture-v0", "GreyPicture-v0"])
def test_a_network_sees_channel_after_channel(name):
    batch, plain = picture_task(name=name).env.build(1), gymnasium.make(name)
    batch.reset([5], ["default"])
    from hebbevo.envs.gymnasium.environment import gymnasium_seed

    frame, _ = plain.reset(seed=gymnasium_seed(5))
    channels = np.moveaxis(np.atleast_3d(frame), -1, 0)
    assert batch.image_shape == channels.shape
    np.testing.assert_allclose(batch.observations[0], channels.ravel() / 255.0, rtol=1e-6)


def test_raw_outputs_are_bounded_by_the_sign_of_the_action():
    batch = picture_task().env.build(1)
    np.testing.assert_array_equal(batch.action_slopes, np.float32([0.5, 1, 1]))
    raw = np.array([[1.3, -0.7, 0.4]])
    batch.reset([5], ["default"])
    batch.step(np.tanh(batch.action_slopes * raw).astype(np.float32), np.arange(1))
    sigmoid = 1 / (1 + np.exp(-1.3))
    np.testing.assert_allclose(batch.rewards[0], sigmoid + 2 * np.tanh(-0.7) + np.tanh(0.4), rtol=1e-6)


@pytest.mark.parametrize("output", ["tanh", "raw"])
def test_what_post_is_in_the_last_layer(output):
    task = picture_task(f"network.output={output}", "plasticity.rule=w + eta*pre*post")
    outputs, actions = [], []

    class Watch:
        def on_observation(self, batch):
            pass

        def on_action(self, batch):
            outputs.append(batch.network.activations(2)[0].copy())
            actions.append(batch.actions[0].copy())

        def on_step(self, batch):
            pass

    genome = task.first_genome(np.random.default_rng(1))
    CpuWorker(task, 1).rollout(genome[None], [0], [3], ["default"], early_stop=False, hooks=[Watch()])
    slopes = np.float32([0.5, 1, 1])
    expected = np.tanh(slopes * outputs) if output == "raw" else outputs
    np.testing.assert_allclose(actions, expected, atol=1e-6)


def test_a_lifetime_does_not_depend_on_its_block():
    task = picture_task("network.output=raw", "plasticity.normalise=max")
    genomes = np.stack([task.first_genome(np.random.default_rng(k)) for k in range(3)])
    batch, alone = CpuWorker(task, 3), CpuWorker(task, 1)
    together = batch.rollout(genomes, [2, 0, 1], [7, 8, 9], ["default"] * 3, early_stop=False)
    for row, (genome, seed) in enumerate(((2, 7), (0, 8), (1, 9))):
        one = alone.rollout(genomes[genome][None], [0], [seed], ["default"], early_stop=False)
        assert one.fitness[0] == together.fitness[row]


def test_configs_of_before_keep_their_bytes():
    dumped = load_config("quick-quadruped").model_dump(mode="json")["network"]
    assert dumped == {"hidden": [128, 64], "activation": "tanh"}
    task = picture_task(
        "network.encoder.convolutions=[{channels: 4, kernel: 3, pool: 2}]", "network.output=raw"
    )
    dumped = task.header()["network"]
    assert dumped["output"] == "raw"
    assert dumped["encoder"]["convolutions"] == [{"channels": 4, "kernel": 3, "stride": 1, "pool": 2}]
    assert type(task.network)(**dumped) == task.network


def test_sensors_of_an_image_are_its_pixels():
    pixels = 20 * 24 * 3
    task = picture_task()
    assert task.sizes[0] < pixels
    task.check(parse_perturbations(f"sensor_dropout:sensors=[0,{pixels - 1}],at=3"))
    with pytest.raises(InputError, match=f"there is no sensor {pixels}; they are numbered 0 to {pixels - 1}"):
        task.check(parse_perturbations(f"sensor_noise:sensors=[{pixels}],at=3"))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("network.encoder.image_size=40", "image_size must be at most 20"),
        ("network.encoder.convolutions=[{channels: 4, kernel: 19}]", "convolution 1 leaves nothing"),
    ],
)
def test_an_encoder_that_does_not_fit_is_refused(override, message):
    with pytest.raises((RuleError, InputError), match=message):
        _ = picture_task(override).layout


def test_a_drive_does_not_depend_on_its_block_or_on_drives_before(car_task):
    genomes = np.stack([car_task.first_genome(np.random.default_rng(k)) for k in range(2)])
    batch, alone = CpuWorker(car_task, 3), CpuWorker(car_task, 1)
    together = batch.rollout(genomes, [1, 0, 1], [7, 7 + 2**33, 8], ["default"] * 3, early_stop=True)
    for row, (genome, seed) in enumerate(((1, 7), (0, 7 + 2**33), (1, 8))):
        one = alone.rollout(genomes[genome][None], [0], [seed], ["default"], early_stop=True)
        assert one.fitness[0] == together.fitness[row]
        assert one.steps[0] == together.steps[row]
