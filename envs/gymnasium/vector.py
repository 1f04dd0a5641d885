"""A batch of lifetimes as one `gymnasium.vector.VectorEnv`, for environments that step many rows at once.

A row must follow from its seed and actions alone, as in every environment. Gymnasium does not promise that of a
`VectorEnv`, so that each is tried when it is made: the rows of a second reset, in another order, must repeat those of
the first, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import concatenate, create_empty_array, iterate
from typing_extensions import override

from hebbevo.envs.base import BatchedEnvironment
from hebbevo.envs.gymnasium.actions import actor
from hebbevo.envs.gymnasium.config import GymnasiumConfig
from hebbevo.envs.gymnasium.environment import gymnasium_seed
from hebbevo.envs.gymnasium.observations import described, observer
from hebbevo.envs.gymnasium.results import read_reset, read_vector_step
from hebbevo.envs.gymnasium.rows import check_one_body
from hebbevo.envs.gymnasium.spaces import make_vector_environment, read_interface
from hebbevo.errors import EnvError

TRIED_STEPS: Final = 8
"""Steps of the lifetimes that a new environment is tried with."""


class BatchedVector(BatchedEnvironment):
    """Rows of a `VectorEnv`, stepped together; those that have ended are stepped on, and nobody looks.

    A row diverges also where an observation or reward is not finite.

    Args:
        config: names the id.
        batch_size: most lifetimes side by side.
        render_mode: Gymnasium's; with "rgb_array" there are pictures, and nothing else changes.

    Attributes:
        frames_per_second: steps in a second of the simulated world, as far as the environment says.
        is_mujoco: whether MuJoCo is known to draw the pictures.

    Raises:
        EnvError: it cannot be made or run, takes no seed for each row, or its rows depend on more than that.
    """

    is_mujoco = False

    def __init__(self, config: GymnasiumConfig, batch_size: int, render_mode: str | None = None) -> None:
        self._id, rows = config.id, max(2, batch_size)  # of a single row nothing could be tried
        self._vector = vector = make_vector_environment(config.id, rows, config.kwargs, render_mode)
        interface = read_interface(config.id, vector)
        super().__init__(batch_size, interface.observation_size, interface.action_size)
        self.image_shape, self.action_slopes = interface.image_shape, interface.action_slopes
        self.frames_per_second = float(vector.metadata.get("render_fps") or 30)
        self._act = actor(config.id, vector.single_action_space).act
        self._observer = observer(config.id, vector.single_observation_space)
        self._restarts = vector.metadata.get("autoreset_mode") == AutoresetMode.DISABLED
        self._outputs = np.zeros((rows, interface.action_size), np.float32)
        self._actions: Any = create_empty_array(vector.single_action_space, rows)
        self._ended = np.zeros(rows, np.bool_)
        self._try_rows()

    @override
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        count = self._check_reset(seeds, morphologies)
        check_one_body(self._id, morphologies)
        self._clear_rows(count)
        spare = [0] * (len(self._outputs) - count)
        observations = self._reset([*map(gymnasium_seed, seeds), *spare])
        self._record("reset", observations, np.zeros(len(self._outputs)), np.arange(count))

    @override
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        self._check_actions(actions)
        self.rewards[active] = 0.0
        moving = active[~(self.diverged[active] | self.terminated[active])]
        finite = np.isfinite(actions[moving]).all(axis=1)
        self._diverge(moving[~finite])
        moving = moving[finite]
        self._outputs[:] = 0.0
        self._outputs[moving] = actions[moving]
        observations, rewards, self._ended = self._step()
        self.terminated[moving] = self._ended[moving]
        self._record("step", observations, rewards, moving)

    def picture(self, row: int) -> npt.NDArray[np.uint8]:
        """Return the environment's own picture of a lifetime, ``(height, width, 3)``."""
        return np.asarray((self._vector.render() or ())[row], np.uint8)

    @override
    def close(self) -> None:
        self._vector.close()

    def _reset(self, seeds: list[int]) -> Any:
        """Return the observations of all rows, each begun with its own seed."""
        self._ended = np.zeros(len(self._outputs), np.bool_)
        try:
            result = self._vector.reset(seed=seeds)  # type: ignore[arg-type]  # as `SyncVectorEnv` takes it
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise EnvError(
                f"{self._id}: its vector environment has no reset(seed=[...]) with a seed for each row, which makes "
                f"lifetimes repeatable ({reason}); leave env.vector out"
            ) from error
        return read_reset(self._id, result)

    def _step(self) -> tuple[Any, npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
        """Step all rows by their outputs; return observations, rewards and ends."""
        if self._restarts and self._ended.any():
            self._vector.reset(options={"reset_mask": self._ended})
        space = self._vector.single_action_space
        actions = concatenate(space, [self._act(outputs) for outputs in self._outputs], self._actions)
        return read_vector_step(self._id, self._vector.step(actions), len(self._outputs))

    def _record(
        self, method: str, observations: Any, rewards: npt.NDArray[np.float64], rows: npt.NDArray[np.int64]
    ) -> None:
        """Keep what the environment returned for some rows; where it is not finite, they diverge."""
        self.rewards[rows] = rewards[rows]
        self.observations[rows] = self._rows_of(method, observations, rows)
        finite = np.isfinite(self.observations[rows]).all(axis=1) & np.isfinite(self.rewards[rows])
        self._diverge(rows[~finite])

    def _rows_of(
        self, method: str, observations: Any, rows: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.float32]:
        """Return the observations of some rows as a network sees them, ``(len(rows), observation_size)``."""
        space, source = self._vector.single_observation_space, f"{self._id}: {method}"
        expected = (len(self._outputs), *(space.shape or ()))
        if isinstance(space, Box) and np.shape(observations) != expected:
            raise EnvError(
                f"{source} must return observations of shape {expected}, got {described(observations)}"
            )
        if isinstance(space, Box) and self._observer.image_shape is None:
            with np.errstate(over="ignore"):
                return np.asarray(observations, np.float32).reshape(len(self._outputs), -1)[rows]
        seen = np.empty((len(rows), self.observation_size), np.float32)
        values = list(iterate(self._vector.observation_space, observations))
        for row, out in zip(rows, seen, strict=True):
            self._observer.write(source, values[row], out)
        return seen

    def _diverge(self, rows: npt.NDArray[np.int64]) -> None:
        self.diverged[rows] = True
        self.observations[rows] = 0.0
        self.rewards[rows] = 0.0

    def _try_rows(self) -> None:
        """Refuse an environment whose rows depend on each other, on their place, or on what was before."""
        rows = len(self._outputs)
        outputs = (
            np.random.default_rng(0).uniform(-1, 1, (TRIED_STEPS, *self._outputs.shape)).astype(np.float32)
        )
        forwards = self._try(list(range(rows)), outputs)
        backwards = self._try(list(range(rows))[::-1], outputs[:, ::-1])
        if not all(map(np.array_equal, forwards, [one[::-1] for one in backwards])):
            raise EnvError(
                f"{self._id}: rows of its vector environment come out otherwise in another order, and must follow from "
                "their seeds and actions alone; leave env.vector out"
            )

    def _try(self, seeds: list[int], outputs: npt.NDArray[np.float32]) -> list[npt.NDArray[Any]]:
        """Return observations, rewards and ends of all rows up to the first end of one."""
        every = np.arange(len(self._outputs))
        seen: list[npt.NDArray[Any]] = [self._rows_of("reset", self._reset(seeds), every)]
        for self._outputs[:] in outputs:
            if self._ended.any():
                break
            observations, rewards, self._ended = self._step()
            seen += [self._rows_of("step", observations, every), rewards, self._ended]
        return seen
