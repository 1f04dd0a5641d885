"""Weight normalisers: they rescale or bound a layer's weights after each update, per individual and layer.

``max``: Najarro & Risi 2020 (CarRacing); ``var`` and ``clip``: Leung et al. 2025.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hebbevo.errors import RuleError, unknown
from hebbevo.rules.expression import Expression, names
from hebbevo.rules.grammar import parse_expression

if TYPE_CHECKING:
    import torch

    Mean = Callable[[torch.Tensor], torch.Tensor]

EPSILON = 1e-5


@dataclass(frozen=True)
class Normaliser:
    """A normaliser: its reference in torch, and its arithmetic in generated kernels.

    In kernels a weight is either replaced by an expression of itself (`elementwise`), or becomes ``(w - shift)*scale``
    once statistics of the layer are known. Expressions are of the grammar.

    Attributes:
        name: as configs call it.
        reference: of weights ``(..., n_out, n_in)`` and a function that returns the mean over the last two axes, kept.
        elementwise: over ``w``; empty for none.
        shift: over ``largest`` (absolute weight), ``total`` (of the weights) and ``count``.
        scale: over the same and ``squares`` (total of squared distances from the shift); empty for none.
    """

    name: str
    reference: Callable[[torch.Tensor, Mean], torch.Tensor]
    elementwise: str = ""
    shift: str = "0"
    scale: str = ""

    @property
    def needs_the_layer(self) -> bool:
        """Whether a weight depends on the others of its layer."""
        return bool(self.scale)

    @cached_property
    def expressions(self) -> dict[str, Expression]:
        """Those of `elementwise`, `shift` and `scale` that are given."""
        texts = {"elementwise": self.elementwise, "shift": self.shift, "scale": self.scale}
        return {part: parse_expression(text, self.name) for part, text in texts.items() if text}

    @cached_property
    def statistics(self) -> frozenset[str]:
        """Statistics of the layer that shift and scale read."""
        return frozenset(name for part in ("shift", "scale") for name in names(self.expressions[part]))


def _divide_by_largest(weights: torch.Tensor, mean: Mean) -> torch.Tensor:
    largest = weights.abs().amax(dim=(-2, -1), keepdim=True)
    return weights / largest.where(largest > 0, 1.0)


def _standardise(weights: torch.Tensor, mean: Mean) -> torch.Tensor:
    centered = weights - mean(weights)
    return centered / (mean(centered.square()) + EPSILON).sqrt()


_TABLE = (
    Normaliser("none", lambda weights, mean: weights),
    # divided by 1 where all weights are 0
    Normaliser("max", _divide_by_largest, scale="1/(largest + (1 - sign(largest)))"),
    Normaliser("var", _standardise, shift="total/count", scale=f"1/sqrt(squares/count + {EPSILON})"),
    Normaliser("clip", lambda weights, mean: weights.clamp(-1.0, 1.0), elementwise="clip(w, -1, 1)"),
)

NORMALISERS: dict[str, Normaliser] = {normaliser.name: normaliser for normaliser in _TABLE}


def normalise(weights: torch.Tensor, kind: str, mean: Mean | None = None) -> torch.Tensor:
    """Return the normalised weights ``(..., n_out, n_in)``, each matrix by itself.

    ``none`` leaves them; ``max`` divides by the largest absolute value (a matrix of zeros stays); ``var`` is
    ``(w - mean) / sqrt(variance + 1e-5)``, the variance over all synapses; ``clip`` bounds to [-1, 1].

    Args:
        weights: of any number of layers.
        kind: one of `NORMALISERS`.
        mean: takes the mean over the last two axes and keeps them; by default torch's.

    Raises:
        RuleError: an unknown kind.
    """
    if kind not in NORMALISERS:
        raise RuleError(unknown("normaliser", kind, NORMALISERS))
    return NORMALISERS[kind].reference(weights, mean or _mean)


def _mean(weights: torch.Tensor) -> torch.Tensor:
    return weights.mean(dim=(-2, -1), keepdim=True)
