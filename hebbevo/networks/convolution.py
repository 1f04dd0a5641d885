"""The shape of an image encoder: a frame is resized, then passes static convolutions, each with tanh and max pooling.

Source: Najarro & Risi 2020, arXiv 2007.02686, whose CarRacing policy has 3 -> 6 channels (kernel 3, stride 1) and
6 -> 8 (kernel 5, stride 2), each pooled 2 x 2: 648 features of an image of 84 x 84. No biases, no padding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from hebbevo.errors import RuleError

MOST_MULTIPLICATIONS = 100_000_000
"""A frame then takes a tenth of a second."""

Shape = tuple[int, int, int]
"""(channels, height, width)."""


@dataclass(frozen=True)
class Convolution:
    """One layer: convolution without bias, tanh, and the maximum of every `pool` x `pool` block."""

    channels: int
    kernel: int
    stride: int = 1
    pool: int = 1

    def windows(self, side: int) -> int:
        """Return how many positions the kernel takes along an axis of so many pixels; 0 where it is larger."""
        return max(0, (side - self.kernel) // self.stride + 1)


@dataclass(frozen=True)
class EncoderSpec:
    """All that an encoder depends on, but for its weights.

    Attributes:
        image: shape of a frame.
        size: height and width that frames are resized to; None leaves them.
        convolutions: from the frame on.
    """

    image: Shape
    size: int | None
    convolutions: tuple[Convolution, ...]

    def __post_init__(self) -> None:
        smallest = min(self.image[1:])
        if self.size is not None and self.size > smallest:
            raise RuleError(
                f"image_size must be at most {smallest}, the smaller side of the frame, got {self.size}; null leaves it"
            )
        for number, (channels, height, width) in enumerate(self.outputs, start=1):
            assert channels > 0
            if min(height, width) < 1:
                raise RuleError(
                    f"convolution {number} leaves nothing of the image; use a larger image_size, a smaller kernel, "
                    "stride or pool, or fewer convolutions"
                )

        if self.multiplications > MOST_MULTIPLICATIONS:
            raise RuleError(
                f"the encoder makes {self.multiplications:,} multiplications of a frame, more than "
                f"{MOST_MULTIPLICATIONS:,}; use a smaller image_size, fewer channels or larger strides"
            )

    @property
    def multiplications(self) -> int:
        """How many multiplications a frame takes."""
        total, (channels, height, width) = 0, self.resized
        for layer, output in zip(self.convolutions, self.outputs, strict=True):
            windows = layer.windows(height) * layer.windows(width)
            total += windows * layer.channels * channels * layer.kernel**2
            channels, height, width = output
        return total

    @property
    def resized(self) -> Shape:
        """Shape of a frame as the first convolution sees it."""
        channels, height, width = self.image
        return (channels, self.size or height, self.size or width)

    @cached_property
    def outputs(self) -> tuple[Shape, ...]:
        """Shape behind each convolution, pooled."""
        shapes, (_, height, width) = [], self.resized
        for layer in self.convolutions:
            height, width = (layer.windows(side) // layer.pool for side in (height, width))
            shapes.append((layer.channels, height, width))
        return tuple(shapes)

    @property
    def pixels(self) -> int:
        """How many numbers a frame is."""
        channels, height, width = self.image
        return channels * height * width

    @property
    def features(self) -> int:
        """How many numbers the encoder makes of a frame; their order is that of torch's ``flatten``."""
        channels, height, width = (self.resized, *self.outputs)[-1]
        return channels * height * width

    @cached_property
    def weights(self) -> dict[str, tuple[int, ...]]:
        """Name and shape ``(n_out, n_in, kernel, kernel)`` of each convolution's weights."""
        inputs = (self.resized, *self.outputs)
        return {
            f"conv{number}.weight": (layer.channels, inputs[number - 1][0], layer.kernel, layer.kernel)
            for number, layer in enumerate(self.convolutions, start=1)
        }
