"""A batch made of Gymnasium environments: one Python object a row, one body, each row stepped by itself."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs.base import DEFAULT_MORPHOLOGY, BatchedEnvironment, EnvironmentInterface
from hebbevo.errors import EnvError, unknown


class GymnasiumRows(BatchedEnvironment):
    """Rows of Gymnasium environments, made when first needed; subclasses step them.

    Args:
        name: of the environment, for messages.
        batch_size: most lifetimes side by side.
        interface: of one row.
        render_mode: Gymnasium's; with "rgb_array" there are pictures, and nothing else changes.

    Attributes:
        frames_per_second: steps in a second of the simulated world, as far as the environment says.
        is_mujoco: whether MuJoCo draws the pictures.
    """

    frames_per_second: float = 30.0
    is_mujoco: bool = False

    def __init__(
        self, name: str, batch_size: int, interface: EnvironmentInterface, render_mode: str | None
    ) -> None:
        super().__init__(batch_size, interface.observation_size, interface.action_size)
        self.image_shape, self.action_slopes = interface.image_shape, interface.action_slopes
        self._name = name
        self._render_mode = render_mode
        self._environments: list[gymnasium.Env[Any, Any] | None] = [None] * batch_size

    @override
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        count = self._check_reset(seeds, morphologies)
        check_one_body(self._name, morphologies)
        self._clear_rows(count)
        for row, seed in enumerate(seeds):
            self._reset_row(row, seed)

    @abstractmethod
    def _reset_row(self, row: int, seed: int) -> None:
        """Start the lifetime with this seed in a row, and write its first observation."""

    def picture(self, row: int) -> npt.NDArray[np.uint8]:
        """Return the environment's own picture of a lifetime, ``(height, width, 3)``."""
        return np.asarray(self._started(row).render(), np.uint8)

    @override
    def close(self) -> None:
        for row in range(self.batch_size):
            self._close_row(row)

    def _close_row(self, row: int) -> None:
        environment, self._environments[row] = self._environments[row], None
        if environment is not None:
            environment.close()

    def _started(self, row: int) -> gymnasium.Env[Any, Any]:
        """Return the environment of a row that a reset has started."""
        environment = self._environments[row]
        assert environment is not None, "reset comes first"
        return environment


def check_one_body(name: str, morphologies: Sequence[str]) -> None:
    """Raise `EnvError` where another morphology is asked for than the only one."""
    for morphology in morphologies:
        if morphology != DEFAULT_MORPHOLOGY:
            raise EnvError(unknown(f"morphology of {name}", morphology, [DEFAULT_MORPHOLOGY]))
