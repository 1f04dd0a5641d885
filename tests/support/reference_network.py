"""One lifetime of a plastic network in float64, from the equations: what the block of kernels must agree with."""

import numpy as np
import torch

from hebbevo.networks.layout import Layout, layer_coefficients
from hebbevo.networks.normalisers import normalise
from hebbevo.rules import Distribution, Rule

ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class ReferenceNetwork:
    """A multilayer perceptron without biases whose synapses follow `rule`; one time step is forward, then learn."""

    def __init__(
        self,
        rule: Rule,
        layout: Layout,
        sharing: dict[str, str],
        sizes: tuple[int, ...],
        genome: np.ndarray,
        seed: int,
        *,
        initial: Distribution | None,
        normaliser: str = "none",
        activation: str = "tanh",
        output: str = "tanh",
    ) -> None:
        self.rule, self.normaliser = rule, normaliser
        self.activation, self.output = ACTIVATIONS[activation], ACTIVATIONS[output]
        arrays = layout.split(genome)
        stream = np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, 0))))
        self.coefficients, self.states = [], []
        for layer, shape in enumerate(zip(sizes[1:], sizes[:-1], strict=True), start=1):
            if initial is None:
                weights = arrays[f"layer{layer}.weight"]
            else:
                weights = np.empty(shape, np.float32)
                initial.fill(stream, weights)
            named = layer_coefficients(rule, sharing, arrays, layer)
            self.coefficients.append(
                {name: torch.tensor(a, dtype=torch.float64) for name, a in named.items()}
            )
            first = {state: torch.zeros(shape, dtype=torch.float64) for state in rule.states}
            self.states.append({**first, "w": torch.tensor(weights, dtype=torch.float64)})

    def forward(self, observation: np.ndarray) -> np.ndarray:
        self.activations = [torch.tensor(observation, dtype=torch.float64)]
        for number, (states, coefficients) in enumerate(zip(self.states, self.coefficients, strict=True), 1):
            total = self.rule.effective_weight(states, coefficients) @ self.activations[-1]
            last = number == len(self.states)
            self.activations.append(self.output(total) if last else self.activation(total))
        return self.activations[-1].numpy()

    def learn(self) -> None:
        for layer, states in enumerate(self.states):
            pre, post = self.activations[layer : layer + 2]
            after = self.rule.step(states, self.coefficients[layer], pre=pre, post=post)
            self.states[layer] = {**after, "w": normalise(after["w"], self.normaliser)}

    def weights(self, layer: int) -> np.ndarray:
        return self.states[layer - 1]["w"].numpy()
