"""The fitness of a generation: individuals times lifetimes times morphologies, spread over workers in pieces of work.

The result of a piece is a pure function of its key (proposals, run seed, generation, individuals), so any worker may
compute it, again if need be, with the same bits.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.divergence import mean_of_rest, ranked_last
from hebbevo.evaluation.generation_plan import PLAIN, GenerationPlan
from hebbevo.execution.spans import even_spans, guided_spans
from hebbevo.rollouts.observations import ObservationMoments
from hebbevo.rollouts.result import RolloutResult
from hebbevo.search import Executor, MatrixProposals, Proposals
from hebbevo.seeding import SeedPurpose, level_seed, on_level
from hebbevo.seeding.batches import lifetime_seeds
from hebbevo.tasks.worker import Worker

FloatArray = npt.NDArray[np.float32]

GROUP_SIZE = {"individual": 1, "pair": 2, "generation": 2**62, "level": 1}
"""How many individuals in a row share lifetime seeds (`training.lifetime_seeds`).

With `level` all individuals share a level, the lower half of their seeds, and nothing else. Each morphology has seeds
of its own: it is individuals that common random numbers compare, on one body at a time, while the mean over bodies is
the less noisy for draws that are independent.
"""


@dataclass(frozen=True)
class Generation:
    """What all pieces of work of a generation share.

    Attributes:
        proposals: the population; None where each piece brings its genomes.
        run_seed: of the run.
        number: of the generation, from 0.
        morphologies: bodies that each individual is evaluated on.
        seed_group: individuals in a row that share lifetime seeds.
        one_level: all individuals share a level.
        plan: what the run sends out with it.
        lifetimes: of each individual on each morphology.
    """

    proposals: Proposals | None
    run_seed: int
    number: int
    morphologies: tuple[str, ...]
    seed_group: int
    one_level: bool = False
    plan: GenerationPlan = PLAIN
    lifetimes: int = 1

    def lifetime_seeds(self, lifetimes: Sequence[tuple[int, int, int]]) -> list[int]:
        """Return the seeds of lifetimes, each an individual, which of its lifetimes, and a morphology, by number."""
        keys = [(individual // self.seed_group, lifetime, body) for individual, lifetime, body in lifetimes]
        seeds = training_seeds(self.run_seed, self.number, keys)
        if self.one_level:
            shared = training_seeds(
                self.run_seed, self.number, [(0, lifetime, body) for _, lifetime, body in keys]
            )
            levels: Iterable[int | None] = map(level_seed, shared)
        else:
            levels = (self.plan.replayed.get((group, lifetime)) for group, lifetime, _ in keys)
        pairs = zip(seeds, levels, strict=True)
        return [seed if level is None else on_level(seed, level) for seed, level in pairs]


@dataclass(frozen=True)
class Individuals:
    """One piece of work: individuals `start` to `stop`, with `genomes` where they cannot be made from the key."""

    start: int
    stop: int
    genomes: FloatArray | None = None


QUANTILE: Final = {"minimum": 0.0, "lower_quartile": 0.25}
"""Of the bodies, that an individual is judged by, where it is not by their mean."""


@dataclass(frozen=True)
class Fitness:
    """Fitness of individuals, in their order.

    Attributes:
        per_lifetime: float64 ``(individuals, lifetimes, morphologies)``.
        mean_square: mean of the squared genome, float64 ``(individuals,)``.
        diverged: bool ``(individuals, lifetimes, morphologies)``.
        steps: agent-steps of all lifetimes together.
        moments: of the observations of every lifetime, in the order of `per_lifetime`; None where not normalised.
        over_bodies: how the fitness follows from that on each body: ``mean``, or a key of `QUANTILE`.
    """

    per_lifetime: npt.NDArray[np.float64]
    mean_square: npt.NDArray[np.float64]
    diverged: npt.NDArray[np.bool_]
    steps: int
    moments: ObservationMoments | None = None
    over_bodies: str = "mean"

    @classmethod
    def join(cls, parts: Sequence[Fitness], over_bodies: str = "mean") -> Fitness:
        """Return the individuals of all parts, one after another."""
        return cls(
            np.concatenate([part.per_lifetime for part in parts]),
            np.concatenate([part.mean_square for part in parts]),
            np.concatenate([part.diverged for part in parts]),
            sum(part.steps for part in parts),
            ObservationMoments.join(part.moments for part in parts),
            over_bodies,
        )

    @property
    def per_morphology(self) -> npt.NDArray[np.float64]:
        """The mean over lifetimes that did not diverge, ``(individuals, morphologies)``; NaN where none is left."""
        return mean_of_rest(self.per_lifetime, self.diverged, axis=1)

    @property
    def mean(self) -> npt.NDArray[np.float64]:
        """Fitness of each individual: `over_bodies` of `per_morphology`, NaN where all of its lifetimes diverged."""
        if self.over_bodies == "mean":
            return mean_of_rest(self.per_morphology, np.all(self.diverged, axis=1), axis=1)
        gone = np.all(self.diverged, axis=(1, 2))
        values = np.where(gone[:, None], 0.0, self.per_morphology)
        return np.where(gone, np.nan, np.nanquantile(values, QUANTILE[self.over_bodies], axis=1))

    def penalised(self, penalty: float) -> npt.NDArray[np.float64]:
        """Return the fitness that a searcher sees: the mean less penalty * mean(genome^2), ``(individuals,)``.

        Individuals with diverged lifetimes come after all others; see `ranked_last`.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            values = self.mean - penalty * self.mean_square
        return ranked_last(values, self.diverged.sum(axis=(1, 2)))


def evaluate_generation(
    executor: Executor[Worker],
    proposals: Proposals,
    *,
    run_seed: int,
    number: int,
    morphologies: Sequence[str],
    lifetime_seeds: str,
    batch_size: int,
    lifetimes: int = 1,
    over_bodies: str = "mean",
    even: bool = False,
    plan: GenerationPlan = PLAIN,
) -> Fitness:
    """Return the fitness of a population: the mean of one or more lifetimes per individual and morphology.

    Args:
        executor: whose workers run the lifetimes.
        proposals: the population.
        run_seed: of the run.
        number: of the generation.
        morphologies: bodies that each individual is evaluated on.
        lifetime_seeds: which individuals share lifetime seeds, a key of `GROUP_SIZE`.
        batch_size: lifetimes in a piece of work.
        lifetimes: of each individual on each morphology.
        over_bodies: what of the bodies counts, ``mean`` or a key of `QUANTILE`.
        even: give each worker one share, as large as the others': for devices.
        plan: what the run sends out with the generation.
    """
    width = max(1, batch_size // (lifetimes * len(morphologies)))
    spans = (even_spans if even else guided_spans)(proposals.population, width, executor.workers)
    as_matrix = isinstance(proposals, MatrixProposals)
    items = [Individuals(a, b, proposals.genomes(range(a, b)) if as_matrix else None) for a, b in spans]
    generation = Generation(
        None if as_matrix else proposals,
        run_seed,
        number,
        tuple(morphologies),
        GROUP_SIZE[lifetime_seeds],
        one_level=lifetime_seeds == "level",
        plan=plan,
        lifetimes=lifetimes,
    )
    return Fitness.join(executor.map(evaluate_individuals, generation, items), over_bodies)


def evaluate_individuals(worker: Worker, generation: Generation, item: Individuals) -> Fitness:
    """Return the fitness of a few individuals: each lifetime on every morphology."""
    individuals, morphologies = range(item.start, item.stop), generation.morphologies
    genomes = np.ascontiguousarray(
        _genomes(generation, item)
    )  # the order of the additions in its mean square
    shape = len(individuals), generation.lifetimes, len(morphologies)
    lifetimes = list(np.ndindex(shape))
    parts = []
    for start in range(0, len(lifetimes), worker.batch_size):  # one pass, unless one individual is too many
        batch = lifetimes[start : start + worker.batch_size]
        first, last = batch[0][0], batch[-1][0]
        parts.append(
            worker.rollout(
                genomes[first : last + 1],
                [row - first for row, _, _ in batch],
                generation.lifetime_seeds([(individuals[row], number, body) for row, number, body in batch]),
                [morphologies[body] for _, _, body in batch],
                early_stop=True,
                observations=generation.plan.observations,
            )
        )
    result = RolloutResult.join(parts)
    mean_square = np.square(genomes, dtype=np.float64).mean(axis=1)
    return Fitness(
        result.fitness.reshape(shape),
        mean_square,
        result.diverged.reshape(shape),
        int(result.steps.sum()),
        result.moments,
    )


def _genomes(generation: Generation, item: Individuals) -> FloatArray:
    """Return the genomes of a piece of work, ``(individuals, size)``."""
    if item.genomes is not None:
        return item.genomes
    assert generation.proposals is not None
    return generation.proposals.genomes(range(item.start, item.stop))


def training_seeds(run_seed: int, number: int, lifetimes: Sequence[tuple[int, int, int]]) -> list[int]:
    """Return the lifetime seeds of a generation, but for levels that are set.

    Args:
        run_seed: of the run.
        number: of the generation.
        lifetimes: group of individuals that shares the seed, which of its lifetimes, and the morphology, by number.
    """
    group, lifetime, body = np.array(lifetimes, np.int64).reshape(-1, 3).T
    keys = np.stack([np.full_like(group, number), group, body, lifetime], axis=1)
    seeds = np.empty(len(keys), np.int64)
    for chosen, counters in (
        (lifetime == 0, 3),
        (lifetime > 0, 4),
    ):  # the first one's key is older than further ones
        seeds[chosen] = lifetime_seeds(run_seed, SeedPurpose.TRAINING, keys[chosen, :counters])
    found: list[int] = seeds.tolist()
    return found
