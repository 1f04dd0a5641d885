"""What every environment of hebbevo is: a config that a user writes, and a block of lifetimes that it builds.

A block steps up to `capacity` lifetimes in lockstep. What a lifetime experiences depends only on (config,
morphology, seed, actions): not on the capacity, its row, the other rows or what ran before, bit for bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from hebbevo.errors import EnvError
from hebbevo.seeding import Stream, stream

DEFAULT_MORPHOLOGY = "default"
"""The morphology of environments that know only one body."""


def environment_stream(seed: int) -> np.random.Generator:
    """Return the random stream of the environment in the lifetime with this seed, 0 <= seed < 2**63."""
    return stream(seed, Stream.ENVIRONMENT)


class EarlyStop(BaseModel):
    """When a hopeless lifetime ends: past step `after`, on `done` or too many negative rewards in a row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: int = Field(default=200, ge=0, description="no stop before this step")
    negative_rewards: int = Field(
        default=30, ge=0, description="stop when more than this many consecutive rewards are negative"
    )


class EnvConfig(BaseModel, ABC):
    """What a user writes under `env:`; one subclass for each kind of environment."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    unit: ClassVar[str]
    """Unit of the fitness: "m" or "reward"."""
    releases_gil: ClassVar[bool]
    """Whether a step lets other Python threads run: then threads, not processes, spread the blocks."""
    draws_tracks: ClassVar[bool] = False
    """Whether a lifetime drives the level of `hebbevo.seeding.level_seed`, so that another one may drive it again."""
    preferred_batch_size: ClassVar[int] = 8
    """Lifetimes best stepped in lockstep on a core: few enough that their synapses stay in its cache."""

    name: str
    steps: int = Field(default=1000, ge=1, description="longest lifetime in steps")
    early_stop: EarlyStop | None = None

    @property
    def morphology_names(self) -> tuple[str, ...]:
        """Names of the bodies that a genome is evaluated on; ("default",) where there is only one."""
        return (DEFAULT_MORPHOLOGY,)

    def reference_environment(self) -> EnvConfig:
        """Return the same task on the environment that ours stands for, where there is such a one.

        Raises:
            EnvError: there is none.
        """
        raise EnvError(
            f"{self.name} is not drawn by us, so there is no official one beside it; leave --official out"
        )

    @abstractmethod
    def build(self, batch_size: int) -> BatchedEnvironment:
        """Make a block for up to `capacity` lifetimes."""


class BatchedEnvironment(ABC):
    """A block of lifetimes stepped together; one row each, written in place by `reset` and `step`.

    | array | shape | dtype | meaning |
    |---|---|---|---|
    | observations | (capacity, observation_size) | float32 | what the network sees next; always finite |
    | rewards | (capacity,) | float64 | reward of the last step, 0 after a reset |
    | done | (capacity,) | bool | soft end (fallen): ends a lifetime only under early stop |
    | terminated | (capacity,) | bool | hard end: the environment has no further step |
    | diverged | (capacity,) | bool | the simulation or its input blew up; the row no longer moves |

    Attributes:
        image_shape: (channels, height, width) where an observation is a flattened image of pixels in [0, 1].
        action_slopes: float32 (action_size,). Actions are numbers in [-1, 1]; a raw network output becomes one as
            tanh(slope * output). The slope is 1, or 1/2 where the action has one sign, which then is the sigmoid of
            the output between its bounds.
    """

    image_shape: tuple[int, int, int] | None = None

    def __init__(self, batch_size: int, observation_size: int, action_size: int) -> None:
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
        """Start lifetimes afresh in the first `len(seeds)` rows, burn-in included; other rows are left alone.

        Raises:
            EnvError: more lifetimes than rows, lengths that differ, or an unknown morphology.
        """

    @abstractmethod
    def step(self, actions: npt.NDArray[np.float32], active: npt.NDArray[np.int64]) -> None:
        """Move the rows `active` (k,), ascending, by one step of `actions` (capacity, action_size).

        Rows that have diverged or terminated stay where they are, with reward 0.
        """

    def use_threads(self, threads: int) -> None:  # noqa: B027  (most environments step row by row)
        """Step rows on several threads from now on, where the environment can; between lifetimes only."""

    def close(self) -> None:  # noqa: B027  (most environments hold nothing)
        """Release what the environment holds outside Python."""

    def _check_reset(self, seeds: Sequence[int], morphologies: Sequence[str]) -> int:
        """Return the number of lifetimes to start, or raise for arguments that do not fit the block."""
        if len(seeds) != len(morphologies):
            raise EnvError(f"reset needs one morphology per seed, got {len(seeds)} and {len(morphologies)}")
        if len(seeds) > self.batch_size:
            raise EnvError(
                f"reset got {len(seeds)} lifetimes for a batch of {self.batch_size}; build a larger one"
            )
        return len(seeds)

    def _clear_rows(self, count: int) -> None:
        """Forget the flags and rewards of the first `count` rows."""
        self.rewards[:count] = 0.0
        for flags in (self.done, self.terminated, self.diverged):
            flags[:count] = False
