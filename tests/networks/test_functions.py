"""Every function of the grammar in every target against float64, from Python's `math` and not from our table."""

import importlib.util
import itertools
import math
import os
from collections.abc import Callable

import numpy as np
import pytest
import torch
from numba import njit

from hebbevo.compilation import compiled_module
from hebbevo.networks.numba.functions import functions_text
from hebbevo.rules.expression import evaluate
from hebbevo.rules.functions import FUNCTIONS, Function
from hebbevo.rules.grammar import parse_expression, python_functions
from hebbevo.rules.implementations import numpy_functions, torch_functions, torch_kernel_functions

GPU = torch.cuda.is_available()
TRITON = importlib.util.find_spec("triton") is not None
SPECIAL = [0.0, -0.0, 1.0, -1.0, 1e-30, -1e-30, 9.0, -9.0, 80.0, -80.0, math.inf, -math.inf, math.nan]
EXACT: dict[str, Callable[..., float]] = {
    "abs": math.fabs,
    "clip": lambda x, low, high: min(max(x, low), high),
    "exp": lambda x: math.exp(x) if x < 88.8 else math.inf,  # float32 ends there
    "max": max,
    "min": min,
    "relu": lambda x: max(x, 0.0),
    "sigmoid": lambda x: 0.5 + 0.5 * math.tanh(0.5 * x),
    "sign": lambda x: float(math.copysign(x != 0, x)),
    "sqrt": lambda x: math.sqrt(x) if x >= 0 else math.nan,
    "tanh": math.tanh,
}
"""By name; only of numbers: NaN is `exact`'s."""


def exact(name: str, arguments: tuple[float, ...]) -> float:
    return math.nan if any(math.isnan(x) for x in arguments) else EXACT[name](*arguments)


def in_cpu_kernels(name: str, *arguments: np.ndarray) -> np.ndarray:
    """Call the function as compiled code calls it, scalar by scalar."""
    function = getattr(compiled_module(functions_text()), f"_{name}")
    call = ", ".join(f"a[{k}, i]" for k in range(len(arguments)))
    scope = {"function": function}
    exec(f"def run(a, out):\n    for i in range(out.size):\n        out[i] = function({call})", scope)
    out = np.full(arguments[0].size, np.nan, np.float32)
    njit(error_model="numpy")(scope["run"])(np.stack(arguments), out)
    return out


TRITON_RUN = """
@triton.jit
def run(a, out, n, SIZE: tl.constexpr):
    i = tl.arange(0, SIZE)
    there = i < n
    tl.store(out + i, _{name}({arguments}), mask=there)
"""


def in_gpu_kernels(name: str, *arguments: np.ndarray) -> np.ndarray:
    """Call the function on a block of a Triton program."""
    from hebbevo.networks.triton.functions import functions_text as triton_text

    size = arguments[0].size
    loads = ", ".join(f"tl.load(a + {k * size} + i, mask=there, other=0.0)" for k in range(len(arguments)))
    module = compiled_module(triton_text() + TRITON_RUN.format(name=name, arguments=loads))
    device = "cuda" if GPU else "cpu"
    out = torch.full((size,), math.nan, device=device)
    block = 1 << (size - 1).bit_length()
    module.run[(1,)](torch.from_numpy(np.stack(arguments)).to(device), out, size, SIZE=block)
    return out.cpu().numpy()


def over_tensors(functions: Callable[[], dict]) -> Callable[..., np.ndarray]:
    return lambda name, *arguments: functions()[name](*map(torch.from_numpy, arguments)).numpy()


TARGETS: dict[str, Callable[..., np.ndarray]] = {
    "numpy": lambda name, *arguments: numpy_functions()[name](*arguments),
    "torch": over_tensors(torch_functions),
    "torch kernel": over_tensors(torch_kernel_functions),
    "numba": in_cpu_kernels,
    **({"triton": in_gpu_kernels} if TRITON and (GPU or os.environ.get("TRITON_INTERPRET")) else {}),
}


def grid(function: Function) -> list[np.ndarray]:
    """Return float32 arguments: each special value and a few others with each."""
    others = np.random.default_rng(0).normal(size=8)
    axes = np.meshgrid(*[np.float32([*SPECIAL, *others])] * len(function.arguments))
    return [axis.ravel() for axis in axes]


def check(function: Function, target: str, wanted: Callable[..., float]) -> None:
    arguments = grid(function)
    expected = [wanted(*values) for values in zip(*(a.tolist() for a in arguments), strict=True)]
    with np.errstate(all="ignore"):
        found = TARGETS[target](function.name, *arguments)
    np.testing.assert_allclose(found, np.array(expected), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_function_in_every_target_agrees_with_float64(name: str, target: str) -> None:
    """Infinity, NaN and bounds in the wrong order included."""
    check(FUNCTIONS[name], target, lambda *values: exact(name, values))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_over_floats(name: str) -> None:
    values = [0.0, 1.0, -1.0, 0.3, -7.5, 20.0]
    for arguments in itertools.product(values, repeat=len(FUNCTIONS[name].arguments)):
        expected = exact(name, arguments)
        if not math.isnan(expected):
            found = python_functions()[name](*arguments)
            assert found == pytest.approx(expected, rel=1e-12, abs=1e-300)


SOFTSIGN = Function("softsign", ("x",), "x / (1 + |x|)", "size = abs(x); x/(1 + size)")


@pytest.mark.parametrize("target", TARGETS)
def test_a_new_composite_is_one_entry(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FUNCTIONS, "softsign", SOFTSIGN)
    check(SOFTSIGN, target, lambda x: x / (1 + abs(x)))
    expression = parse_expression("softsign(w) + softsign(-1)")
    assert evaluate(expression, {"w": 3.0}, python_functions()) == 0.25


def test_tanh_in_cpu_kernels_against_math() -> None:
    x = np.concatenate([np.linspace(-20, 20, 40_001), np.logspace(-38, 0, 200)]).astype(np.float32)
    result = in_cpu_kernels("tanh", x).astype(float)
    expected = np.array([math.tanh(v) for v in x.tolist()])
    assert np.abs(result - expected).max() < 3e-7
    small = np.abs(x) < 0.5
    assert np.all(np.abs(result - expected)[small] <= 4e-7 * np.abs(expected[small]) + 1e-44)
    assert np.abs(result).max() <= 1.0
    assert np.array_equal(result, -in_cpu_kernels("tanh", -x).astype(float)), "odd"
    special = in_cpu_kernels("tanh", np.array([np.inf, -np.inf, np.nan, 0.0], np.float32))
    assert special[:2] == pytest.approx([1.0, -1.0], abs=3e-7)
    assert np.isnan(special[2])
    assert special[3] == 0.0


@pytest.mark.parametrize("name", ["tanh", "sigmoid"])
def test_kernel_functions_agree_with_torch(name: str) -> None:
    x = torch.linspace(-12, 12, 4001)
    found, wanted = torch_kernel_functions()[name](x), getattr(torch, name)(x.double())
    assert (found.double() - wanted).abs().max() < 3e-7
    assert torch_kernel_functions()[name](torch.tensor([torch.nan])).isnan().all()
