"""One lifetime of a plastic multilayer perceptron in float64, from the equations, in torch."""

import numpy as np
import torch

from hebbevo.networks.layout import Layout, projection_coefficients
from hebbevo.networks.network_spec import NetworkSpec
from hebbevo.networks.normalisers import normalise

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class ReferenceNetwork:
    """A chain of populations, whose synapses follow their rules; one time step is forward, then learn."""

    def __init__(self, spec: NetworkSpec, layout: Layout, genome: np.ndarray, seed: int) -> None:
        self.spec, arrays = spec, layout.split(genome)
        stream = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 0))))
        self.coefficients, self.states = [], []
        for layer, projection in enumerate(spec.projections, start=1):
            shape = spec.shape(projection)
            if projection.initial_weights is None:
                weights = arrays[f"layer{layer}.weight"]
            else:
                weights = np.empty(shape, np.float32)
                projection.initial_weights.fill(stream, weights)
            named = projection_coefficients(spec, projection, arrays)
            self.coefficients.append(
                {name: torch.tensor(a, dtype=torch.float64) for name, a in named.items()}
            )
            first = {state: torch.zeros(shape, dtype=torch.float64) for state in projection.rule.states}
            self.states.append({**first, "w": torch.tensor(weights, dtype=torch.float64)})

    def forward(self, observation: np.ndarray) -> np.ndarray:
        self.activations = [torch.tensor(observation, dtype=torch.float64)]
        for layer, projection in enumerate(self.spec.projections):
            weights = projection.rule.effective_weight(self.states[layer], self.coefficients[layer])
            function = ACTIVATIONS[self.spec.by_name[projection.target].activation]
            self.activations.append(function(weights @ self.activations[-1]))
        return self.activations[-1].numpy()

    def learn(self) -> None:
        for layer, projection in enumerate(self.spec.projections):
            pre, post = self.activations[layer : layer + 2]
            after = projection.rule.step(self.states[layer], self.coefficients[layer], pre=pre, post=post)
            self.states[layer] = {**after, "w": normalise(after["w"], projection.normaliser)}

    def weights(self, layer: int) -> np.ndarray:
        return self.states[layer - 1]["w"].numpy()
