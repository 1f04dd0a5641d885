"""The same plastic network as a policy with state for EvoTorch's `VecGymNE` (Toklu et al. 2023, arXiv 2302.12600).

As in its documentation of recurrent policies: the evolved numbers are the module's parameters, the weights are the
hidden state that `forward` takes and returns. `VecGymNE` cannot draw random initial weights per individual, so all
start from the same ones, a buffer of the module.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from hebbevo.benchmarks.gymnasium_loop import ANT_OPTIONS

COEFFICIENTS = ("A", "B", "C", "D", "eta")


class PlasticPolicy(nn.Module):
    """ABCD with learning rates; a genome is layer by layer A, B, C, D, eta, each ``(n_out, n_in)``."""

    def __init__(self, sizes: Sequence[int], weights: Sequence[torch.Tensor]) -> None:
        super().__init__()
        self.layers = len(weights)
        for layer, (n_in, n_out) in enumerate(pairwise(sizes)):
            for name in COEFFICIENTS:
                empty = nn.Parameter(torch.zeros(n_out, n_in), requires_grad=False)
                self.register_parameter(f"{name}{layer}", empty)
            self.register_buffer(f"weight{layer}", weights[layer])

    def forward(
        self, observation: torch.Tensor, weights: list[torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Return the action, and the weights after the update."""
        if weights is None:
            weights = [getattr(self, f"weight{layer}") for layer in range(self.layers)]
        signal, updated = observation, []
        for layer, matrix in enumerate(weights):
            a, b, c, d, eta = (getattr(self, f"{name}{layer}") for name in COEFFICIENTS)
            pre, signal = signal[None, :], torch.tanh(matrix @ signal)
            post = signal[:, None]
            # eta ((A post + B) pre + C post + D), in the fewest passes over the synapses
            change = torch.addcmul(torch.addcmul(d, c, post), torch.addcmul(b, a, post), pre)
            updated.append(torch.addcmul(matrix, eta, change))
        return signal, updated


class Population:
    """Individuals that `VecGymNE` evaluates side by side, one episode of Ant-v5 each."""

    def __init__(self, policy: PlasticPolicy, genomes: torch.Tensor, steps: int) -> None:
        from hebbevo.search.evotorch_adapter import vectorised_gymnasium_problem

        options = {**ANT_OPTIONS, "disable_env_checker": True, "max_episode_steps": steps}
        self._problem = vectorised_gymnasium_problem("Ant-v5", policy, options)
        self._batch = self._problem.generate_batch(len(genomes))
        self._batch.set_values(genomes)

    def evaluate(self) -> Any:
        """Run the episodes and return the fitness of each."""
        self._batch.forget_evals()
        self._problem.evaluate(self._batch)
        return self._batch.evals

    def module(self, genome: torch.Tensor) -> nn.Module:
        """Return the policy of one genome, as `VecGymNE` builds it."""
        filled: nn.Module = self._problem.make_net(genome)
        return filled
