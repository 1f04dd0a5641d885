"""Weight normalisers: what happens to a layer's weights after each update, per individual and layer.

``max``: Najarro & Risi 2020 (CarRacing); ``var`` and ``clip``: Leung et al. 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hebbevo.errors import RuleError

if TYPE_CHECKING:
    import torch

NORMALISERS = ("none", "max", "var", "clip")
EPSILON = 1e-5


def normalise(weights: torch.Tensor, kind: str) -> torch.Tensor:
    """Return the normalised weights ``(..., n_out, n_in)``, each matrix by itself.

    ``none`` leaves them; ``max`` divides by the largest absolute value (a matrix of zeros stays); ``var`` is
    ``(w - mean) / sqrt(variance + 1e-5)``, the variance over all synapses; ``clip`` bounds to [-1, 1].

    Raises:
        RuleError: an unknown kind.
    """
    if kind == "none":
        return weights
    if kind == "clip":
        return weights.clamp(-1.0, 1.0)
    if kind == "max":
        largest = weights.abs().amax(dim=(-2, -1), keepdim=True)
        return weights / largest.where(largest > 0, 1.0)
    if kind == "var":
        centred = weights - weights.mean(dim=(-2, -1), keepdim=True)
        return centred / (centred.square().mean(dim=(-2, -1), keepdim=True) + EPSILON).sqrt()
    raise RuleError(f"unknown normaliser {kind!r}; known: {', '.join(NORMALISERS)}")
