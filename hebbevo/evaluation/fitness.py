"""The fitness of a generation: individuals times morphologies, dealt to workers in blocks.

A block's result is a pure function of its key (proposals, run seed, generation, individuals), so any worker may
compute it, again if need be, with the same bits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hebbevo.execution.spans import even_spans, guided_spans
from hebbevo.rollouts.result import WORST_FITNESS
from hebbevo.search import Executor, MatrixProposals, Proposals
from hebbevo.seeding import SeedPurpose, level_seed, lifetime_seed, on_level
from hebbevo.tasks.worker import Worker

FloatArray = npt.NDArray[np.float32]

GROUP_SIZE = {"individual": 1, "pair": 2, "generation": 2**62, "track": 1}
"""How many individuals in a row share lifetime seeds (`training.lifetime_seeds`); `track` shares their lower half.

Each morphology has seeds of its own: it is individuals that common random numbers compare, on one body at a time,
while the mean over bodies is the less noisy for draws that are independent.
"""


@dataclass(frozen=True)
class Generation:
    """What all blocks of a generation share."""

    proposals: Proposals | None
    run_seed: int
    number: int
    morphologies: tuple[str, ...]
    seed_group: int
    one_track: bool = False
    replayed: tuple[int, ...] = ()


@dataclass(frozen=True)
class Individuals:
    """One piece of work; `genomes` where they cannot be made from the key."""

    start: int
    stop: int
    genomes: FloatArray | None = None


@dataclass(frozen=True)
class Fitness:
    """Fitness of individuals, in their order.

    Attributes:
        per_morphology: float64 ``(individuals, morphologies)``.
        mean_square: mean of the squared genome, float64 ``(individuals,)``.
        diverged: bool ``(individuals, morphologies)``.
        steps: agent-steps lived, all together.
    """

    per_morphology: npt.NDArray[np.float64]
    mean_square: npt.NDArray[np.float64]
    diverged: npt.NDArray[np.bool_]
    steps: int

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Fitness of each individual: the mean over morphologies."""
        return np.asarray(self.per_morphology.mean(axis=1))

    def penalised(self, penalty: float) -> npt.NDArray[np.float64]:
        """Return what the searcher sees: less penalty * mean(genome^2); who always diverged is worst, all alike."""
        return np.where(self.diverged.all(axis=1), WORST_FITNESS, self.mean - penalty * self.mean_square)


def evaluate_generation(
    executor: Executor[Worker],
    proposals: Proposals,
    *,
    run_seed: int,
    number: int,
    morphologies: Sequence[str],
    lifetime_seeds: str,
    batch_size: int,
    even: bool = False,
    replayed: Sequence[int] = (),
) -> Fitness:
    """Live one lifetime per individual and morphology, and return the fitness of the whole population.

    Args:
        executor: who lives them.
        proposals: the population.
        run_seed: of the run.
        number: of the generation.
        morphologies: bodies that each individual lives on.
        lifetime_seeds: who shares lifetime seeds, of `GROUP_SIZE`.
        block: lifetimes in a piece of work.
        even: deal each worker one share, as large as the others': for devices.
        replayed: tracks, ints in [0, 2**32), that the first individuals or pairs drive in place of new ones.
    """
    width = max(1, batch_size // len(morphologies))
    cut = even_spans if even else guided_spans
    spans = cut(proposals.population, width, executor.workers)
    shipped = isinstance(proposals, MatrixProposals)
    items = [Individuals(a, b, proposals.genomes(range(a, b)) if shipped else None) for a, b in spans]
    shared = Generation(
        None if shipped else proposals,
        run_seed,
        number,
        tuple(morphologies),
        GROUP_SIZE[lifetime_seeds],
        lifetime_seeds == "track",
        tuple(replayed),
    )
    parts = executor.map(evaluate_individuals, shared, items)
    return Fitness(
        np.concatenate([part.per_morphology for part in parts]),
        np.concatenate([part.mean_square for part in parts]),
        np.concatenate([part.diverged for part in parts]),
        sum(part.steps for part in parts),
    )


def evaluate_individuals(worker: Worker, generation: Generation, item: Individuals) -> Fitness:
    """Live the lifetimes of a few individuals on every morphology."""
    indices = range(item.start, item.stop)
    if item.genomes is not None:
        genomes = item.genomes
    else:
        assert generation.proposals is not None
        genomes = generation.proposals.genomes(indices)
    genomes = np.ascontiguousarray(genomes)  # the order of the additions in its mean square
    keys = [(row, body) for row in range(len(indices)) for body in range(len(generation.morphologies))]
    fitness, diverged, steps = np.zeros(len(keys)), np.zeros(len(keys), np.bool_), 0
    for start in range(
        0, len(keys), worker.batch_size
    ):  # one pass, unless a single individual overfills the block
        part = keys[start : start + worker.batch_size]
        rows = sorted({row for row, _ in part})
        lifetimes = worker.rollout(
            genomes[rows[0] : rows[-1] + 1],
            [row - rows[0] for row, _ in part],
            [_training_seed(generation, indices[row], body) for row, body in part],
            [generation.morphologies[body] for _, body in part],
            early_stop=True,
        )
        fitness[start : start + len(part)] = lifetimes.fitness
        diverged[start : start + len(part)] = lifetimes.diverged
        steps += int(lifetimes.steps.sum())
    shape = (len(indices), len(generation.morphologies))
    mean_square = np.square(genomes, dtype=np.float64).mean(axis=1)
    return Fitness(fitness.reshape(shape), mean_square, diverged.reshape(shape), steps)


def _training_seed(generation: Generation, individual: int, morphology: int) -> int:
    group = individual // generation.seed_group
    own = training_seed(generation.run_seed, generation.number, group, morphology)
    if generation.one_track:
        shared = training_seed(generation.run_seed, generation.number, 0, morphology)
        return on_level(own, level_seed(shared))
    return on_level(own, generation.replayed[group]) if group < len(generation.replayed) else own


def training_seed(run_seed: int, number: int, group: int, morphology: int = 0) -> int:
    """Return the lifetime seed that a group of individuals shares on a morphology, unless its track is another's."""
    return lifetime_seed(run_seed, SeedPurpose.TRAINING, number, group, morphology)
