"""Fresh lifetimes of a genome in pieces of work, which any worker computes with the same result.

A lifetime's seed follows from a key and the number of the episode: it is the same under every condition and on every
morphology.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.controls import CONDITIONS
from hebbevo.rollouts.observations import ObservationStatistics
from hebbevo.rollouts.result import RolloutResult
from hebbevo.search import Executor
from hebbevo.seeding import SeedPurpose
from hebbevo.seeding.batches import lifetime_seeds
from hebbevo.tasks.worker import Worker

FloatArray = npt.NDArray[np.float32]
SeedKey = tuple[int, SeedPurpose] | tuple[int, SeedPurpose, int]
"""What lifetime seeds are derived from, together with the number of the episode; see `lifetime_seed`."""
AnyCondition = TypeVar("AnyCondition")


@dataclass(frozen=True)
class Subject:
    """The genome that all pieces of work are about.

    Attributes:
        values: float32 ``(size,)``.
        key: of the lifetime seeds.
        observations: statistics that observations are normalised by; None are those of the task.
    """

    values: FloatArray
    key: SeedKey
    observations: ObservationStatistics | None = None

    def seeds(self, episodes: range) -> list[int]:
        """Return the lifetime seeds of some episodes."""
        seed, purpose, *counters = self.key
        rows = np.array([(*counters, episode) for episode in episodes], np.int64)
        return lifetime_seeds(seed, purpose, rows.reshape(len(episodes), len(counters) + 1))


@dataclass(frozen=True)
class Condition:
    """A name of `CONDITIONS`, and the morphology that its lifetimes start with."""

    name: str
    morphology: str


@dataclass(frozen=True)
class Episodes(Generic[AnyCondition]):
    """One piece of work: some episodes under a condition."""

    condition: AnyCondition
    numbers: range


def in_batches(condition: AnyCondition, episodes: int, batch_size: int) -> list[Episodes[AnyCondition]]:
    """Cut the episodes of a condition into pieces of work."""
    return [
        Episodes(condition, range(start, min(start + batch_size, episodes)))
        for start in range(0, episodes, batch_size)
    ]


def rollout_episodes(worker: Worker, subject: Subject, item: Episodes[Condition]) -> RolloutResult:
    """Run the lifetimes of one piece of work: full length, no early stop."""
    seeds = subject.seeds(item.numbers)
    control = CONDITIONS[item.condition.name]
    genomes, genome_of = control.genomes(worker.task, subject.values, seeds)
    return worker.rollout(
        genomes,
        genome_of,
        seeds,
        [item.condition.morphology] * len(seeds),
        early_stop=False,
        plastic=control.plastic,
        observations=subject.observations,
    )


def evaluate_conditions(
    executor: Executor[Worker],
    subject: Subject,
    morphologies: Sequence[str],
    conditions: Sequence[str],
    episodes: int,
    batch_size: int,
) -> dict[str, dict[str, RolloutResult]]:
    """Return the results of `episodes` lifetimes per morphology and condition."""
    items = [
        item
        for morphology in morphologies
        for name in conditions
        for item in in_batches(Condition(name, morphology), episodes, batch_size)
    ]
    parts: dict[Condition, list[RolloutResult]] = {}
    for item, part in zip(items, executor.map(rollout_episodes, subject, items), strict=True):
        parts.setdefault(item.condition, []).append(part)
    return {
        morphology: {name: RolloutResult.join(parts[Condition(name, morphology)]) for name in conditions}
        for morphology in morphologies
    }
