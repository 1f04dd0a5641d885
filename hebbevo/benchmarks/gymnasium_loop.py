"""A plain loop like the one that Najarro & Risi 2020 describe: one Gymnasium environment, one agent at a time.

torch does the forward pass; a compiled double loop then changes the weights of every layer, in place, from a table
with one row of five coefficients (A, B, C, D, eta) per synapse. Written from the paper's equations (arXiv 2007.02686,
eq. 1 with the learning rate) as the peer that `hebbevo bench` compares with, and as an independent check of our
network; it shares no code with it. In float64 it is the reference of a test.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from hebbevo.compilation import compiled

Array = npt.NDArray[Any]


class PlainNetwork:
    """A multilayer perceptron without biases, tanh throughout, whose synapses follow ABCD with learning rates.

    Args:
        sizes: neurons per layer, input first.
        coefficients: per layer ``(n_out, n_in, 5)``: A, B, C, D, eta.
        weights: per layer ``(n_out, n_in)``; they are changed in place.
        raw_output: the last layer has no tanh.
        normalise: divides a layer's weights by their largest absolute value after every update.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        coefficients: Sequence[Array],
        weights: Sequence[Array],
        *,
        raw_output: bool = False,
        normalise: bool = False,
    ) -> None:
        self.raw_output, self.normalise = raw_output, normalise
        self.coefficients = [np.ascontiguousarray(table) for table in coefficients]
        self.weights = [np.ascontiguousarray(matrix) for matrix in weights]
        assert [matrix.shape for matrix in self.weights] == [(b, a) for a, b in pairwise(sizes)]
        self._tensors = [torch.from_numpy(matrix) for matrix in self.weights]
        self._activations: list[torch.Tensor] = []

    def forward(self, observation: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Return the action ``(n_out,)``."""
        signal = torch.from_numpy(observation).to(self._tensors[0].dtype)
        self._activations = [signal]
        for layer, matrix in enumerate(self._tensors, start=1):
            signal = torch.mv(matrix, signal)
            if not (self.raw_output and layer == len(self._tensors)):
                signal = torch.tanh(signal)
            self._activations.append(signal)
        action: npt.NDArray[Any] = signal.numpy()
        return action

    def learn(self) -> None:
        """Update every weight from the activations of the last forward pass."""
        signals = [signal.numpy() for signal in self._activations]
        for (pre, post), table, matrix in zip(
            pairwise(signals), self.coefficients, self.weights, strict=True
        ):
            _update(matrix, table, pre, post)
            if self.normalise:
                matrix /= np.abs(matrix).max()


@compiled
def _update(weights: Array, coefficients: Array, pre: Array, post: Array) -> None:
    """Add eta (A pre post + B pre + C post + D) to each weight."""
    for i in range(weights.shape[0]):
        for j in range(weights.shape[1]):
            row = coefficients[i, j]
            weights[i, j] += row[4] * (
                row[0] * pre[j] * post[i] + row[1] * pre[j] + row[2] * post[i] + row[3]
            )


def make_ant(steps: int) -> Any:
    """Make Gymnasium's Ant-v5 as its XML defines it: RK4, five substeps of 0.01 s, gear 150; `steps` long.

    It observes its 27 positions and velocities; contact forces, of no use here, are left out.
    """
    import gymnasium

    return gymnasium.make("Ant-v5", disable_env_checker=True, max_episode_steps=steps, **ANT_OPTIONS)


ANT_OPTIONS: dict[str, Any] = {
    "include_cfrc_ext_in_observation": False,
    "terminate_when_unhealthy": False,
}


def rollout(environment: Any, network: PlainNetwork, seed: int) -> float:
    """Run one episode and return the sum of its rewards."""
    observation, _ = environment.reset(seed=seed)
    total, ended = 0.0, False
    while not ended:
        action = network.forward(observation)
        observation, reward, terminated, truncated, _ = environment.step(action)
        total += reward
        ended = terminated or truncated
        if not ended:
            network.learn()
    return total
