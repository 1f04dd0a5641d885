"""A block made of Gymnasium environments: one Python object a row, one body, each row stepped by itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt

from hebbevo.envs.base import DEFAULT_MORPHOLOGY, BatchedEnvironment, EnvConfig
from hebbevo.errors import EnvError, unknown


class GymnasiumRows(BatchedEnvironment):
    """Rows of Gymnasium environments, made when first needed; what a step does is the subclass's.

    Args:
        config: the settings.
        capacity: most lifetimes in the block.
        observation_size, action_size: of one row.
        render_mode: Gymnasium's; with "rgb_array" there are pictures, and nothing else changes.
    """

    config: EnvConfig

    def __init__(
        self,
        config: EnvConfig,
        batch_size: int,
        observation_size: int,
        action_size: int,
        render_mode: str | None = None,
    ) -> None:
        super().__init__(batch_size, observation_size, action_size)
        self.config = config
        self._render_mode = render_mode
        self._environments: list[gymnasium.Env[Any, Any] | None] = [None] * batch_size

    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Start lifetimes in the first rows; the only morphology is "default"."""
        count = self._check_reset(seeds, morphologies)
        for name in morphologies:
            if name != DEFAULT_MORPHOLOGY:
                raise EnvError(unknown(f"morphology of {self.config.name}", name, [DEFAULT_MORPHOLOGY]))
        self._clear_rows(count)
        for row, seed in enumerate(seeds):
            self._start(row, seed)

    @abstractmethod
    def _start(self, row: int, seed: int) -> None:
        """Start the lifetime with this seed in a row, and write what it sees first."""

    def picture(self, row: int) -> npt.NDArray[np.uint8]:
        """Return the environment's own picture of a lifetime, ``(height, width, 3)``."""
        return np.asarray(self._standing(row).render(), np.uint8)

    def close(self) -> None:
        """Close every environment."""
        for row in range(self.batch_size):
            self._close_row(row)

    def _close_row(self, row: int) -> None:
        environment, self._environments[row] = self._environments[row], None
        if environment is not None:
            environment.close()

    def _standing(self, row: int) -> gymnasium.Env[Any, Any]:
        """Return the environment of a row that a reset has started."""
        environment = self._environments[row]
        assert environment is not None, "reset comes first"
        return environment
