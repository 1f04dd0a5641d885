"""Perturbations of the network: zeroed and random weights, frozen plasticity.

Sources: Najarro & Risi 2020, arXiv 2007.02686 (a third of the weights zeroed; weights frozen at different t).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.perturbations.perturbation import Lives, Perturbation, Timed
from hebbevo.rollouts.hooks import Batch, Hook
from hebbevo.rules import Distribution

Mask = npt.NDArray[np.bool_]


class OnWeights(Perturbation):
    """A perturbation of some synapses."""

    fraction: float = Field(default=1 / 3, gt=0, le=1, description="of the synapses of each layer")
    layer: int | None = Field(default=None, ge=1, description="1, 2, ...; all by default")
    pattern: Literal["random", "band"] = Field(
        default="random", description="synapses anywhere, or a contiguous band in the order of the matrix"
    )

    def check(self, place: str, env: EnvConfig, sizes: Sequence[int] | None) -> None:
        """Refuse a layer that the network does not have."""
        super().check(place, env, sizes)
        if sizes is not None and self.layer is not None and self.layer >= len(sizes):
            raise InputError(f"{place}: there is no layer {self.layer}; layers are 1 to {len(sizes) - 1}")

    def draw(self, shape: tuple[int, int], generator: np.random.Generator) -> Mask:
        """Draw which synapses of a layer ``(n_out, n_in)`` are hit: round(fraction * size) of them, at least one."""
        size = shape[0] * shape[1]
        count = max(1, round(self.fraction * size))
        mask = np.zeros(size, np.bool_)
        if self.pattern == "band":
            first = int(generator.integers(size - count + 1))
            mask[first : first + count] = True
        else:
            mask[generator.permutation(size)[:count]] = True
        return mask.reshape(shape)


class ZeroWeights(OnWeights):
    """Zero a fraction of the weights: anywhere, in one layer, or in a band; traces of those synapses too."""

    kind: Literal["zero_weights"] = "zero_weights"

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what zeroes them."""
        return _Strike(self, place, lives)


class RandomiseWeights(OnWeights):
    """Draw a fraction of the weights anew, as at birth; traces of those synapses begin at 0."""

    kind: Literal["randomise_weights"] = "randomise_weights"
    fraction: float = Field(default=1.0, gt=0, le=1, description="of the synapses of each layer")
    distribution: str | None = Field(
        default=None, description="as uniform(-0.1, 0.1); by default that of the weights at birth"
    )

    @field_validator("distribution")
    @classmethod
    def _parses(cls, text: str | None) -> str | None:
        if text is not None:
            Distribution.parse(text)
        return text

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what draws them."""
        text = self.distribution
        return _Redraw(
            self, place, lives, lives.initial_weights if text is None else Distribution.parse(text)
        )


class Freeze(Perturbation):
    """Keep the weights as they are: neither rule nor normaliser changes them."""

    lasting: ClassVar[bool] = True
    kind: Literal["freeze"] = "freeze"

    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what freezes them."""
        return _Freezing(self, place, lives)


class _Strike(Timed[OnWeights]):
    """Sets the states of some synapses to 0, the same ones at every step of a window."""

    def begin(self, batch: Batch) -> None:
        """Draw the synapses of every lifetime."""
        shapes = {layer: batch.network.weights(layer).shape[1:] for layer in self._layers(batch)}
        self.masks: dict[tuple[int, int], Mask] = {
            (int(row), layer): self.what.draw(shape, self.stream(int(row)))
            for row in batch.active
            for layer, shape in shapes.items()
        }

    def sense(self, batch: Batch) -> None:
        """Strike them."""
        for layer in self._layers(batch):
            for state in batch.network.states:
                values = batch.network.state(state, layer)
                for row in batch.active.tolist():
                    mask = self.masks[row, layer]
                    values[row][mask] = self.value(row, state, int(np.count_nonzero(mask)))

    def value(self, row: int, state: str, count: int) -> float | npt.NDArray[np.float32]:
        """Return the new values of a state of the synapses of a lifetime."""
        return 0.0

    def _layers(self, batch: Batch) -> Iterator[int]:
        yield from range(1, batch.network.layers + 1) if self.what.layer is None else (self.what.layer,)


class _Redraw(_Strike):
    """Sets the weights of some synapses to random values, new ones at every step of a window."""

    def __init__(self, what: OnWeights, place: int, lives: Lives, distribution: Distribution) -> None:
        super().__init__(what, place, lives)
        self._distribution = distribution

    def value(self, row: int, state: str, count: int) -> float | npt.NDArray[np.float32]:
        """Draw weights; other states are 0."""
        if state != "w":
            return 0.0
        values = np.empty(count, np.float32)
        self._distribution.fill(self.stream(row), values)
        return values


class _Freezing(Timed[Freeze]):
    """Holds the network's plasticity off while any freeze lasts."""

    def begin(self, batch: Batch) -> None:
        """Freeze."""
        if self.lives.plastic is None:
            self.lives.plastic = batch.network.plastic
        self.lives.frozen.add(self.place)
        batch.network.plastic = False

    def end(self, batch: Batch) -> None:
        """Thaw, unless another freeze goes on."""
        self.lives.frozen.discard(self.place)
        batch.network.plastic = bool(self.lives.plastic) and not self.lives.frozen
