"""A batch of environments, one row a lifetime, and what a network has to know of them.

What a lifetime experiences depends only on (config, morphology, seed, actions): not on the batch size, its row, the
other rows or what ran before, bit for bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from operator import is_
from types import MappingProxyType
from typing import TYPE_CHECKING

from hebbevo.envs.interventions import Interventions
from hebbevo.errors import EnvError
from hebbevo.seeding import Stream, stream

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Arrays = tuple[
        npt.NDArray[np.float32],
        npt.NDArray[np.float64],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
        npt.NDArray[np.bool_],
    ]
    """Observations, rewards, done, terminated and diverged of a batch."""

DEFAULT_MORPHOLOGY = "default"
"""The morphology of environments that know only one body."""


def environment_stream(seed: int) -> np.random.Generator:
    """Return the random stream of the environment in the lifetime with this seed, 0 <= seed < 2**63."""
    return stream(seed, Stream.ENVIRONMENT)


@dataclass(frozen=True, eq=False)
class EnvironmentInterface:
    """What an environment hands a network and takes from it.

    Attributes:
        observation_size: numbers in an observation.
        image_shape: (channels, height, width) where an observation is a flattened image of pixels in [0, 1].
        action_slopes: float32 ``(action_size,)``. Actions are numbers in [-1, 1]; a raw network output becomes one as
            tanh(slope * output). The slope is 1, or 1/2 where the action has one sign, which then is the sigmoid of
            the output between its bounds.
        discrete_actions: whether the largest number of an action decides alone.
    """

    observation_size: int
    action_slopes: npt.NDArray[np.float32]
    image_shape: tuple[int, int, int] | None = None
    discrete_actions: bool = False

    @property
    def action_size(self) -> int:
        """Numbers in an action."""
        return len(self.action_slopes)


class BatchedEnvironment(ABC):
    """Environments stepped in lockstep; one row a lifetime, written in place by `reset` and `step`.

    | array | shape | dtype | meaning |
    |---|---|---|---|
    | observations | (batch_size, observation_size) | float32 | what the network sees next; always finite |
    | rewards | (batch_size,) | float64 | reward of the last step, 0 after a reset |
    | done | (batch_size,) | bool | soft end (fallen): ends a lifetime only under early stop |
    | terminated | (batch_size,) | bool | hard end: the environment has no further step |
    | diverged | (batch_size,) | bool | the simulation or its input left the finite numbers; the row no longer moves |

    Attributes:
        image_shape, action_slopes: see `EnvironmentInterface`; a config declares the same.
        interventions: what may be done to a lifetime in the middle of it; None where there is nothing.
        measures: other measures of each row's lifetime so far, by name, ``(batch_size,)`` each, written in place; those
            that the config's `metrics` say are measured.
    """

    image_shape: tuple[int, int, int] | None = None
    interventions: Interventions | None = None
    measures: Mapping[str, npt.NDArray[np.float64]] = MappingProxyType({})

    def __init__(self, batch_size: int, observation_size: int, action_size: int) -> None:
        import numpy as np

        if batch_size < 1:
            raise EnvError(f"batch_size must be at least 1 lifetime, got {batch_size}")
        self.batch_size = batch_size
        self.observation_size = observation_size
        self.action_size = action_size
        self.observations: npt.NDArray[np.float32] = np.zeros((batch_size, observation_size), np.float32)
        self.rewards: npt.NDArray[np.float64] = np.zeros(batch_size)
        self.done: npt.NDArray[np.bool_] = np.zeros(batch_size, np.bool_)
        self.terminated: npt.NDArray[np.bool_] = np.zeros(batch_size, np.bool_)
        self.diverged: npt.NDArray[np.bool_] = np.zeros(batch_size, np.bool_)
        self.action_slopes: npt.NDArray[np.float32] = np.ones(action_size, np.float32)

    @abstractmethod
    def reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> None:
        """Start lifetimes in the first `len(seeds)` rows, burn-in included; other rows are left alone.

        Raises:
            EnvError: more lifetimes than rows, lengths that differ, or an unknown morphology.
        """

    @abstractmethod
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        """Move the rows `active` (k,), ascending, by one step of `actions` (batch_size, action_size).

        An action that is not finite makes its row diverge. Rows that have diverged or terminated stay where they
        are, with reward 0.
        """

    def use_threads(self, threads: int) -> None:  # noqa: B027  (most environments step row by row)
        """Step rows on several threads from now on, where the environment can; between lifetimes only."""

    def close(self) -> None:  # noqa: B027  (most environments hold nothing)
        """Release what the environment holds outside Python."""

    def check_arrays(self, known: Arrays | None = None) -> Arrays:
        """Return the arrays that compiled code reads; `known` ones, which are still there, are not looked at again.

        Raises:
            EnvError: one of another shape or dtype than the table says, as where a subclass does not write in place.
        """
        arrays = (self.observations, self.rewards, self.done, self.terminated, self.diverged)
        if known is not None and all(map(is_, arrays, known)):
            return known
        import numpy as np

        rows = self.batch_size
        for name, array, shape, dtype in (
            ("observations", self.observations, (rows, self.observation_size), np.float32),
            ("rewards", self.rewards, (rows,), np.float64),
            ("done", self.done, (rows,), np.bool_),
            ("terminated", self.terminated, (rows,), np.bool_),
            ("diverged", self.diverged, (rows,), np.bool_),
        ):
            if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != dtype:
                raise EnvError(
                    f"{type(self).__name__}.{name} must be {np.dtype(dtype)} of shape {shape}; write into the "
                    "array that is there"
                )
        return arrays

    def _check_reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> int:
        """Return the number of lifetimes to start, or raise for arguments that do not fit the batch."""
        if len(seeds) != len(morphologies):
            raise EnvError(f"reset needs one morphology per seed, got {len(seeds)} and {len(morphologies)}")
        if len(seeds) > self.batch_size:
            raise EnvError(
                f"reset got {len(seeds)} lifetimes for a batch of {self.batch_size}; build a larger one"
            )
        return len(seeds)

    def _check_actions(self, actions: npt.NDArray[np.float32]) -> None:
        """Raise `EnvError` for actions that do not fit the batch."""
        if actions.shape != (self.batch_size, self.action_size):
            raise EnvError(
                f"actions must have shape {(self.batch_size, self.action_size)}, got {actions.shape}"
            )

    def _clear_rows(self, count: int) -> None:
        """Clear the flags and rewards of the first `count` rows."""
        self.rewards[:count] = 0.0
        for flags in (self.done, self.terminated, self.diverged):
            flags[:count] = False
