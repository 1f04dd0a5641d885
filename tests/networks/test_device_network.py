"""The population on a device beside the compiled network: the same lifetimes in every batch; hooks' views."""

import numpy as np
import pytest
import test_network as cpu
import torch
from test_network import RETROACTIVE, Case

from hebbevo.networks.convolution import Convolution, EncoderSpec
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import Layout
from hebbevo.networks.normalisers import NORMALISERS
from hebbevo.networks.numba.encoder import NumbaEncoder
from hebbevo.networks.torch.encoder import TorchEncoder
from hebbevo.networks.torch.kernel import TorchKernel
from hebbevo.networks.torch.network import TorchNetwork

DEVICES = ["cpu", *["cuda"] * torch.cuda.is_available()]


class DeviceCase(Case):
    """The same rules and genomes, with networks on a device; the tests of the CPU's network run on it, too."""

    device = "cpu"

    def network(self, batch_size: int) -> TorchNetwork:
        return TorchNetwork(self.kernel.spec, self.layout, batch_size, self.device)


def case_on(device: str, **options) -> DeviceCase:
    case = DeviceCase(**options)
    case.device = device
    return case


@pytest.fixture(params=DEVICES)
def case(request: pytest.FixtureRequest) -> DeviceCase:
    return case_on(request.param)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    ("options", "steps", "scale", "tolerance"),
    [
        ({}, 20, 1.0, 1e-5),
        ({"rule": "oja", "sharing": "post", "normaliser": "none"}, 6, 0.3, 1e-4),
        ({"rule": "ABCD", "sharing": {"A": "pre", "default": "layer"}, "normaliser": "var"}, 6, 0.3, 1e-4),
        ({"rule": RETROACTIVE, "sharing": {"eta": "network"}, "normaliser": "clip"}, 6, 0.3, 1e-4),
        ({"rule": "w + eta*pre*post", "normaliser": "none", "initial": None}, 6, 0.3, 1e-4),
        ({"rule": "none", "normaliser": "none", "initial": None, "activation": "sigmoid"}, 6, 0.3, 1e-4),
    ],
    ids=["ABCD_lr", "oja", "ABCD", "retroactive", "evolved weights", "none"],
)
def test_a_closed_loop_agrees_with_float64(device, options, steps, scale, tolerance) -> None:
    assert cpu.closed_loop(case_on(device, **options), steps, scale) < tolerance


LAWS = [
    cpu.test_a_finished_row_keeps_its_weights,
    cpu.test_rows_with_one_genome_and_seed_are_the_same_lifetime,
    cpu.test_what_ran_before_leaves_no_trace,
    cpu.test_weights_may_be_written_between_steps,
    cpu.test_without_plasticity_weights_stay_as_they_were,
    cpu.test_activations_are_those_of_the_forward_pass,
]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_laws_of_the_cpu_network_hold(law, case: DeviceCase) -> None:
    law(case)


@pytest.mark.parametrize("look", ["before the update", "after the update", "both"])
def test_looking_at_weights_changes_no_bit(case: DeviceCase, look: str) -> None:
    cpu.test_looking_at_weights_changes_no_bit(case, look)


@pytest.mark.parametrize("initial", [cpu.UNIFORM, None])
def test_initial_weights_are_those_of_the_compiled_network(initial) -> None:
    case, plain = DeviceCase(initial=initial), Case(initial=initial)
    network, compiled = case.network(3), plain.network(3)
    for one in (network, compiled):
        one.reset(case.genomes(2), [1, 0, 1], [5, 6, 7])
    for layer in (1, 2):
        np.testing.assert_array_equal(network.weights(layer), compiled.weights(layer))


def lifetimes(case: DeviceCase, batch_size: int, order: list[int]) -> np.ndarray:
    """Return what each of 16 lifetimes came to after 8 steps, run in batches in this order."""
    world, genomes, result = cpu.World(), case.genomes(16), {}
    for start in range(0, len(order), batch_size):
        numbers = order[start : start + batch_size]
        network, rows = case.network(batch_size), np.arange(len(numbers))
        network.reset(genomes, numbers, [100 + number for number in numbers])
        observations = np.zeros((batch_size, 6), np.float32)
        observations[: len(numbers)] = world.first()
        for step in range(8):
            actions = network.forward(observations, rows)
            observations[: len(numbers)] = world.after(step, actions[: len(numbers)].astype(float))
            network.learn(rows)
        for row, number in enumerate(numbers):
            parts = [actions[row], *(network.weights(layer)[row].ravel() for layer in (1, 2))]
            result[number] = np.concatenate(parts)
    return np.stack([result[number] for number in range(16)])


@pytest.mark.parametrize("kind", NORMALISERS)
@pytest.mark.parametrize("device", DEVICES)
def test_the_batch_size_and_the_order_change_no_bit(device: str, kind: str) -> None:
    case = case_on(device, normaliser=kind)
    alone = lifetimes(case, 1, list(range(16)))
    shuffled = [int(number) for number in np.random.default_rng(0).permutation(16)]
    for batch_size, order in ((4, list(range(16))), (16, shuffled), (16, list(range(15, -1, -1)))):
        np.testing.assert_array_equal(lifetimes(case, batch_size, order), alone)


class Counting(TorchKernel):
    """A kernel that counts its launches."""

    launches = 0

    def run(self, *arguments, **options) -> None:
        self.launches += 1
        super().run(*arguments, **options)


def test_an_update_and_the_next_forward_pass_are_one_launch_per_layer() -> None:
    case = DeviceCase()
    kernel = Counting(case.kernel.spec)
    network = TorchNetwork(case.kernel.spec, case.layout, 2, kernel=kernel)
    network.reset(case.genomes(1), [0, 0], [1, 2])
    observations, rows = np.ones((2, 6), np.float32), np.arange(2)
    for _ in range(5):
        network.forward(observations, rows)
        network.learn(rows)
    assert kernel.launches == 5 * network.layers


@pytest.mark.parametrize("device", DEVICES)
def test_an_encoder_stands_in_front(device: str) -> None:
    """Only the rows that go on are encoded, each with the convolution of its genome."""
    encoder = EncoderSpec((2, 5, 4), None, (Convolution(1, 3), Convolution(1, 1)))
    case = case_on(device)
    layout = Layout.of({**{entry.name: entry.shape for entry in case.layout.entries}, **encoder.weights})
    genomes = np.random.default_rng(1).standard_normal((2, layout.size)).astype(np.float32)
    network = TorchNetwork(case.kernel.spec, layout, 3, device, encoder=TorchEncoder(encoder, layout, device))
    network.reset(genomes, [1, 0, 1], [1, 2, 3])
    frames, compiled = (
        np.random.default_rng(0).random((3, 40)).astype(np.float32),
        NumbaEncoder(encoder, layout, 3),
    )
    compiled.reset(genomes, [1, 0, 1])
    active = np.array([0, 2])
    network.forward(frames, active)
    expected = compiled.encode(frames, active)
    np.testing.assert_allclose(network.activations(0)[active], expected[active], atol=1e-6)
    assert not network.activations(0)[1].any()


def test_raw_outputs_are_bounded_by_their_slopes() -> None:
    case, slopes = DeviceCase(), np.array([1.0, 0.5, 2.0, 1.0, 1.0], np.float32)
    spec = KernelSpec(case.spec_of(output="identity"))
    network = TorchNetwork(spec, case.layout, 2, slopes=slopes)
    network.reset(case.genomes(1), [0, 0], [1, 2])
    actions = network.forward(np.ones((2, 6), np.float32), np.arange(2))
    np.testing.assert_allclose(actions, np.tanh(slopes * network.activations(2)), atol=1e-6)
