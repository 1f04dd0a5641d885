"""A worker whose networks live on a device: as much of the population as fits, in two halves that take turns."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import torch

from hebbevo.envs import BatchedEnvironment
from hebbevo.envs.subprocess.environment import ProcessEnvironment
from hebbevo.networks.device_kernels import device_kernel
from hebbevo.networks.torch.device import check_available, lifetimes_that_fit
from hebbevo.networks.torch.encoder import TorchEncoder
from hebbevo.networks.torch.network import TorchNetwork
from hebbevo.perturbations.catalogue import hooks_of
from hebbevo.perturbations.hooks import Hook
from hebbevo.perturbations.perturbation import Perturbation
from hebbevo.rollouts.observations import ObservationStatistics
from hebbevo.rollouts.pipeline import Pipeline, run_pipelined
from hebbevo.rollouts.result import RolloutResult
from hebbevo.rollouts.rollout import rollout
from hebbevo.tasks.task import Task

FloatArray = npt.NDArray[np.float32]


class DeviceWorker:
    """Two halves of environment and network on a device, which grow as needed.

    Args:
        task: whose lifetimes run.
        batch_size: lifetimes side by side, at most; fewer where the device's memory holds fewer.
        device: ``cpu`` or ``cuda``.
        threads: of the environments, or processes where they hold the GIL; None is as many as torch may use.

    Raises:
        InputError: the device is not there.
    """

    def __init__(self, task: Task, batch_size: int, device: str, threads: int | None = None) -> None:
        check_available(device)
        self.task = task
        self.device = device
        pixels = task.encoder.pixels if task.encoder else 0
        self.batch_size = min(
            batch_size, lifetimes_that_fit(task.kernel_spec, task.layout.size, device, pixels)
        )
        self.pipeline = Pipeline()
        self._threads = threads or torch.get_num_threads()  # as Ray has pinned it
        self._halves: list[tuple[BatchedEnvironment, TorchNetwork] | None] = [None, None]

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
        """Run any number of lifetimes; see `Worker.rollout`.

        Hooks see one batch with all of the lifetimes, as on the CPU: with `hooks` the halves do not take turns.
        """
        env, initial = self.task.env, self.task.plasticity.weight_distribution
        applied = self.task.perturbations if perturbations is None else perturbations

        def run_half(half: int, start: int, stop: int, turn: Hook) -> RolloutResult:
            environment, network = self._half(half, stop - start)
            used, genome_of_row = np.unique(np.asarray(genome_of[start:stop]), return_inverse=True)
            with _one_thread_of_torch():
                return rollout(
                    environment,
                    network,
                    np.ascontiguousarray(genomes[used]),
                    genome_of_row.tolist(),
                    seeds[start:stop],
                    morphologies[start:stop],
                    steps=env.steps,
                    early_stop=env.early_stop if early_stop else None,
                    plastic=plastic,
                    sample_actions=self.task.samples_actions,
                    observations=self.task.statistics_of_observations(observations),
                    hooks=(*hooks_of(applied, seeds[start:stop], initial), *hooks, turn),
                )

        results: list[RolloutResult] = []
        for start, stop in _spans(len(seeds), len(seeds) if hooks else self.batch_size):
            middle = stop if hooks or stop - start < 2 else (start + stop + 1) // 2
            bounds = [(start, middle)] + [(middle, stop)] * (middle < stop)
            halves = [partial(run_half, half, *span) for half, span in enumerate(bounds)]
            results += run_pipelined(halves, self.pipeline)
        return RolloutResult.join(results)

    def interrupt(self) -> None:
        """End a rollout under way at its next step: its result is no longer needed."""
        self.pipeline.stop.set()

    def close(self) -> None:
        """Release the environments."""
        for half in self._halves:
            if half is not None:
                half[0].close()
        self._halves = [None, None]

    def _half(self, number: int, lifetimes: int) -> tuple[BatchedEnvironment, TorchNetwork]:
        """Return the environment and the network of a half, with room for its lifetimes."""
        half = self._halves[number]
        if half is None or half[0].batch_size < lifetimes:
            if half is not None:
                half[0].close()
                self._halves[number] = half = None  # its memory is free before the next takes its own
            self._halves[number] = half = self._environment_for(lifetimes), self._network_for(lifetimes)
        return half

    def _environment_for(self, batch_size: int) -> BatchedEnvironment:
        """Build an environment stepped by threads, or by processes where it holds the GIL."""
        env = self.task.env
        if self._threads > 1 and not env.releases_gil:
            return ProcessEnvironment(env, batch_size, self._threads)
        environment = env.build(batch_size)
        if self._threads > 1:
            environment.use_threads(self._threads)
        return environment

    def _network_for(self, batch_size: int) -> TorchNetwork:
        task = self.task
        return TorchNetwork(
            task.kernel_spec,
            task.layout,
            batch_size,
            self.device,
            kernel=device_kernel(task.kernel_spec, self.device),
            encoder=TorchEncoder(task.encoder, task.layout, self.device) if task.encoder else None,
            slopes=task.action_slopes,
        )


@contextmanager
def _one_thread_of_torch() -> Iterator[None]:
    """Keep this thread's torch to itself: the environments have the other cores, and waiting for OpenMP costs more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _spans(count: int, most: int) -> list[tuple[int, int]]:
    """Cut `count` lifetimes into as few spans as hold `most` each, of about the same length."""
    parts = max(1, math.ceil(count / most))
    edges = [count * part // parts for part in range(parts + 1)]
    return list(pairwise(edges))
