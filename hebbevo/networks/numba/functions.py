"""Functions of the grammar and activations as the generated CPU kernels call them: float32, NaN kept.

This file is both imported and pasted into each generated kernel, whose cache thereby notices a change.
"""

from typing import Any

import numpy as np
from numba import njit
from numba.extending import intrinsic

F = np.float32
ZERO = F(0)
ONE = F(1)
_HELPER: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""Called from kernels alone: without wrappers for Python they compile faster."""


@intrinsic
def _fma(typing_context, x, y, z):  # type: ignore[no-untyped-def]
    """Return x * y + z, rounded once."""

    def generate(context, builder, signature, arguments):  # type: ignore[no-untyped-def]
        return builder.fma(*arguments)

    return x(x, x, x), generate


@njit(**_HELPER, fastmath={"contract", "nsz"})
def _tanh(x):  # type: ignore[no-untyped-def]
    """Lambert's continued fraction of tanh(x / 2) cut at the ninth term, then doubled: error below 2e-7."""
    x = F(9) if x > F(9) else (F(-9) if x < F(-9) else x)
    half = x * F(0.5)
    s = half * half
    p = half * (F(2027025) + s * (F(270270) + s * (F(6930) + s * F(36))))
    q = F(2027025) + s * (F(945945) + s * (F(51975) + s * (F(630) + s)))
    t = p / q
    return F(2) * t / (F(1) + t * t)


@njit(**_HELPER, fastmath={"contract", "nsz"})
def _sigmoid(x):  # type: ignore[no-untyped-def]
    return F(0.5) + F(0.5) * _tanh(F(0.5) * x)


@njit(**_HELPER)
def _relu(x):  # type: ignore[no-untyped-def]
    return F(0) if x <= F(0) else x


@njit(**_HELPER)
def _identity(x):  # type: ignore[no-untyped-def]
    return x


@njit(**_HELPER)
def _abs(x):  # type: ignore[no-untyped-def]
    return np.abs(x)


@njit(**_HELPER)
def _exp(x):  # type: ignore[no-untyped-def]
    return np.exp(x)


@njit(**_HELPER)
def _sqrt(x):  # type: ignore[no-untyped-def]
    return np.sqrt(x)


@njit(**_HELPER)
def _sign(x):  # type: ignore[no-untyped-def]
    return F(1) if x > F(0) else (F(-1) if x < F(0) else x)


@njit(**_HELPER)
def _max(x, y):  # type: ignore[no-untyped-def]
    return y if y > x or y != y else x


@njit(**_HELPER)
def _min(x, y):  # type: ignore[no-untyped-def]
    return y if y < x or y != y else x


@njit(**_HELPER)
def _clip(x, low, high):  # type: ignore[no-untyped-def]
    return _min(_max(x, low), high)


@njit(**_HELPER)
def _power2(x):  # type: ignore[no-untyped-def]
    return x * x


@njit(**_HELPER)
def _power3(x):  # type: ignore[no-untyped-def]
    return x * x * x


@njit(**_HELPER)
def _power4(x):  # type: ignore[no-untyped-def]
    return x * x * x * x


@njit(**_HELPER)
def _power5(x):  # type: ignore[no-untyped-def]
    return x * x * x * x * x


@njit(**_HELPER)
def _power6(x):  # type: ignore[no-untyped-def]
    return x * x * x * x * x * x


@njit(**_HELPER)
def _power7(x):  # type: ignore[no-untyped-def]
    return x * x * x * x * x * x * x


@njit(**_HELPER)
def _power8(x):  # type: ignore[no-untyped-def]
    return x * x * x * x * x * x * x * x
