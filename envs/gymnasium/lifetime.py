"""One lifetime of any environment as a `gymnasium.Env`, for algorithms that learn weights, and for looking at it."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Discrete
from typing_extensions import override

from hebbevo.envs.config import EnvConfig

FloatArray = npt.NDArray[np.float32]


class LifetimeEnv(gymnasium.Env[FloatArray, Any]):
    """A lifetime of `config.steps` steps at most, as a network lives it; see `hebbevo.envs.as_gymnasium`."""

    metadata: dict[str, Any] = {"render_modes": []}  # noqa: RUF012  (as Gymnasium has it)

    def __init__(self, config: EnvConfig) -> None:
        self.config = config
        self._interface = interface = config.interface
        low, high = (0.0, 1.0) if interface.image_shape else (-np.inf, np.inf)
        shape = interface.image_shape or (interface.observation_size,)
        self.observation_space = Box(low, high, shape, np.float32)
        size = interface.action_size
        self.action_space = (
            Discrete(size) if interface.discrete_actions else Box(-1.0, 1.0, (size,), np.float32)
        )
        self._batch = config.build(1)
        self._step = 0

    @override
    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[FloatArray, dict[str, Any]]:
        """Start the lifetime of a seed, or of one drawn after the last; ``options={"morphology": NAME}``: its body."""
        super().reset(seed=seed)
        lifetime = int(self.np_random.integers(2**63)) if seed is None else seed
        morphology = (options or {}).get("morphology", self.config.morphology_names[0])
        self._batch.reset([lifetime], [morphology])
        self._step = 0
        return self._observation(), {"seed": lifetime, "morphology": morphology}

    @override
    def step(self, action: Any) -> tuple[FloatArray, float, bool, bool, dict[str, Any]]:
        self._batch.step(self._outputs(action), np.zeros(1, np.int64))
        self._step += 1
        terminated, diverged = bool(self._batch.terminated[0]), bool(self._batch.diverged[0])
        info = {"done": bool(self._batch.done[0]), "diverged": diverged}
        truncated = self._step >= self.config.steps
        return self._observation(), float(self._batch.rewards[0]), terminated or diverged, truncated, info

    @override
    def close(self) -> None:
        self._batch.close()

    def _outputs(self, action: Any) -> FloatArray:
        """Return the outputs ``(1, action_size)`` of a network that takes this action."""
        if not self._interface.discrete_actions:
            return np.asarray(action, np.float32).reshape(1, -1)
        outputs = np.full((1, self._interface.action_size), -1.0, np.float32)
        outputs[0, action] = 1.0
        return outputs

    def _observation(self) -> FloatArray:
        observation: FloatArray = self._batch.observations[0].reshape(self.observation_space.shape)
        return observation.copy()
