"""Compile and launch a projection's GPU kernel (see `kernel_text`), with the interface of `TorchKernel`.

With ``TRITON_INTERPRET=1``, set before Triton is first imported, the same text runs on the CPU: slow, for tests.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hebbevo.compilation import compiled_module, kernel_directory
from hebbevo.networks.kernel_spec import KernelSpec, ProjectionPlan
from hebbevo.networks.torch.kernel import Activations, TorchKernel, coefficients_of, state_views
from hebbevo.networks.triton.kernel_text import ProjectionText, source
from hebbevo.rules.expression import evaluate
from hebbevo.rules.implementations import torch_kernel_functions

if TYPE_CHECKING:
    import torch

    Constants = tuple[torch.Tensor, Mapping[str, torch.Tensor]]
    """The constants of coefficients alone, ``(genomes, width)``, and the coefficients, for states of neurons."""


class TritonKernel:
    """The GPU kernel of a spec; pure functions over tensors that the caller owns, as `TorchKernel`.

    Raises:
        ImportError: Triton is not installed.
    """

    name = "triton"

    def __init__(self, spec: KernelSpec) -> None:
        # Triton would write into the home directory
        os.environ.setdefault("TRITON_CACHE_DIR", str(kernel_directory() / "triton"))
        module = compiled_module(source(spec))
        self.spec = spec
        self._texts = [ProjectionText(spec, plan) for plan in spec.plans]
        self._kernels = [getattr(module, f"projection{plan.number}") for plan in spec.plans]
        self._reference = TorchKernel(spec)

    def constants(self, plan: ProjectionPlan, coefficients: Mapping[str, torch.Tensor]) -> Constants:
        """Compute the constants of coefficients alone, for `run`.

        Args:
            plan: of the projection.
            coefficients: ``(genomes, n_out or 1, n_in or 1)``.
        """
        import torch

        text, functions = self._texts[plan.number], torch_kernel_functions()
        genomes = next(iter(coefficients.values()), torch.empty(1))
        row = torch.zeros(len(genomes), max(1, text.constant_starts[-1]), device=genomes.device)
        for slot, expression in enumerate(plan.constants):
            shape, start = text.constant_shape(slot), text.constant_starts[slot]
            segment = row[:, start : start + shape[0] * shape[1]].view(len(genomes), *shape)
            segment.copy_(evaluate(expression, coefficients, functions))
        return row, coefficients

    def run(
        self,
        plan: ProjectionPlan,
        rows: torch.Tensor,
        genome_of: torch.Tensor,
        states: torch.Tensor,
        constants: Constants,
        activations: Activations,
        *,
        learn: bool,
        forward: bool,
    ) -> None:
        """Update a projection of some lifetimes and add to its target's drive; see `TorchKernel.run`."""
        if not len(rows):
            return
        computed, coefficients = constants
        grid = (len(rows), self._texts[plan.number].programs(learn))
        arguments = (rows, genome_of, states, computed, activations.older, activations.old, activations.new)
        self._kernels[plan.number][grid](*arguments, LEARN=learn, FORWARD=forward)
        if learn and plan.neuron_states:
            self._update_neurons(
                plan, rows, coefficients_of(coefficients, genome_of[rows]), states, activations
            )

    def _update_neurons(
        self,
        plan: ProjectionPlan,
        rows: torch.Tensor,
        values: dict[str, torch.Tensor],
        states: torch.Tensor,
        activations: Activations,
    ) -> None:
        """Update the states of neurons, whose equations read nothing of synapses: few numbers, in torch."""
        values |= state_views(plan, states[rows]) | self._reference.signals(plan, rows, activations)
        after = self._reference.next_states(plan, values, len(rows), plan.neuron_states)
        for name, value in zip(plan.neuron_states, after, strict=True):
            segment = plan.device_states[name]
            states[rows, segment.start : segment.stop] = value.reshape(len(rows), -1)
