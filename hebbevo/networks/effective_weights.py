"""The weights that a forward pass uses, where a rule makes them of several states, as ``w + alpha*hebb``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import Layout, projection_coefficients
from hebbevo.networks.network import Network
from hebbevo.rules import Rule
from hebbevo.rules.expression import Name

FloatArray = npt.NDArray[np.float32]


class EffectiveWeights:
    """Reads the weights of one genome's networks.

    Args:
        spec: of the kernel.
        layout: of the genome.
        genome: ``(layout.size,)``.
    """

    def __init__(self, spec: KernelSpec, layout: Layout, genome: FloatArray) -> None:
        arrays = layout.split(genome)
        projections = [plan.projection for plan in spec.plans]
        self._rules = [projection.rule for projection in projections]
        self._coefficients = [projection_coefficients(spec.network, one, arrays) for one in projections]

    def of(self, network: Network, row: int) -> list[FloatArray]:
        """Return the weights of every layer of a lifetime, ``(n_out, n_in)`` each; copies."""
        return [self._layer(network, row, layer, rule) for layer, rule in enumerate(self._rules, start=1)]

    def _layer(self, network: Network, row: int, layer: int, rule: Rule) -> FloatArray:
        own: FloatArray = network.weights(layer)[row]
        if rule.weight == Name("w"):
            return own.copy()
        import torch

        states = {name: torch.from_numpy(network.state(name, layer)[row].copy()) for name in rule.states}
        given = {name: torch.from_numpy(values) for name, values in self._coefficients[layer - 1].items()}
        weights: FloatArray = np.empty_like(own)
        weights[:] = rule.effective_weight(states, given).numpy()
        return weights
