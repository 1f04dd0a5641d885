"""The image encoder against plain torch in float64, over shapes, strides, pools and resizings."""

import numpy as np
import pytest
import torch

from hebbevo.errors import RuleError
from hebbevo.networks.convolution import Convolution, EncoderSpec
from hebbevo.networks.layout import Layout
from hebbevo.networks.numba.encoder import NumbaEncoder
from hebbevo.networks.resizing import averaging

PAPER = EncoderSpec((3, 96, 96), 84, (Convolution(6, 3, 1, 2), Convolution(8, 5, 2, 2)))
SPECS = {
    "paper": PAPER,
    "not_resized": EncoderSpec((3, 30, 41), None, (Convolution(3, 4, 1, 2),)),
    "no_convolution": EncoderSpec((2, 25, 19), 13, ()),
    "atari": EncoderSpec((1, 210, 160), 84, (Convolution(4, 5, 3, 1),)),
    "odd_pools": EncoderSpec((3, 31, 45), 20, (Convolution(2, 3, 1, 3), Convolution(5, 2, 1, 1))),
    "many_channels": EncoderSpec((12, 18, 18), None, (Convolution(5, 3, 2, 1),)),
}


def resized(frame: np.ndarray, height: int, width: int) -> torch.Tensor:
    """Resize by area averaging: every pixel repeated until both grids are multiples, then the means of blocks."""
    tall, wide = frame.shape[1:]
    fine = torch.tensor(frame, dtype=torch.float64)
    fine = fine.repeat_interleave(height, 1).repeat_interleave(width, 2)
    return torch.nn.functional.avg_pool2d(fine, (tall, wide))


def reference(spec: EncoderSpec, frame: np.ndarray, arrays: dict[str, np.ndarray]) -> np.ndarray:
    image = resized(frame.reshape(spec.image), *spec.resized[1:])[None]
    for layer, name in zip(spec.convolutions, spec.weights, strict=True):
        weights = torch.tensor(arrays[name], dtype=torch.float64)
        image = torch.tanh(torch.nn.functional.conv2d(image, weights, stride=layer.stride))
        image = torch.nn.functional.max_pool2d(image, layer.pool)
    return image.flatten().numpy()


def case(spec: EncoderSpec, genomes: int, frames: int) -> tuple[Layout, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(5)
    layout = Layout.of({"other": (3,), **spec.weights})
    values = 0.4 * rng.standard_normal((genomes, layout.size))
    pixels = rng.random((frames, int(np.prod(spec.image))))
    return layout, values.astype(np.float32), pixels.astype(np.float32)


@pytest.mark.parametrize("name", SPECS)
def test_equal_to_torch(name):
    spec = SPECS[name]
    layout, genomes, frames = case(spec, 2, 3)
    encoder = NumbaEncoder(spec, layout, 3)
    encoder.reset(genomes, [1, 0, 1])
    encoder.encode(frames, np.arange(3)).fill(np.nan)
    features = encoder.encode(frames, np.arange(3))
    assert features.shape == (3, spec.features)
    for row, genome in enumerate((1, 0, 1)):
        expected = reference(spec, frames[row], layout.split(genomes[genome]))
        np.testing.assert_allclose(features[row], expected, rtol=0, atol=1e-5)


def test_a_row_depends_on_nothing_else_and_others_are_left_alone():
    layout, genomes, frames = case(PAPER, 2, 3)
    alone, batch = NumbaEncoder(PAPER, layout, 1), NumbaEncoder(PAPER, layout, 3)
    alone.reset(genomes[1:], [0])
    batch.reset(genomes, [0, 1, 1])
    before = batch.encode(frames, np.arange(3))[1].copy()
    after = batch.encode(np.zeros_like(frames), np.array([0, 2]))
    np.testing.assert_array_equal(after[1], before)
    np.testing.assert_array_equal(alone.encode(frames[1:2], np.arange(1))[0], before)


def test_a_shift_of_the_buffers_changes_no_bit():
    """What lies between and behind the rows of pixels is read, and must not matter."""
    layout, genomes, frames = case(PAPER, 1, 1)
    encoder = NumbaEncoder(PAPER, layout, 1)
    encoder.reset(genomes, [0])
    clean = encoder.encode(frames, np.arange(1)).copy()
    for buffer in encoder._buffers:
        buffer.fill(7.0)
    np.testing.assert_array_equal(encoder.encode(frames, np.arange(1)), clean)


def test_the_paper_s_shapes():
    assert PAPER.features == 648
    assert PAPER.weights == {"conv1.weight": (6, 3, 3, 3), "conv2.weight": (8, 6, 5, 5)}
    assert sum(np.prod(shape) for shape in PAPER.weights.values()) == 1362


def test_averaging_keeps_means_and_splits_pixels():
    for source, target in ((96, 84), (210, 84), (7, 7), (5, 3)):
        matrix = averaging(source, target)
        np.testing.assert_allclose(matrix.sum(axis=1), 1.0)
        np.testing.assert_allclose(matrix.sum(axis=0), target / source)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((3, 20, 20), 10, (Convolution(4, 11),)), "convolution 1 leaves nothing"),
        (((3, 20, 20), 10, (Convolution(4, 3, 4, 2), Convolution(4, 2))), "convolution 2 leaves nothing"),
        (((3, 20, 30), 25, ()), "image_size must be at most 20"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(RuleError, match=message):
        EncoderSpec(*arguments)
