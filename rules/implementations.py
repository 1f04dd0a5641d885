"""The functions of the grammar over NumPy arrays and torch tensors, for `hebbevo.rules.expression.evaluate`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from hebbevo.rules.functions import FUNCTIONS
from hebbevo.rules.grammar import completed

if TYPE_CHECKING:
    import torch


def numpy_functions() -> Mapping[str, Callable[..., Any]]:
    """Return the functions over float32 arrays."""
    import numpy as np

    return completed({name: partial(f.numpy, np) for name, f in FUNCTIONS.items() if f.numpy is not None})


def torch_functions() -> Mapping[str, Callable[..., torch.Tensor]]:
    """Return the functions over tensors of any dtype and device; a constant argument may be a float."""
    return completed({name: _over_tensors(f.torch) for name, f in FUNCTIONS.items() if f.torch is not None})


def torch_kernel_functions() -> Mapping[str, Callable[..., torch.Tensor]]:
    """Return the functions over tensors as the generated kernels compute them: composites by their definitions.

    Elementwise arithmetic alone: torch's own `tanh` and `sigmoid` round by where a number stands in its array.
    """
    own = {name: f.torch for name, f in FUNCTIONS.items() if f.torch is not None and not f.definition}
    return completed({name: _over_tensors(function) for name, function in own.items()})


def _over_tensors(function: Callable[..., torch.Tensor]) -> Callable[..., torch.Tensor]:
    """Return a function of the table that takes floats beside tensors, as tensors of the same dtype and device."""

    def call(*arguments: torch.Tensor | float) -> torch.Tensor:
        import torch

        like = next(
            (x for x in arguments if isinstance(x, torch.Tensor)), torch.empty(0, dtype=torch.float64)
        )
        tensors = (torch.as_tensor(x, dtype=like.dtype, device=like.device) for x in arguments)
        return function(torch, *tensors)

    return call
