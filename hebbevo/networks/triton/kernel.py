"""Compile and launch a layer's GPU kernel (`hebbevo.networks.triton.kernel_text`), with the interface of `TorchKernel`.

With ``TRITON_INTERPRET=1``, set before Triton is first imported, the same text runs on the CPU: slow, for tests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from hebbevo.networks.compilation import compiled_module
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.triton.kernel_text import LayerText, source
from hebbevo.rules.expression import evaluate
from hebbevo.rules.implementations import torch_kernel_functions

if TYPE_CHECKING:
    import torch


class TritonKernel:
    """The GPU kernel of a spec; pure functions over tensors that the caller owns, as `TorchKernel`.

    Raises:
        ImportError: Triton is not installed.
    """

    name = "triton"

    def __init__(self, spec: KernelSpec) -> None:
        module = compiled_module(source(spec))
        self.spec = spec
        self._layers = [LayerText(spec, layer) for layer in range(len(spec.layers))]
        self._kernels = [getattr(module, f"layer{layer}") for layer in range(len(spec.layers))]

    def constants(self, layer: int, coefficients: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """Compute the constants of coefficients alone, ``(genomes, width)``, for `run`.

        Args:
            layer: which layer.
            coefficients: ``(genomes, n_out or 1, n_in or 1)``.
        """
        import torch

        text, functions = self._layers[layer], torch_kernel_functions()
        genomes = next(iter(coefficients.values()), torch.empty(1))
        row = torch.zeros(len(genomes), max(1, text.constant_starts[-1]), device=genomes.device)
        for slot, expression in enumerate(self.spec.constants):
            shape, start = text.constant_shape(slot), text.constant_starts[slot]
            segment = row[:, start : start + shape[0] * shape[1]].view(len(genomes), *shape)
            segment.copy_(evaluate(expression, coefficients, functions))
        return row

    def run(
        self,
        layer: int,
        rows: torch.Tensor,
        genome_of: torch.Tensor,
        states: torch.Tensor,
        constants: torch.Tensor,
        old: Sequence[torch.Tensor],
        new: Sequence[torch.Tensor],
        *,
        learn: bool,
        forward: bool,
    ) -> None:
        """Update a layer of some lifetimes and compute its outputs; see `TorchKernel.run`."""
        if not len(rows):
            return
        grid = (len(rows), self._layers[layer].programs(learn))
        pre, post = old[layer], old[layer + 1]
        arguments = (rows, genome_of, states, constants, pre, post, new[layer], new[layer + 1])
        self._kernels[layer][grid](*arguments, LEARN=learn, FORWARD=forward)
