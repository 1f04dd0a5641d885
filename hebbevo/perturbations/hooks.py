"""Hooks between the parts of a lifetime's step: perturbations, recorders, and whatever else takes part.

Light to import: a kind of perturbation is a settings class beside its hook, and reading settings compiles nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from hebbevo.envs import BatchedEnvironment
    from hebbevo.networks.network import Network


@dataclass
class Batch:
    """The lifetimes of a rollout between two parts of a step; a hook may read all of it, and write in place.

    Attributes:
        environment: row r holds lifetime r.
        network: its rows likewise.
        active: rows of the lifetimes that go on, ascending.
        actions: ``(batch_size, n_out)``, those of this step once the forward pass is made.
        rewards: of this step once the environment has stepped, as the network is told them, ``(batch_size,)``; a hook
            that puts another array in their place changes what the network learns from, and no fitness.
        step: the time step t = 0, 1, ...
    """

    environment: BatchedEnvironment
    network: Network
    active: npt.NDArray[np.int64]
    actions: npt.NDArray[np.float32]
    rewards: npt.NDArray[np.float64]
    step: int = 0


class Hook:
    """Takes part in a rollout; override what is needed. A hook that only reads changes no bit."""

    def on_observation(self, batch: Batch) -> None:
        """Run before the forward pass; observations and weights are those of time t."""

    def on_action(self, batch: Batch) -> None:
        """Run between the forward pass and the environment's step."""

    def on_step(self, batch: Batch) -> None:
        """Run after the environment's step, before the update; `active` still holds every row that acted."""
