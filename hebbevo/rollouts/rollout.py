"""The lifetime loop: a block of lifetimes steps in lockstep through environment and plastic network.

One time step, in this order (Najarro & Risi 2020): forward pass with the weights of time t; the environment
steps; early-stop check, and a lifetime that ends makes no further update; the rule changes the weights; the
normaliser. A lifetime's result depends only on (genome, task, lifetime seed), not on its block.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from numba import njit

from hebbevo.envs import BatchedEnvironment, EarlyStop
from hebbevo.networks.numba.network import PlasticNetwork

WORST_FITNESS: Final = -1e9
"""Fitness of a lifetime whose simulation or network diverged."""


@dataclass(frozen=True)
class RolloutResult:
    """What a block of lifetimes came to.

    Attributes:
        fitness: sum of rewards, float64 ``(lifetimes,)``; `WORST_FITNESS` where diverged.
        steps: steps lived, int64 ``(lifetimes,)``.
        diverged: bool ``(lifetimes,)``.
    """

    fitness: npt.NDArray[np.float64]
    steps: npt.NDArray[np.int64]
    diverged: npt.NDArray[np.bool_]


@dataclass
class Batch:
    """What hooks see, between the parts of a step: everything may be read, and written in place.

    Attributes:
        step: the time step t = 0, 1, ...
        active: rows of the lifetimes that go on.
        actions: ``(batch_size, n_out)``, the step's actions once the forward pass is made.
    """

    environment: BatchedEnvironment
    network: PlasticNetwork
    active: npt.NDArray[np.int64]
    actions: npt.NDArray[np.float32]
    step: int = 0


class Hook:
    """A perturbation or a recorder; override what you need. A hook that only looks changes no bit."""

    def on_observation(self, batch: Batch) -> None:
        """Run before the forward pass; observations and weights are those of time t."""

    def on_action(self, batch: Batch) -> None:
        """Run between the forward pass and the environment's step."""

    def on_step(self, batch: Batch) -> None:
        """Run after the environment's step, before the update; `active` still holds who acted."""


def rollout(
    environment: BatchedEnvironment,
    network: PlasticNetwork,
    genomes: npt.NDArray[np.float32],
    genome_of: Sequence[int],
    seeds: Sequence[int],
    morphologies: Sequence[str],
    *,
    steps: int,
    early_stop: EarlyStop | None,
    plastic: bool = True,
    hooks: Sequence[Hook] = (),
) -> RolloutResult:
    """Live a block of lifetimes from birth to end.

    Args:
        environment: with room for the lifetimes.
        network: with room for as many.
        genomes: ``(genomes, size)``.
        genome_of: row of `genomes` of each lifetime, ``(lifetimes,)``.
        seeds: lifetime seeds, ``(lifetimes,)``.
        morphologies: body of each lifetime, ``(lifetimes,)``.
        steps: longest lifetime.
        early_stop: when a hopeless lifetime ends; None lets all live on.
        plastic: False never applies rule and normaliser.
        hooks: called between the parts of each step, in this order.
    """
    count = len(seeds)
    environment.reset(seeds, morphologies)
    network.reset(genomes, genome_of, seeds, plastic=plastic)
    fitness, lived = np.zeros(count), np.zeros(count, np.int64)
    negatives, diverged = np.zeros(count, np.int64), np.zeros(count, np.bool_)
    after, patience = (early_stop.after, early_stop.negative_rewards) if early_stop else (-1, 0)
    active = np.flatnonzero(~environment.diverged[:count])
    diverged |= environment.diverged[:count]
    actions = np.zeros((environment.batch_size, environment.action_size), np.float32)
    batch = Batch(environment, network, active, actions)
    for batch.step in range(steps):
        if not len(batch.active):
            break
        for hook in hooks:
            hook.on_observation(batch)
        batch.actions = network.forward(environment.observations, batch.active)
        for hook in hooks:
            hook.on_action(batch)
        environment.step(batch.actions, batch.active)
        for hook in hooks:
            hook.on_step(batch)
        going = _account(
            batch.active,
            environment.rewards,
            environment.done,
            environment.terminated,
            environment.diverged,
            fitness,
            lived,
            negatives,
            diverged,
            after,
            patience,
        )
        if going < len(batch.active):
            batch.active = batch.active[:going].copy()
        network.learn(batch.active)
    fitness[diverged] = WORST_FITNESS
    return RolloutResult(fitness, lived, diverged)


@njit(nogil=True, cache=True)
def _account(  # type: ignore[no-untyped-def]
    active, rewards, done, terminated, failed, fitness, lived, negatives, diverged, after, patience
):
    """Add the step's rewards and move the rows that go on to the front of `active`; return how many."""
    going = 0
    for row in active:
        lived[row] += 1
        if failed[row] or not np.isfinite(rewards[row]):
            diverged[row] = True
            continue
        fitness[row] += rewards[row]
        negatives[row] = negatives[row] + 1 if rewards[row] < 0 else 0
        hopeless = 0 <= after <= lived[row] and (done[row] or negatives[row] > patience)
        if terminated[row] or hopeless:
            continue
        active[going] = row
        going += 1
    return going
