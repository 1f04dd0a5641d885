"""Functions of the grammar as the generated CPU kernels call them: float32 scalars.

Multiply-adds are fused where the text says so and nowhere else, as everywhere in these kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

from hebbevo.compilation import compiled_module
from hebbevo.networks.expression_text import Language


def _number(value: float) -> str:
    return f"F({value!r})" if math.isfinite(value) else f"F(np.{value!r})"


LANGUAGE = Language("@njit(**_HELPER)", lambda function: function.numba, _number, fused="_fma")

_BOUND = """
@njit(nogil=True, cache=True)
def bound(outputs, active, slopes):
    for row in active:
        for k in range(outputs.shape[1]):
            outputs[row, k] = _tanh(slopes[k] * outputs[row, k])
"""


def functions_text() -> str:
    """Return the text that every kernel module begins with."""
    preamble = (Path(__file__).parent / "preamble.py").read_text("utf-8")
    return f"{preamble}\n\n{LANGUAGE.functions()}\n"


def bound_outputs() -> Callable[..., None]:
    """Return the function that bounds the raw outputs ``(batch_size, n_out)`` of some rows: tanh(slope * output)."""
    bound: Callable[..., None] = compiled_module(functions_text() + _BOUND).bound
    return bound
