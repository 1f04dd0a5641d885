"""A layer's forward pass and update over a batch, in torch alone: the reference of the GPU kernel.

It runs on every device. Only elementwise arithmetic, and a sum over inputs that halves the layer in a fixed order:
no matrix product, so that neither the batch nor the number of threads changes a bit. `tanh` and `sigmoid` are the
definitions of the grammar's table, because torch's own round by where a number stands in its array.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.normalisers import normalise
from hebbevo.rules.expression import evaluate
from hebbevo.rules.implementations import torch_kernel_functions

if TYPE_CHECKING:
    import torch


class TorchKernel:
    """The torch reference of a spec; pure functions over tensors that the caller owns.

    Per layer, all float32: states ``(lifetimes, states, n_out, n_in)``, coefficients ``(genomes, n_out or 1, n_in
    or 1)``, activations ``(lifetimes, n)``.
    """

    name = "torch"

    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        self._functions = torch_kernel_functions()

    def constants(self, layer: int, coefficients: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """Return the coefficients of layer 0, 1, ... as they are, for `run`."""
        return coefficients

    def run(
        self,
        layer: int,
        rows: torch.Tensor,
        genome_of: torch.Tensor,
        states: torch.Tensor,
        constants: Mapping[str, torch.Tensor],
        old: Sequence[torch.Tensor],
        new: Sequence[torch.Tensor],
        *,
        learn: bool,
        forward: bool,
    ) -> None:
        """Update layer 0, 1, ... of some lifetimes from the old activations, then compute the new ones; in place.

        Args:
            layer: which layer.
            rows: the lifetimes, int64 ``(k,)``, ascending.
            genome_of: row of the genomes of every lifetime, int64 ``(lifetimes,)``.
            states: of this layer.
            constants: from `constants`.
            old: activations of every layer's neurons, the input first, that the update reads.
            new: those that the forward pass reads and writes.
            learn: apply rule and normaliser.
            forward: compute the activations behind the layer.
        """
        spec, genomes = self.spec, genome_of[rows]
        chosen = states if len(rows) == len(states) else states[rows]
        values = {name: c if len(c) == 1 else c[genomes] for name, c in constants.items()}
        values.update(zip(spec.rule.states, chosen.unbind(1), strict=True))
        if learn:
            local = {"pre": old[layer][rows][:, None, :], "post": old[layer + 1][rows][:, :, None]}
            chosen = self._updated({**values, **local}, chosen.shape)
            states[rows] = chosen
            values.update(zip(spec.rule.states, chosen.unbind(1), strict=True))
        if forward:
            weight = evaluate(spec.rule.weight, values, self._functions)
            total = ordered_sum(weight * new[layer][rows][:, None, :])
            last = layer == len(spec.layers) - 1
            activation = spec.output if last else spec.activation
            new[layer + 1][rows] = total if activation == "identity" else self._functions[activation](total)

    def _updated(self, values: Mapping[str, Any], shape: Sequence[int]) -> torch.Tensor:
        """Return the next states ``(k, states, n_out, n_in)``, the weights normalised."""
        import torch

        rule, functions = self.spec.rule, self._functions
        after = [
            torch.as_tensor(evaluate(equation, values, functions)) for equation in rule.equations.values()
        ]
        matrix = (shape[0], *shape[2:])
        states = torch.stack([value.to(values["w"]).expand(matrix) for value in after], 1)
        if not rule.is_static:
            states[:, 0] = normalise(states[:, 0], self.spec.normaliser, _mean)
        return states


def ordered_sum(terms: torch.Tensor) -> torch.Tensor:
    """Return the sum over the last axis, by halves: its length alone decides the order. The terms are lost."""
    size = terms.shape[-1]
    while size > 1:
        half = (size + 1) // 2
        terms[..., : size - half] += terms[..., half:size]
        size = half
    return terms[..., 0]


def _mean(weights: torch.Tensor) -> torch.Tensor:
    """Return the mean over each matrix ``(k, n_out, n_in)``, the axes kept; the sum is taken in a fixed order."""
    count = weights.shape[1] * weights.shape[2]
    return (ordered_sum(weights.reshape(-1, count).clone()) / count)[:, None, None]
