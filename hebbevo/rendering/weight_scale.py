"""Colors of weights, the same ones through a whole video.

color = asinh(w / linear_width) / asinh(limit / linear_width), where `linear_width` is the median |w| of the initial
weights and `limit` bounds 99 % of all weights ever shown. Plastic weights may grow by a factor of 100,000 in a
lifetime; asinh is linear about zero and logarithmic beyond.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

COLORMAP = "RdBu_r"


class WeightScale:
    """A map from weights to colors.

    Args:
        weights: those of every layer ``(n_out, n_in)`` at every moment, the initial ones first.

    Attributes:
        limit: largest weight on the scale; larger ones have its color.
        linear_width: weight at which the scale turns from linear to logarithmic.
    """

    def __init__(self, weights: Sequence[Sequence[npt.NDArray[np.float32]]]) -> None:
        from matplotlib import colormaps

        initial = np.concatenate([np.abs(layer).ravel() for layer in weights[0]])
        bounds = [np.quantile(np.nan_to_num(np.abs(layer)), 0.99) for moment in weights for layer in moment]
        self.limit = float(max(bounds)) or 1.0
        self.linear_width = min(float(np.median(initial)) or self.limit, self.limit)
        colors = colormaps[COLORMAP](np.linspace(0, 1, 255))[:, :3]
        self._colors = np.round(255 * colors).astype(np.uint8)

    def position(self, weights: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the positions of weights on the scale, from -1 to 1; NaN is at 0."""
        shown = np.clip(np.nan_to_num(np.asarray(weights, np.float64)), -self.limit, self.limit)
        positions: npt.NDArray[np.float64] = np.arcsinh(shown / self.linear_width) / self._reach
        return positions

    def weight(self, positions: npt.ArrayLike) -> npt.NDArray[np.float64]:
        """Return the weights at positions from -1 to 1: the inverse of `position`."""
        weights: npt.NDArray[np.float64] = self.linear_width * np.sinh(np.asarray(positions) * self._reach)
        return weights

    def colors(self, weights: npt.ArrayLike) -> npt.NDArray[np.uint8]:
        """Return the colors of weights: their shape, then RGB."""
        return self._colors[np.round(127 + 127 * self.position(weights)).astype(np.int64)]

    def ticks(self) -> list[float]:
        """Return a few powers of ten on the scale with both signs, ascending, 0 in the middle."""
        top = math.floor(math.log10(self.limit))
        decades = max(1, top - math.ceil(math.log10(self.linear_width)))
        apart = max(1, math.ceil(decades / 3))
        powers = [10.0**power for power in range(top, top - 3 * apart, -apart)]
        above = [power for power in powers if power >= self.linear_width] or [self.limit]
        return [*(-tick for tick in above), 0.0, *reversed(above)]

    @property
    def _reach(self) -> float:
        return math.asinh(self.limit / self.linear_width)
