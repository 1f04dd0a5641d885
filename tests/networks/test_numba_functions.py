"""Functions inside the kernels against Python's math and against torch."""

import math

import numpy as np
import pytest
import torch
from numba import njit

from hebbevo.networks.numba import functions as cpu_functions
from hebbevo.networks.numba.kernel import _NUMPY_FUNCTIONS
from hebbevo.rules.expression import FUNCTIONS
from hebbevo.rules.rule import torch_functions

SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 9.0, -9.0, 80.0, -80.0, np.inf, -np.inf, np.nan]


def on_arrays(name: str):
    """Return a function of the kernels over float32 arrays, compiled as a kernel compiles it."""
    function, count = getattr(cpu_functions, f"_{name}"), FUNCTIONS.get(name, 1)
    call = ", ".join(f"a[{k}, i]" for k in range(count))
    text = f"def run(a, out):\n    for i in range(out.size):\n        out[i] = function({call})"
    scope = {"function": function}
    exec(text, scope)
    compiled = njit(error_model="numpy")(scope["run"])

    def run(*arguments: np.ndarray) -> np.ndarray:
        out = np.full(arguments[0].size, np.nan, np.float32)
        compiled(np.stack(arguments).astype(np.float32), out)
        return out

    return run


def test_tanh_against_math() -> None:
    x = np.concatenate([np.linspace(-20, 20, 40_001), np.logspace(-38, 0, 200)]).astype(np.float32)
    result = on_arrays("tanh")(x).astype(float)
    exact = np.array([math.tanh(v) for v in x.astype(float)])
    assert np.abs(result - exact).max() < 3e-7
    small = np.abs(x) < 0.5
    assert np.all(np.abs(result - exact)[small] <= 4e-7 * np.abs(exact[small]) + 1e-44)
    assert np.abs(result).max() <= 1.0
    assert np.array_equal(result, -on_arrays("tanh")(-x).astype(float)), "odd"
    special = on_arrays("tanh")(np.array([np.inf, -np.inf, np.nan, 0.0], np.float32))
    assert special[:2] == pytest.approx([1.0, -1.0], abs=3e-7)
    assert np.isnan(special[2])
    assert special[3] == 0.0


@pytest.mark.parametrize("name", FUNCTIONS)
def test_same_in_kernels_numpy_and_torch(name: str) -> None:
    """Infinity, NaN and bounds in the wrong order included."""
    rng = np.random.default_rng(0)
    grid = np.meshgrid(*[np.float32([*SPECIAL, *rng.normal(size=8)])] * FUNCTIONS[name])
    arguments = [axis.ravel() for axis in grid]
    expected = torch_functions()[name](*(torch.tensor(a, dtype=torch.float64) for a in arguments)).numpy()
    # Kernels work in float32, whose exp ends at 88.7.
    expected = np.where(np.abs(expected) > 3.4e38, np.copysign(np.inf, expected), expected)
    with np.errstate(all="ignore"):
        by_numpy = _NUMPY_FUNCTIONS[name](*arguments)
    np.testing.assert_allclose(by_numpy, expected, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(on_arrays(name)(*arguments), expected, rtol=1e-5, atol=1e-6)
