"""The lifetime loop: a batch of lifetimes steps in lockstep through environment and plastic network.

One time step, in this order (Najarro & Risi 2020): forward pass with the weights of time t; the environment
steps; early-stop check, and a lifetime that ends makes no further update; the rule changes the weights; the
normaliser. A lifetime's result depends only on (genome, task, lifetime seed), not on its batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled
from hebbevo.envs import BatchedEnvironment, EarlyStop
from hebbevo.networks.network import Network
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rollouts.observation_normaliser import ObservationNormaliser
from hebbevo.rollouts.observations import ObservationStatistics
from hebbevo.rollouts.result import LARGEST_FITNESS, WORST_FITNESS, RolloutResult
from hebbevo.rollouts.sampling import ActionSampler


def rollout(
    environment: BatchedEnvironment,
    network: Network,
    genomes: npt.NDArray[np.float32],
    genome_of: Sequence[int],
    seeds: Sequence[int],
    morphologies: Sequence[str],
    *,
    steps: int,
    early_stop: EarlyStop | None,
    plastic: bool = True,
    sample_actions: bool = False,
    observations: ObservationStatistics | None = None,
    hooks: Sequence[Hook] = (),
) -> RolloutResult:
    """Run a batch of lifetimes from their resets to their ends.

    Args:
        environment: with a row for each lifetime.
        network: with a row for each lifetime.
        genomes: ``(genomes, size)``.
        genome_of: row of `genomes` of each lifetime, ``(lifetimes,)``.
        seeds: lifetime seeds, ``(lifetimes,)``.
        morphologies: body of each lifetime, ``(lifetimes,)``.
        steps: longest lifetime.
        early_stop: when a hopeless lifetime ends; None lets all go on.
        plastic: False never applies rules and normalisers.
        observations: statistics that the network's observations are normalised by; None leaves them as they are.
        sample_actions: draw each action from the softmax of the outputs.
        hooks: called between the parts of each step, in this order.
    """
    environment.reset(seeds, morphologies)
    arrays = environment.check_arrays()
    network.reset(genomes, genome_of, seeds, plastic=plastic)
    totals = _Totals(environment.diverged[: len(seeds)], early_stop)
    normaliser = ObservationNormaliser(observations, environment.observations.shape) if observations else None
    sampler = ActionSampler(seeds) if sample_actions else None
    active = np.flatnonzero(~totals.diverged)
    actions = np.zeros((environment.batch_size, environment.action_size), np.float32)
    batch = Batch(environment, network, active, actions, environment.rewards)
    for batch.step in range(steps):
        if not len(batch.active):
            break
        for hook in hooks:
            hook.on_observation(batch)
        seen = environment.observations
        if normaliser is not None:
            seen = normaliser.normalise(seen, batch.active)
        batch.actions = network.forward(seen, batch.active)
        if sampler is not None:
            sampler.sample(batch.actions, batch.active, batch.step)
            network.emit(batch.active)
        for hook in hooks:
            hook.on_action(batch)
        environment.step(batch.actions, batch.active)
        arrays = environment.check_arrays(arrays)
        batch.rewards = environment.rewards
        for hook in hooks:
            hook.on_step(batch)
        batch.active = totals.add_step(environment, batch.active)
        network.learn(batch.active, batch.rewards)
    moments = normaliser.moments(len(seeds)) if normaliser else None
    measures = {name: measured[: len(seeds)].copy() for name, measured in environment.measures.items()}
    return replace(totals.result(), moments=moments, measures=measures)


class _Totals:
    """Sums over the steps of each lifetime, and the conditions of its end."""

    def __init__(self, diverged: npt.NDArray[np.bool_], early_stop: EarlyStop | None) -> None:
        count = len(diverged)
        self.diverged = diverged.copy()
        self._fitness, self._steps = np.zeros(count), np.zeros(count, np.int64)
        self._negative_rewards = np.zeros(count, np.int64)  # in a row, up to now
        self._after = early_stop.after if early_stop else -1
        self._most_negative = early_stop.negative_rewards if early_stop else 0

    def add_step(
        self, environment: BatchedEnvironment, active: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.int64]:
        """Add the step of the `active` rows; return those that go on, `active` itself where all do."""
        going = _add_step(
            active,
            environment.rewards,
            environment.done,
            environment.terminated,
            environment.diverged,
            self._fitness,
            self._steps,
            self._negative_rewards,
            self.diverged,
            self._after,
            self._most_negative,
        )
        return active[:going].copy() if going < len(active) else active

    def result(self) -> RolloutResult:
        """Return the results up to now."""
        fitness = np.where(self.diverged, WORST_FITNESS, self._fitness)
        return RolloutResult(fitness, self._steps, self.diverged)


@compiled
def _add_step(
    active: npt.NDArray[np.int64],
    rewards: npt.NDArray[np.float64],
    done: npt.NDArray[np.bool_],
    terminated: npt.NDArray[np.bool_],
    failed: npt.NDArray[np.bool_],
    fitness: npt.NDArray[np.float64],
    steps: npt.NDArray[np.int64],
    negative_rewards: npt.NDArray[np.int64],
    diverged: npt.NDArray[np.bool_],
    after: int,
    most_negative: int,
) -> int:
    """Add the step's rewards and move the rows that go on to the front of `active`; return how many."""
    going = 0
    for row in active:
        if not 0 <= row < steps.shape[0]:
            raise IndexError("an active row is no lifetime of the rollout")
        steps[row] += 1
        fitness[row] += rewards[row]
        # `not <=` is true of NaN as well
        if failed[row] or not abs(fitness[row]) <= LARGEST_FITNESS:
            diverged[row] = True
            continue
        negative_rewards[row] = negative_rewards[row] + 1 if rewards[row] < 0 else 0
        hopeless = 0 <= after <= steps[row] and (done[row] or negative_rewards[row] > most_negative)
        if terminated[row] or hopeless:
            continue
        active[going] = row
        going += 1
    return going
