"""The beginning of every generated CPU kernel: this file is pasted into each, whose cache thereby notices a change."""

from typing import Any

import numpy as np
from numba import njit  # noqa: F401  (the functions and kernels that follow use it)
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
