"""Evaluate a genome on fresh lifetimes of full length, beside its controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.errors import InputError
from hebbevo.evaluation.statistics import paired_difference, summarise
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.genomes.genome import Genome
from hebbevo.rollouts.result import RolloutResult
from hebbevo.search import Executor
from hebbevo.seeding import SeedPurpose, Stream, lifetime_seed, stream
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import Worker

FloatArray = npt.NDArray[np.float32]
SeedKey = tuple[int, SeedPurpose] | tuple[int, SeedPurpose, int]
"""What lifetime seeds are derived from, together with the number of the episode; see `lifetime_seed`."""

GENOME = "genome"
CONTROLS = ("off", "shuffled", "random")
"""Rule and normaliser never applied; coefficients permuted within each layer; a genome never evolved."""


@dataclass(frozen=True)
class Evaluation:
    """What every lifetime came to.

    Attributes:
        lifetimes: per morphology and condition (``genome`` or a control), arrays over episodes.
        unit: of the fitness.
    """

    genome: Genome
    lifetimes: dict[str, dict[str, RolloutResult]]
    unit: str

    def progress(self, morphology: str, condition: str = GENOME) -> npt.NDArray[np.float64]:
        """Return the fitness of every lifetime, ``(episodes,)``."""
        return self.lifetimes[morphology][condition].fitness

    def summary(self) -> dict[str, Any]:
        """Return the statistics as `evaluate --json` writes them.

        A control's `difference` is the genome's less its own, lifetime by lifetime: they share their seeds.
        """
        morphologies = {}
        for morphology, conditions in self.lifetimes.items():
            parts = {name: self._statistics(lifetimes) for name, lifetimes in conditions.items()}
            evolved = _numbers(conditions[GENOME])
            for name in parts.keys() - {GENOME}:
                parts[name]["difference"] = paired_difference(evolved, _numbers(conditions[name]))
            morphologies[morphology] = {**parts.pop(GENOME), "controls": parts}
        return {"genome": self.genome.name, "unit": self.unit, "morphologies": morphologies}

    def _statistics(self, lifetimes: RolloutResult) -> dict[str, Any]:
        statistics = summarise(lifetimes.fitness, lifetimes.diverged)
        if statistics["mean"] is not None:
            for name, metric in self.genome.task.env.metrics.items():
                statistics[name] = metric(statistics["mean"])
        return statistics


def _numbers(lifetimes: RolloutResult) -> npt.NDArray[np.float64]:
    """Return the fitness of every lifetime, NaN where it diverged."""
    return np.where(lifetimes.diverged, np.nan, lifetimes.fitness)


@dataclass(frozen=True)
class Conditions:
    """What all blocks of an evaluation share; the seeds are the same for every condition and morphology."""

    values: FloatArray
    key: SeedKey


@dataclass(frozen=True)
class Episodes:
    """One piece of work: episodes `start` to `stop` of a condition on a morphology."""

    condition: str
    morphology: str
    start: int
    stop: int


def evaluate(
    genome: Genome,
    *,
    episodes: int = 64,
    seed: int = 1,
    morphologies: Sequence[str] | None = None,
    controls: bool = True,
    official: bool = False,
    execution: Execution | None = None,
) -> Evaluation:
    """Live fresh lifetimes of a genome and of its controls.

    Args:
        genome: from `load_genome`.
        episodes: lifetimes per morphology and condition, full length, no early stop.
        seed: the lifetimes' seeds follow from it.
        morphologies: by default the task's own.
        controls: also the controls that apply.
        official: on the environment that ours stands for: CarRacing as Gymnasium draws it.
        execution: where the lifetimes are lived; by default in this process.

    Raises:
        InputError: not one episode, a negative seed, or an unknown morphology.
        EnvError: no official environment beside ours.
    """
    check_sample(episodes, seed)
    if official:
        genome = replace(genome, task=replace(genome.task, env=genome.task.env.reference_environment()))
    bodies = checked_bodies(genome.task, morphologies)
    conditions = (GENOME, *(applicable_controls(genome.task) if controls else ()))
    resolved = (execution or Execution(workers=0)).resolve(genome.task)
    key = (seed, SeedPurpose.EVALUATION)
    with executor_for(resolved) as executor:
        lifetimes = evaluate_conditions(
            executor, genome.values, key, bodies, conditions, episodes, resolved.batch_size
        )
    return Evaluation(genome, lifetimes, genome.task.env.unit)


def check_sample(episodes: int, seed: int) -> None:
    """Raise `InputError` for a number of episodes, or a seed, that lifetimes cannot have."""
    if episodes < 1:
        raise InputError(f"episodes must be at least 1, got {episodes}")
    if not 0 <= seed < 2**63:
        raise InputError(f"seed must be from 0 to 2**63 - 1, got {seed}")


def applicable_controls(task: Task) -> tuple[str, ...]:
    """Return the controls that say something about a task: a static network has no rule to switch off."""
    return CONTROLS[1:] if task.plasticity.parsed_rule.is_static else CONTROLS


def evaluate_conditions(
    executor: Executor[Worker],
    values: FloatArray,
    key: SeedKey,
    morphologies: Sequence[str],
    conditions: Sequence[str],
    episodes: int,
    batch_size: int,
) -> dict[str, dict[str, RolloutResult]]:
    """Live `episodes` lifetimes per morphology and condition, their seeds keyed by `key`."""
    items = [
        Episodes(condition, morphology, start, min(start + batch_size, episodes))
        for morphology in morphologies
        for condition in conditions
        for start in range(0, episodes, batch_size)
    ]
    parts = executor.map(rollout_episodes, Conditions(values, key), items)
    result: dict[str, dict[str, RolloutResult]] = {morphology: {} for morphology in morphologies}
    for morphology in morphologies:
        for condition in conditions:
            mine = [
                part
                for item, part in zip(items, parts, strict=True)
                if (item.morphology, item.condition) == (morphology, condition)
            ]
            result[morphology][condition] = RolloutResult.join(mine)
    return result


def rollout_episodes(worker: Worker, shared: Conditions, item: Episodes) -> RolloutResult:
    """Live a few episodes of one condition on one morphology."""
    seeds = [lifetime_seed(*shared.key, episode) for episode in range(item.start, item.stop)]
    genomes, genome_of = shared.values[None, :], [0] * len(seeds)
    if item.condition in ("shuffled", "random"):
        variant = shuffled_genome if item.condition == "shuffled" else random_genome
        genomes = np.stack([variant(worker.task, shared.values, seed) for seed in seeds])
        genome_of = list(range(len(seeds)))
    return worker.rollout(
        genomes,
        genome_of,
        seeds,
        [item.morphology] * len(seeds),
        early_stop=False,
        plastic=item.condition != "off",
    )


def shuffled_genome(task: Task, values: FloatArray, seed: int) -> FloatArray:
    """Permute each named array of a genome, layer by layer; another permutation for each seed."""
    generator = stream(seed, Stream.SHUFFLED_GENOME)
    shuffled = values.copy()
    for entry in task.layout.entries:
        generator.shuffle(shuffled[entry.offset : entry.offset + entry.size])
    return shuffled


def random_genome(task: Task, values: FloatArray, seed: int) -> FloatArray:
    """Draw a genome from the initial distributions; another one for each seed."""
    return task.first_genome(stream(seed, Stream.RANDOM_GENOME))


def checked_bodies(task: Task, morphologies: Sequence[str] | None) -> tuple[str, ...]:
    """Return bodies that the task's environment knows; by default the task's own.

    Raises:
        InputError: an unknown one, or an environment with one body only.
    """
    if not morphologies:
        return task.env.morphology_names
    return task.env.with_morphologies(morphologies).morphology_names
