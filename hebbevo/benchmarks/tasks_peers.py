"""Association and its plastic network as scripts have them: tensors over the batch, and a Gymnasium vector env."""

from __future__ import annotations

from typing import Any, SupportsFloat

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from typing_extensions import override

from hebbevo.benchmarks.replays import FloatArray, Recording


class TorchNetwork:
    """The networks of a recording as batched tensors: two layers, reward times ABCD.

    Attributes:
        weights: of both layers, ``(batch, n_out, n_in)`` each.
    """

    def __init__(self, recording: Recording) -> None:
        arrays = recording.task.layout.split(recording.genomes[recording.genome_of])
        self._coefficients = [
            [torch.from_numpy(arrays[f"layer{layer}.{letter}"].copy()) for letter in "ABCD"]
            for layer in (1, 2)
        ]
        recording.reset()
        self._initial = [torch.from_numpy(recording.network.weights(layer).copy()) for layer in (1, 2)]
        self.batch_size, self.stimuli = recording.batch_size, recording.task.sizes[0]
        self.reset()

    def reset(self) -> None:
        """Start with the weights of the recording."""
        self.weights = [weights.clone() for weights in self._initial]

    def forward(self, observed: torch.Tensor | FloatArray) -> torch.Tensor:
        """Return the outputs ``(batch, 2)`` for observations ``(batch, stimuli)``."""
        self._observed = torch.as_tensor(observed)
        self._hidden = torch.tanh(torch.bmm(self.weights[0], self._observed[:, :, None])[:, :, 0])
        return torch.bmm(self.weights[1], self._hidden[:, :, None])[:, :, 0]

    def learn(self, actions: torch.Tensor | FloatArray, rewards: torch.Tensor | FloatArray) -> None:
        """Change the weights after the actions, one-hot ``(batch, 2)``, and their rewards ``(batch,)``."""
        signals = (self._observed, self._hidden, torch.as_tensor(actions))
        reward = torch.as_tensor(rewards)[:, None, None]
        for layer, (a, b, c, d) in enumerate(self._coefficients):
            pre, post = signals[layer][:, None, :], signals[layer + 1][:, :, None]
            self.weights[layer] += reward * (a * pre * post + b * pre + c * post + d)


def sampled(outputs: torch.Tensor) -> torch.Tensor:
    """Return an action ``(batch,)`` from each softmax."""
    return torch.multinomial(torch.softmax(outputs, 1), 1)[:, 0]


def one_hot(numbers: torch.Tensor, size: int) -> torch.Tensor:
    """Return ``(batch, size)``."""
    return torch.nn.functional.one_hot(numbers, size).float()


@torch.no_grad()
def torch_lifetimes(network: TorchNetwork, steps: int) -> torch.Tensor:
    """Live with a world of tensors; return the reward of each lifetime."""
    network.reset()
    batch_size, stimuli = network.batch_size, network.stimuli
    answers, total = torch.randint(0, 2, (batch_size, stimuli)), torch.zeros(batch_size)
    for step in range(steps):
        if step % stimuli == 0:
            order = torch.rand(batch_size, stimuli).argsort(1)
        shown = order[:, step % stimuli]
        actions = sampled(network.forward(one_hot(shown, stimuli)))
        rewards = torch.where(actions == answers.gather(1, shown[:, None])[:, 0], 1.0, -1.0)
        total += rewards
        network.learn(one_hot(actions, 2), rewards)
    return total


class AssociationEnv(gymnasium.Env[FloatArray, np.int64]):
    """The world of one lifetime."""

    def __init__(self, stimuli: int, steps: int) -> None:
        self.observation_space, self.action_space = Box(0, 1, (stimuli,), np.float32), Discrete(2)
        self._stimuli, self._steps = stimuli, steps

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        super().reset(seed=seed)
        self._answers, self._step = self.np_random.integers(0, 2, self._stimuli), 0
        return self._observation(), {}

    @override
    def step(self, action: np.int64) -> tuple[FloatArray, SupportsFloat, bool, bool, dict[str, Any]]:
        reward = 1.0 if action == self._answers[self._shown] else -1.0
        self._step += 1
        return self._observation(), reward, self._step == self._steps, False, {}

    def _observation(self) -> FloatArray:
        if self._step % self._stimuli == 0:
            self._order = self.np_random.permutation(self._stimuli)
        self._shown = self._order[self._step % self._stimuli]
        observation = np.zeros(self._stimuli, np.float32)
        observation[self._shown] = 1.0
        return observation


@torch.no_grad()
def gymnasium_lifetimes(network: TorchNetwork, steps: int) -> FloatArray:
    """Live in a vector environment; return the reward of each lifetime."""
    network.reset()
    stimuli = network.stimuli
    worlds = gymnasium.vector.SyncVectorEnv([lambda: AssociationEnv(stimuli, steps)] * network.batch_size)
    observed, _ = worlds.reset(seed=0)
    total = np.zeros(network.batch_size, np.float32)
    for _ in range(steps):
        actions = sampled(network.forward(observed))
        observed, rewards, *_ = worlds.step(actions.numpy())
        total += rewards
        network.learn(one_hot(actions, 2), rewards.astype(np.float32))
    worlds.close()
    return total
