"""Functions of the grammar and activations as the generated Triton kernels call them: float32, NaN kept.

The arithmetic is that of `cpu_functions`. Importing this file needs Triton.
"""

# Triton reads the source of these functions: their arguments are blocks of a program, and have no Python types.
# mypy: ignore-errors

import triton
import triton.language as tl


@triton.jit
def _tanh(x):
    """Lambert's continued fraction of tanh(x / 2) cut at the ninth term, then doubled: error below 2e-7."""
    x = tl.where(x > 9.0, 9.0, tl.where(x < -9.0, -9.0, x))
    half = x * 0.5
    s = half * half
    p = half * (2027025.0 + s * (270270.0 + s * (6930.0 + s * 36.0)))
    q = 2027025.0 + s * (945945.0 + s * (51975.0 + s * (630.0 + s)))
    t = p / q
    return 2.0 * t / (1.0 + t * t)


@triton.jit
def _sigmoid(x):
    return 0.5 + 0.5 * _tanh(0.5 * x)


@triton.jit
def _relu(x):
    return tl.where(x <= 0.0, 0.0, x)


@triton.jit
def _identity(x):
    return x


@triton.jit
def _abs(x):
    return tl.abs(x)


@triton.jit
def _exp(x):
    return tl.exp(x)


@triton.jit
def _sqrt(x):
    return tl.sqrt_rn(x)


@triton.jit
def _sign(x):
    return tl.where(x > 0.0, 1.0, tl.where(x < 0.0, -1.0, x))


@triton.jit
def _max(x, y):
    return tl.where((y > x) | (y != y), y, x)


@triton.jit
def _min(x, y):
    return tl.where((y < x) | (y != y), y, x)


@triton.jit
def _clip(x, low, high):
    return _min(_max(x, low), high)
