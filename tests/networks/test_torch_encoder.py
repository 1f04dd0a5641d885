"""The image encoder in torch: plain torch in float64, and a frame's features whatever it is encoded with."""

import numpy as np
import pytest
import torch
from test_encoder import PAPER, SPECS, case, reference

import hebbevo.networks.torch.encoder
from hebbevo.networks.convolution import EncoderSpec
from hebbevo.networks.layout import Layout
from hebbevo.networks.torch.encoder import TorchEncoder, bytes_per_frame

DEVICES = ["cpu", *["cuda"] * torch.cuda.is_available()]


def encoded(
    spec: EncoderSpec,
    layout: Layout,
    genomes: np.ndarray,
    frames: np.ndarray,
    genome_of: list[int],
    device: str,
) -> np.ndarray:
    encoder = TorchEncoder(spec, layout, device)
    with torch.inference_mode():
        encoder.reset(torch.from_numpy(genomes).to(device))
        features = encoder.encode(torch.from_numpy(frames).to(device), torch.tensor(genome_of, device=device))
    return features.cpu().numpy()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", SPECS)
def test_equal_to_torch(name: str, device: str) -> None:
    spec = SPECS[name]
    layout, genomes, frames = case(spec, 2, 3)
    features = encoded(spec, layout, genomes, frames, [1, 0, 1], device)
    assert features.shape == (3, spec.features)
    for row, genome in enumerate((1, 0, 1)):
        expected = reference(spec, frames[row], layout.split(genomes[genome]))
        assert np.abs(features[row] - expected).max() <= 1e-5 * np.abs(expected).max()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("name", ["paper", "odd_pools"])
def test_a_frame_s_features_are_the_same_bits_in_any_company(
    name: str, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alone, in any order, with fewer or more frames at a time, with one thread of torch or two."""
    spec, count = SPECS[name], 7
    layout, genomes, frames = case(spec, 3, count)
    genome_of = [number % 3 for number in range(count)]
    alone = np.concatenate(
        [encoded(spec, layout, genomes, frames[[k]], [genome_of[k]], device) for k in range(count)]
    )
    order, before = np.random.default_rng(0).permutation(count), torch.get_num_threads()
    try:
        for at_once in (1, 3, count):
            room = at_once * bytes_per_frame(spec)
            monkeypatch.setitem(hebbevo.networks.torch.encoder.PRODUCTS, device, room)
            torch.set_num_threads(1 + at_once % 2)
            mine = [genome_of[k] for k in order]
            together = encoded(spec, layout, genomes, frames[order], mine, device)
            np.testing.assert_array_equal(together, alone[order])
    finally:
        torch.set_num_threads(before)


def test_the_memory_of_a_convolution_is_that_of_all_its_products() -> None:
    first, second = 6 * 27 * 82 * 82, 8 * 150 * 19 * 19
    assert bytes_per_frame(PAPER) == 4 * max(first, second)
