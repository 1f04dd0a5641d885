"""The functions of the grammar, one entry each. An entry works in every target: see `Function`.

NaN is kept by all of them: a lifetime that diverges must show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Function:
    """A function: defined over others, or computed by each target's own means.

    A *composite* needs nothing but its `definition`: every target computes it from that. The generated kernels, and
    the torch kernel that is their reference, always do; elsewhere a library's own function goes first where one is
    given, which is more accurate. A *primitive* has no definition and is given for every target.

    Attributes:
        name: as rules call it.
        arguments: their names.
        meaning: in a few words, for lists.
        definition: an expression of the grammar over the arguments, after any number of named intermediate values:
            ``half = 0.5*x; half + half*half``. The order of operations is kept.
        python: over floats.
        numpy: over the module `numpy`, then float32 arrays.
        torch: over the module `torch`, then tensors.
        numba: text over the arguments in a CPU kernel; ``F`` is float32.
        triton: text over the arguments in a GPU kernel.
    """

    name: str
    arguments: tuple[str, ...]
    meaning: str
    definition: str = ""
    python: Callable[..., float] | None = None
    numpy: Callable[..., Any] | None = None
    torch: Callable[..., Any] | None = None
    numba: str = ""
    triton: str = ""

    @property
    def signature(self) -> str:
        """The function as a rule calls it: ``max(x, y)``."""
        return f"{self.name}({', '.join(self.arguments)})"


_TABLE = (
    Function(
        "abs",
        ("x",),
        "absolute value",
        python=abs,
        numpy=lambda np, x: np.abs(x),
        torch=lambda torch, x: torch.abs(x),
        numba="np.abs(x)",
        triton="tl.abs(x)",
    ),
    Function("clip", ("x", "low", "high"), "x bounded to [low, high]", "min(max(x, low), high)"),
    Function(
        "exp",
        ("x",),
        "e to the power of x",
        python=math.exp,
        numpy=lambda np, x: np.exp(x),
        torch=lambda torch, x: torch.exp(x),
        numba="np.exp(x)",
        triton="tl.exp(x)",
    ),
    Function(
        "max",
        ("x", "y"),
        "the larger",
        python=max,
        numpy=lambda np, x, y: np.maximum(x, y),
        torch=lambda torch, x, y: torch.maximum(x, y),
        numba="y if (y > x) | (y != y) else x",
        triton="tl.where(y > x, y, tl.where(y != y, y, x))",
    ),
    Function(
        "min",
        ("x", "y"),
        "the smaller",
        python=min,
        numpy=lambda np, x, y: np.minimum(x, y),
        torch=lambda torch, x, y: torch.minimum(x, y),
        numba="y if (y < x) | (y != y) else x",
        triton="tl.where(y < x, y, tl.where(y != y, y, x))",
    ),
    Function("relu", ("x",), "x where positive, else 0", "max(0, x)"),
    Function(
        "sigmoid",
        ("x",),
        "1 / (1 + exp(-x))",
        "0.5 + 0.5*tanh(0.5*x)",
        numpy=lambda np, x: 1 / (1 + np.exp(-x)),
        torch=lambda torch, x: torch.sigmoid(x),
    ),
    Function(
        "sign",
        ("x",),
        "-1, 0 or 1",
        python=lambda x: float((x > 0) - (x < 0)),
        numpy=lambda np, x: np.sign(x),
        torch=lambda torch, x: torch.sign(x).where(~x.isnan(), x),
        numba="F(1) if x > F(0) else (F(-1) if x < F(0) else x)",
        triton="tl.where(x > 0.0, 1.0, tl.where(x < 0.0, -1.0, x))",
    ),
    Function(
        "sqrt",
        ("x",),
        "square root",
        python=math.sqrt,
        numpy=lambda np, x: np.sqrt(x),
        torch=lambda torch, x: torch.sqrt(x),
        numba="np.sqrt(x)",
        triton="tl.sqrt_rn(x)",
    ),
    Function(
        "tanh",
        ("x",),
        "hyperbolic tangent",
        # Lambert's continued fraction of tanh(x / 2) cut at the ninth term, then doubled: error below 2e-7
        "half = 0.5*clip(x, -9, 9); s = half*half;"
        "p = half*(2027025 + s*(270270 + s*(6930 + s*36)));"
        "q = 2027025 + s*(945945 + s*(51975 + s*(630 + s)));"
        "t = p/q; 2*t/(1 + t*t)",
        python=math.tanh,
        numpy=lambda np, x: np.tanh(x),
        torch=lambda torch, x: torch.tanh(x),
    ),
)

FUNCTIONS: dict[str, Function] = {function.name: function for function in _TABLE}
"""By name, in alphabetical order."""
