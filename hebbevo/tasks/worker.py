"""Workers run the lifetimes of a task in batches, and hold all that is expensive to build."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.envs import BatchedEnvironment
from hebbevo.networks.numba.encoder import NumbaEncoder
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.network import NumbaNetwork
from hebbevo.perturbations.catalogue import hooks_of
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rollouts.observations import ObservationStatistics
from hebbevo.rollouts.pipeline import Interrupted
from hebbevo.rollouts.result import RolloutResult
from hebbevo.rollouts.rollout import rollout
from hebbevo.tasks.task import Task

FloatArray = npt.NDArray[np.float32]


class Worker(Protocol):
    """Runs lifetimes of one task."""

    task: Task
    batch_size: int  # lifetimes in lockstep, at most

    def rollout(
        self,
        genomes: FloatArray,
        genome_of: Sequence[int],
        seeds: Sequence[int],
        morphologies: Sequence[str],
        *,
        early_stop: bool,
        plastic: bool = True,
        hooks: Sequence[Hook] = (),
        perturbations: Sequence[Perturbation] | None = None,
        observations: ObservationStatistics | None = None,
    ) -> RolloutResult:
        """Run a lifetime per seed.

        Args:
            genomes: float32 ``(n, task.layout.size)``.
            genome_of: row of `genomes` for each lifetime.
            seeds: of each lifetime; all random numbers of the lifetime follow from it.
            morphologies: body of each lifetime at reset.
            early_stop: end lifetimes as the task's environment says; otherwise all have full length.
            plastic: False leaves the weights as they are at reset.
            hooks: called between steps, after those of the perturbations.
            perturbations: None are those of the task.
            observations: statistics that observations are normalised by, where the task says so; None are those of the
                task.
        """
        ...

    def close(self) -> None:
        """Release environments."""
        ...


class _Stop(Hook):
    """Ends a rollout once an event is set."""

    def __init__(self, event: threading.Event) -> None:
        self._event = event

    @override
    def on_observation(self, batch: Batch) -> None:
        if self._event.is_set():
            raise Interrupted


class CpuWorker:
    """One environment and one compiled network, for batches of up to `batch_size` lifetimes."""

    def __init__(self, task: Task, batch_size: int) -> None:
        self.task = task
        self.batch_size = batch_size
        self._environment: BatchedEnvironment = task.env.build(batch_size)
        encoder = NumbaEncoder(task.encoder, task.layout, batch_size) if task.encoder else None
        slopes = task.action_slopes
        kernel = NumbaKernel(task.kernel_spec)
        self._network = NumbaNetwork(kernel, task.layout, batch_size, encoder, slopes)
        self._stop = threading.Event()

    def rollout(
        self,
        genomes: FloatArray,
        genome_of: Sequence[int],
        seeds: Sequence[int],
        morphologies: Sequence[str],
        *,
        early_stop: bool,
        plastic: bool = True,
        hooks: Sequence[Hook] = (),
        perturbations: Sequence[Perturbation] | None = None,
        observations: ObservationStatistics | None = None,
    ) -> RolloutResult:
        """Run up to `batch_size` lifetimes; see `Worker.rollout`."""
        env, initial = self.task.env, self.task.plasticity.weight_distribution
        used = self.task.perturbations if perturbations is None else perturbations
        return rollout(
            self._environment,
            self._network,
            genomes,
            genome_of,
            seeds,
            morphologies,
            steps=env.steps,
            early_stop=env.early_stop if early_stop else None,
            plastic=plastic,
            sample_actions=self.task.samples_actions,
            observations=self.task.statistics_of_observations(observations),
            hooks=(_Stop(self._stop), *hooks_of(used, seeds, initial), *hooks),
        )

    def interrupt(self) -> None:
        """End a rollout under way at its next step: its result is no longer needed."""
        self._stop.set()

    def close(self) -> None:
        """Release the environment."""
        self._environment.close()
