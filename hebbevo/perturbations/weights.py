"""Perturbations of the network: zeroed and random weights, frozen plasticity.

Sources: Najarro & Risi 2020, arXiv 2007.02686 (a third of the weights zeroed; weights frozen at different t).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, field_validator
from typing_extensions import override

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.perturbations.perturbation import BatchContext, NetworkExtent, Perturbation, TimedHook
from hebbevo.rules import Distribution

Mask = npt.NDArray[np.bool_]


class OnWeights(Perturbation):
    """A perturbation of some synapses."""

    fraction: float = Field(default=1 / 3, gt=0, le=1, description="of the synapses of each layer")
    layer: int | None = Field(default=None, ge=1, le=64, description="1, 2, ...; all by default")
    pattern: Literal["random", "band"] = Field(
        default="random", description="synapses anywhere, or a contiguous band in the order of the matrix"
    )

    @override
    def check(self, where: str, env: EnvConfig, extent: NetworkExtent | None) -> None:
        super().check(where, env, extent)
        if extent is not None and self.layer is not None and self.layer > extent.layers:
            raise InputError(f"{where}: there is no layer {self.layer}; layers are 1 to {extent.layers}")

    def draw(self, shape: tuple[int, int], generator: np.random.Generator) -> Mask:
        """Draw the perturbed synapses of a layer ``(n_out, n_in)``: round(fraction * size) of them, at least one."""
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

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _StateHook(self, index, context)


class RandomiseWeights(OnWeights):
    """Redraw a fraction of the weights, as the initial ones were; traces of those synapses restart at 0."""

    kind: Literal["randomise_weights"] = "randomise_weights"
    fraction: float = Field(default=1.0, gt=0, le=1, description="of the synapses of each layer")
    distribution: str | None = Field(
        default=None, description="as uniform(-0.1, 0.1); by default that of the initial weights"
    )

    @field_validator("distribution")
    @classmethod
    def _is_a_distribution(cls, text: str | None) -> str | None:
        if text is not None:
            Distribution.parse(text)
        return text

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        text = self.distribution
        distribution = context.initial_weights if text is None else Distribution.parse(text)
        return _RedrawHook(self, index, context, distribution)


class Freeze(Perturbation):
    """Keep the weights as they are: neither rule nor normaliser changes them."""

    persistent: ClassVar[bool] = True
    kind: Literal["freeze"] = "freeze"

    @override
    def hook(self, index: int, context: BatchContext) -> Hook:
        return _FreezeHook(self, index, context)


class _StateHook(TimedHook[OnWeights]):
    """Sets the states of some synapses to 0, the same ones at every step of a window."""

    @override
    def begin(self, batch: Batch) -> None:
        shapes = {layer: batch.network.weights(layer).shape[1:] for layer in self._layers(batch)}
        self.masks: dict[tuple[int, int], Mask] = {
            (int(row), layer): self.perturbation.draw(shape, self.stream(int(row)))
            for row in batch.active
            for layer, shape in shapes.items()
        }

    @override
    def before_forward(self, batch: Batch) -> None:
        for layer in self._layers(batch):
            for state in batch.network.states(layer):
                values = batch.network.state(state, layer)
                if values.shape[1:] != batch.network.weights(layer).shape[1:]:
                    continue  # of neurons, not of synapses
                for row in batch.active.tolist():
                    mask = self.masks[row, layer]
                    values[row][mask] = self.value(row, state, int(np.count_nonzero(mask)))

    def value(self, row: int, state: str, count: int) -> float | npt.NDArray[np.float32]:
        """Return the new values of a state of `count` synapses of a lifetime, ``(count,)`` or one for all."""
        return 0.0

    def _layers(self, batch: Batch) -> Iterator[int]:
        yield from (
            range(1, batch.network.layers + 1)
            if self.perturbation.layer is None
            else (self.perturbation.layer,)
        )


class _RedrawHook(_StateHook):
    """Sets the weights of some synapses to random values, new ones at every step of a window."""

    def __init__(
        self, perturbation: OnWeights, index: int, context: BatchContext, distribution: Distribution
    ) -> None:
        super().__init__(perturbation, index, context)
        self._distribution = distribution

    @override
    def value(self, row: int, state: str, count: int) -> float | npt.NDArray[np.float32]:
        if state != "w":
            return 0.0
        values = np.empty(count, np.float32)
        self._distribution.fill(self.stream(row), values)
        return values


class _FreezeHook(TimedHook[Freeze]):
    """Switches the network's plasticity off while any freeze lasts."""

    @override
    def begin(self, batch: Batch) -> None:
        if self.context.plastic is None:
            self.context.plastic = batch.network.plastic
        self.context.freezing.add(self.index)
        batch.network.plastic = False

    @override
    def end(self, batch: Batch) -> None:
        self.context.freezing.discard(self.index)
        batch.network.plastic = bool(self.context.plastic) and not self.context.freezing
