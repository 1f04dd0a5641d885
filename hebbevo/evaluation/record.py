"""Lifetimes of a genome, recorded: weights, states, activations, observations, actions, rewards at chosen steps.

They are the first lifetimes of `evaluate` with the same seed, bit for bit: recording only reads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hebbevo.errors import InputError, unknown
from hebbevo.evaluation.checks import check_sample, checked_bodies
from hebbevo.evaluation.record_files import check_record, write_record
from hebbevo.evaluation.recorder import KINDS, Recorder
from hebbevo.genomes.genome import Genome, as_genome
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.perturbations.hooks import Hook
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

MOST_EPISODES: Final = 10_000
MOST_BYTES: Final = 8 << 30
"""Of a recording, which is held in memory."""


@dataclass(frozen=True)
class Recording:
    """Recorded lifetimes.

    Attributes:
        genome: its name.
        morphology: the body that they start with.
        seeds: of the lifetimes, int64 ``(episodes,)``.
        at: the steps t that are recorded, int64 ``(points,)``.
        result: fitness, steps and divergence of every lifetime.
        arrays: by name, ``(episodes, points, ...)``; NaN at steps that a lifetime does not reach. ``layer1.w`` and
            other states of projections are those before the forward pass of step t, ``(n_out, n_in)`` each;
            ``activations.hidden1`` and ``actions`` those of the pass, ``rewards`` those of the environment's step.
    """

    genome: str
    morphology: str
    seeds: npt.NDArray[np.int64]
    at: npt.NDArray[np.int64]
    result: RolloutResult
    arrays: dict[str, npt.NDArray[Any]]

    def save(self, path: str | Path) -> Path:
        """Write an ``.npz``, or a ``.parquet`` with a row per lifetime and step.

        Raises:
            InputError: the file exists, or is to be of another kind.
            OSError: the disk is full or fails.
        """
        out = check_record(path)
        lifetimes = {
            "seeds": self.seeds,
            "fitness": self.result.fitness,
            "steps": self.result.steps,
            "diverged": self.result.diverged,
        }
        write_record(
            out, {"genome": self.genome, "morphology": self.morphology}, lifetimes, self.at, self.arrays
        )
        return out


def record(
    genome: Genome | str | PathLike[str],
    *,
    kinds: Sequence[str] | None = None,
    every: int = 1,
    at: Sequence[int] | None = None,
    episodes: int = 1,
    seed: int = 1,
    steps: int | None = None,
    morphology: str | None = None,
    perturb: str | None = None,
    hooks: Sequence[Hook] = (),
) -> Recording:
    """Run the first lifetimes of `evaluate` with this seed, and record them.

    Args:
        genome: from `load_genome`, or what that takes: a run, a file, ``zoo:NAME``.
        kinds: of ``weights``, ``states`` (other ones), ``activations``, ``observations``, ``actions``, ``rewards``; by
            default all.
        every: record every so many steps, from 0 on.
        at: the steps to record, in place of `every`.
        episodes: lifetimes.
        seed: as in `evaluate`.
        steps: longest lifetime; by default the task's own.
        morphology: by default the task's first.
        perturb: perturbations in the short form of `hebbevo perturb`; by default the task's own.
        hooks: of your own, which may change the lifetimes: they act before anything is recorded.

    Raises:
        InputError: an unknown kind, step, morphology or perturbation, or more than memory holds.
    """
    genome = as_genome(genome).lasting(steps)
    check_sample(episodes, seed)
    if episodes > MOST_EPISODES:
        raise InputError(f"episodes must be at most {MOST_EPISODES:,} in a recording, got {episodes:,}")
    wanted = _checked_kinds(kinds)
    (body, *_) = checked_bodies(genome.task, None if morphology is None else [morphology])
    task = (
        genome.task if perturb is None else replace(genome.task, perturbations=parse_perturbations(perturb))
    )
    task.check(task.perturbations)
    points = _checked_steps(task.env.steps, every, at)
    _check_size(task, wanted, episodes * len(points))
    seeds = [lifetime_seed(seed, SeedPurpose.EVALUATION, number) for number in range(episodes)]
    recorder = Recorder(task, wanted, episodes, points)
    with closing(CpuWorker(task, episodes)) as worker:
        result = worker.rollout(
            genome.values[None],
            [0] * episodes,
            seeds,
            [body] * episodes,
            early_stop=False,
            hooks=[*hooks, recorder],
        )
    return Recording(genome.name, body, np.array(seeds), np.array(points), result, recorder.arrays)


def _checked_kinds(kinds: Sequence[str] | None) -> tuple[str, ...]:
    for kind in kinds or ():
        if kind not in KINDS:
            raise InputError(unknown("kind of recording", kind, KINDS))
    return tuple(KINDS if kinds is None else kinds)


def _checked_steps(longest: int, every: int, at: Sequence[int] | None) -> list[int]:
    if every < 1:
        raise InputError(f"every must be at least 1, got {every}")
    if at is None:
        return list(range(0, longest, every))
    for step in at:
        if not 0 <= step < longest:
            raise InputError(f"at must be steps from 0 to {longest - 1}, got {step}")
    return sorted(set(at))


def _check_size(task: Task, kinds: Sequence[str], points: int) -> None:
    network, numbers = task.network_spec, 0
    for projection in network.projections:
        for state in projection.rule.states:
            if ("weights" if state == "w" else "states") in kinds:
                numbers += math.prod(network.state_shape(projection, state))
    if "activations" in kinds:
        numbers += sum(population.size for population in network.populations)
    if "observations" in kinds:
        numbers += task.env.interface.observation_size
    if (size := 4 * points * numbers) > MOST_BYTES:
        raise InputError(
            f"a recording of {size / 2**30:.1f} GiB is more than {MOST_BYTES >> 30}; record fewer kinds, lifetimes or "
            "steps (every, at)"
        )
