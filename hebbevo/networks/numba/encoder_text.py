"""Generate the CPU kernel of an image encoder: plain Python text that numba compiles.

A plane of an image lies split into *phases*: before a layer of stride s and pool p, with m = s p, pixel (y, x) lies in
phase (y mod m, x mod m) at (y // m, x // m). All pixels that a pooled output (y, x) needs then lie at fixed distances
from y * pitch + x in their phases, so that a layer is one flat loop over positions with all taps written out: no
strided reads, no edges (results at positions between two rows are not read). tanh is monotone, so the maximum is
taken first. Phases are an odd number of cache lines apart, so that they do not collide in L1.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from hebbevo.networks.convolution import EncoderSpec, Shape
from hebbevo.networks.numba.functions import functions_text
from hebbevo.networks.resizing import averaging_taps

CHUNK = 128
"""Positions whose input stays in L1 while every output channel reads it."""
LARGEST_BODY = 128
"""Multiplications written out in one loop body."""

_OPTIONS = 'nogil=True, fastmath={"contract", "nsz"}, error_model="numpy"'
_ENTRY = f"@njit(cache=True, no_cfunc_wrapper=True, {_OPTIONS})"
_PART = f"@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, {_OPTIONS})"


@dataclass(frozen=True)
class Planes:
    """How an image lies in a row of floats: `phases` x `phases` pieces of each channel, one after the other.

    Attributes:
        pitch: from one row of a phase to the next.
        plane: from one phase to the next.
    """

    shape: Shape
    phases: int
    pitch: int
    plane: int

    @classmethod
    def split(cls, shape: Shape, phases: int) -> Planes:
        """Lay an image out for a layer that moves by `phases` pixels."""
        height, width = (-(-side // phases) for side in shape[1:])
        return cls(shape, phases, width, 16 * (-(-height * width // 16) | 1))

    @classmethod
    def flat(cls, shape: Shape) -> Planes:
        """Lay an image out as torch flattens it."""
        return cls(shape, 1, shape[2], shape[1] * shape[2])

    @property
    def size(self) -> int:
        """Floats in all, with room to read past the last row."""
        return self.shape[0] * self.phases**2 * self.plane + 2 * CHUNK

    def offset(self, y: int, x: int) -> int:
        """Return where pixel (y, x) of the first channel lies."""
        m = self.phases
        return (y % m * m + x % m) * self.plane + y // m * self.pitch + x // m

    def row(self, channel: str, y: str) -> str:
        """Return the text of where row `y` of `channel` begins."""
        m = self.phases
        return f"({channel} * {m} + {y} % {m}) * {m * self.plane} + {y} // {m} * {self.pitch}"


@dataclass(frozen=True)
class EncoderText:
    """The text of an encoder's kernel, and the sizes of the memory that it works in."""

    spec: EncoderSpec

    @cached_property
    def planes(self) -> tuple[Planes, ...]:
        """Layout of the resized frame and of the output of each convolution."""
        shapes = (self.spec.resized, *self.spec.outputs)
        moves = [layer.stride * layer.pool for layer in self.spec.convolutions]
        split = [Planes.split(shape, m) for shape, m in zip(shapes, moves, strict=False)]
        return (*split, Planes.flat(shapes[-1]))

    @property
    def buffers(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of each buffer that `encode` takes: rows, a chunk's sums, pooled channels, images."""
        layers = self.spec.convolutions
        positions = [1, *(self._positions(layer) for layer in range(self._layers))]
        return {
            "row": (self.spec.image[2] + 16,),
            "line": (self.spec.image[2] + 16,),
            "sums": (CHUNK * max([1, *(layer.channels * layer.pool**2 for layer in layers)]),),
            "pooled": (max([1, *(layer.channels for layer in layers)]), max(positions)),
            **{f"image{k}": (self.planes[k].size,) for k in range(self._layers)},
        }

    @property
    def _layers(self) -> int:
        return len(self.spec.convolutions)

    def _positions(self, layer: int) -> int:
        _, height, width = self.spec.outputs[layer]
        return 16 * -(-((height - 1) * self.planes[layer].pitch + width) // 16)

    def text(self) -> str:
        """Return the text of the kernel module; its entry point is `encode`."""
        convolutions = [self._convolution(layer) for layer in range(self._layers)]
        return "\n\n".join([functions_text(), self._resize(), *convolutions, self._entry()]) + "\n"

    def _entry(self) -> str:
        images = [*(f"image{k}" for k in range(self._layers)), "features[r]"]
        return "\n".join(
            [
                _ENTRY,
                f"def encode(active, genome_of, weights, observations, features, {', '.join(self.buffers)}):",
                "    for i in range(active.shape[0]):",
                "        r = active[i]",
                "        g = genome_of[r]",
                f"        resize(observations[r], row, line, {images[0]})",
                *(
                    f"        convolve{k}({images[k]}, weights[g], sums, pooled, {images[k + 1]})"
                    for k in range(self._layers)
                ),
            ]
        )

    def _resize(self) -> str:
        """Return the function that averages areas: over rows, then from every pixel of a row on; it keeps some."""
        (channels, height, width), (_, tall, wide) = self.spec.image, self.spec.resized
        first, down = averaging_taps(height, tall)
        left, weights = averaging_taps(width, wide)
        along = np.zeros((len(weights), width), np.float32)
        along[:, left] = weights
        averages = " + ".join(f"d{t} * r{t}[x]" for t in range(len(down)))
        pixels = " + ".join(f"ALONG[{t}, x] * row[x + {t}]" for t in range(len(along)))
        return "\n".join(
            [
                f"ROWS = {_array(np.minimum(first + np.arange(len(down))[:, None], height - 1))}",
                f"DOWN = {_array(down)}",
                f"ALONG = {_array(along)}",
                _PART,
                "def resize(frame, row, line, image):",
                f"    for c in range({channels}):",
                f"        for y in range({tall}):",
                *(
                    f"            r{t} = frame[(c * {height} + ROWS[{t}, y]) * {width} :]"
                    for t in range(len(down))
                ),
                *(f"            d{t} = DOWN[{t}, y]" for t in range(len(down))),
                f"            for x in range({width}):",
                f"                row[x] = {averages}",
                f"            for x in range({width}):",
                f"                line[x] = {pixels}",
                f"            at = {self.planes[0].row('c', 'y')}",
                "            part = image[at:]",
                *(
                    f"            part[{self.planes[0].offset(0, x)}] = line[{at}]"
                    for x, at in enumerate(left)
                ),
            ]
        )

    def _convolution(self, layer: int) -> str:
        """Return the function of one layer; a body adds one input channel to as many outputs as it may hold."""
        planes, target, convolution = (
            self.planes[layer],
            self.planes[layer + 1],
            self.spec.convolutions[layer],
        )
        inputs, kernel, pool = planes.shape[0], convolution.kernel, convolution.pool
        taps, corners = kernel**2, [(y, x) for y in range(pool) for x in range(pool)]
        group = _group(convolution.channels, LARGEST_BODY // (taps * len(corners)))
        first = sum(np.prod(shape) for shape in list(self.spec.weights.values())[:layer])
        count = self._positions(layer)
        taken = {
            (corner, tap): self._tap(layer, *corner, *divmod(tap, kernel))
            for corner in corners
            for tap in range(taps)
        }
        outputs = [(o, k) for o in range(group) for k in range(len(corners))]
        sums = [
            " + ".join(
                [f"sums[{CHUNK * at} + j]"]
                + [f"x{taken[corners[k], tap]} * w{o * taps + tap}" for tap in range(taps)]
            )
            for at, (o, k) in enumerate(outputs)
        ]
        most = "sums[j + at]"
        for k in range(1, len(corners)):
            most = f"_max({most}, sums[{CHUNK * k} + j + at])"
        return "\n".join(
            [
                _PART,
                f"def convolve{layer}(image, weights, sums, pooled, target):",
                f"    for begin in range(0, {count}, {CHUNK}):",
                f"        size = min({CHUNK}, {count} - begin)",
                f"        for o in range(0, {convolution.channels}, {group}):",
                f"            for j in range({CHUNK * len(outputs)}):",
                "                sums[j] = ZERO",
                f"            for c in range({inputs}):",
                f"                at = {first} + (o * {inputs} + c) * {taps}",
                *(
                    f"                w{k * taps + tap} = weights[at + {k * inputs * taps + tap}]"
                    for k in range(group)
                    for tap in range(taps)
                ),
                f"                start = begin + c * {planes.phases**2 * planes.plane}",
                f"                part = image[start : start + {max(taken.values()) + CHUNK}]",
                "                for j in range(size):",
                *(f"                    x{at} = part[{at} + j]" for at in sorted(set(taken.values()))),
                *(f"                    a{k} = {text}" for k, text in enumerate(sums)),
                *(f"                    sums[{CHUNK * k} + j] = a{k}" for k in range(len(sums))),
                f"            for k in range({group}):",
                f"                at = k * {CHUNK * len(corners)}",
                "                for j in range(size):",
                f"                    pooled[o + k, begin + j] = _tanh({most})",
                f"    for c in range({convolution.channels}):",
                f"        for y in range({target.shape[1]}):",
                f"            at = {target.row('c', 'y')}",
                *(
                    f"            target[at + {target.offset(0, x)}] = pooled[c, y * {planes.pitch} + {x}]"
                    for x in range(target.shape[2])
                ),
            ]
        )

    def _tap(self, layer: int, a: int, b: int, dy: int, dx: int) -> int:
        """Return how far from a position lies the pixel of tap (dy, dx) of corner (a, b) of its pooled block."""
        planes, stride = self.planes[layer], self.spec.convolutions[layer].stride
        return planes.offset(stride * a + dy, stride * b + dx)


def _group(channels: int, most: int) -> int:
    """Return the largest divisor of `channels` up to `most`, or 1."""
    return max((k for k in range(1, channels + 1) if channels % k == 0 and k <= most), default=1)


def _array(values: npt.NDArray[np.int64] | npt.NDArray[np.float32]) -> str:
    """Return the text of an array constant."""
    return f"np.array({values.tolist()!r}, np.{values.dtype})"
