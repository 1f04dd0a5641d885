"""The fitness of a generation: whose seeds are shared, and the same numbers however the work is spread."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from tasks import cart_pole_task, quadruped_task

from hebbevo.evaluation.fitness import (
    Fitness,
    Generation,
    Individuals,
    evaluate_generation,
    evaluate_individuals,
)
from hebbevo.evaluation.generation_plan import GenerationPlan
from hebbevo.execution.threads import InProcess
from hebbevo.rollouts.result import RolloutResult
from hebbevo.search import MatrixProposals, OpenAIESConfig, Proposals
from hebbevo.seeding import SeedPurpose, lifetime_seed
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker, Worker

BODIES = ("intact", "right_front_damaged")


class SeedCollector:
    """Stands in for a worker: it keeps the lifetimes that it is asked for."""

    batch_size = 4

    def __init__(self) -> None:
        self.asked: list[tuple[int, str, float]] = []  # seed, morphology, first number of the genome

    def rollout(
        self, genomes, genome_of, seeds, morphologies, *, early_stop, observations=None
    ) -> RolloutResult:
        assert early_stop
        assert len(seeds) <= self.batch_size
        firsts = [float(genomes[row, 0]) for row in genome_of]
        self.asked += zip(seeds, morphologies, firsts, strict=True)
        count = len(seeds)
        return RolloutResult(np.array(firsts), np.ones(count, np.int64), np.zeros(count, np.bool_))


def seeds_of(
    mode: str, number: int = 0, population: int = 8, run_seed: int = 5, lifetimes: int = 1
) -> np.ndarray:
    """Return the lifetime seeds of a generation, ``(population, bodies)``, or with `lifetimes` between."""
    collector = SeedCollector()
    group = {"individual": 1, "pair": 2, "generation": 2**62}[mode]
    matrix = np.arange(population, dtype=np.float32)[:, None]
    generation = Generation(MatrixProposals(matrix), run_seed, number, BODIES, group, lifetimes=lifetimes)
    for start in range(0, population, 3):
        evaluate_individuals(collector, generation, Individuals(start, min(start + 3, population)))
    assert [(body, first) for _, body, first in collector.asked] == [
        (body, float(individual))
        for individual in range(population)
        for _ in range(lifetimes)
        for body in BODIES
    ]
    shape = (population, *([lifetimes] * (lifetimes > 1)), len(BODIES))
    return np.array([seed for seed, _, _ in collector.asked]).reshape(shape)


def test_every_individual_has_seeds_of_its_own() -> None:
    seeds = seeds_of("individual")
    assert len(np.unique(seeds)) == seeds.size
    assert not np.isin(seeds_of("individual", number=1), seeds).any()
    assert not np.isin(seeds_of("individual", run_seed=6), seeds).any()
    assert (seeds >= 0).all()


def test_a_mirrored_pair_may_share_its_seeds() -> None:
    seeds = seeds_of("pair")
    np.testing.assert_array_equal(seeds[0::2], seeds[1::2])
    assert len(np.unique(seeds)) == seeds.size / 2
    assert not np.isin(seeds_of("pair", number=1), seeds).any()


def test_a_generation_may_share_its_seeds() -> None:
    seeds = seeds_of("generation")
    assert (seeds == seeds[0]).all()
    assert len(np.unique(seeds)) == 2
    assert not np.isin(seeds_of("generation", number=1), seeds).any()


@pytest.mark.parametrize("mode", ["individual", "pair", "generation"])
def test_further_lifetimes_have_seeds_of_their_own_beside_those_of_the_first(mode: str) -> None:
    seeds, alone = seeds_of(mode, lifetimes=3), seeds_of(mode)
    np.testing.assert_array_equal(seeds[:, 0], alone)
    assert len(np.unique(seeds)) == 3 * len(np.unique(alone))
    assert not np.isin(seeds_of(mode, number=1, lifetimes=3), seeds).any()


def test_lifetime_seeds_are_uniform_and_never_meet() -> None:
    keys = [(seed, word, a, b) for seed in (0, 1) for word in (1, 2) for a in range(20) for b in range(20)]
    keys += [
        (seed, SeedPurpose.TRAINING, a, b, 0) for seed in (0, 1) for a in range(1, 20) for b in range(20)
    ]
    seeds = np.array([lifetime_seed(*key) for key in keys])
    assert len(np.unique(seeds)) == len(keys)
    assert (seeds >= 0).all()
    assert abs(seeds.astype(float).mean() / 2**63 - 0.5) < 0.03


@contextmanager
def executing(task: Task, batch_size: int, threads: int) -> Iterator[InProcess[Worker]]:
    executor = InProcess(lambda: CpuWorker(task, batch_size), threads)
    yield executor
    executor.close()


def fitness_of(
    task: Task, proposals: Proposals, batch_size: int, threads: int = 1, lifetimes: int = 1
) -> Fitness:
    with executing(task, batch_size, threads) as executor:
        return evaluate_generation(
            executor,
            proposals,
            run_seed=3,
            number=4,
            morphologies=task.env.morphology_names,
            lifetime_seeds="individual",
            batch_size=batch_size,
            lifetimes=lifetimes,
        )


def same(a: Fitness, b: Fitness) -> None:
    np.testing.assert_array_equal(a.per_lifetime, b.per_lifetime)
    np.testing.assert_array_equal(a.mean, b.mean)
    np.testing.assert_array_equal(a.mean_square, b.mean_square)
    np.testing.assert_array_equal(a.diverged, b.diverged)
    assert a.steps == b.steps


@pytest.fixture(scope="module", params=["quadruped", "CartPole"])
def task(request: pytest.FixtureRequest) -> Task:
    return quadruped_task() if request.param == "quadruped" else cart_pole_task()


@pytest.fixture(scope="module")
def proposals(task: Task) -> Proposals:
    center = task.first_genome(np.random.default_rng(0))
    return OpenAIESConfig(population=10).build(center, 3).ask()


@pytest.fixture(scope="module")
def alone(task: Task, proposals: Proposals) -> Fitness:
    return fitness_of(task, proposals, 1)


@pytest.mark.parametrize(("batch_size", "threads"), [(1, 2), (3, 1), (3, 2), (8, 1), (8, 2), (64, 1)])
def test_a_generation_is_the_same_with_every_batch_size_and_thread(
    task: Task, proposals: Proposals, alone: Fitness, batch_size: int, threads: int
) -> None:
    same(fitness_of(task, proposals, batch_size, threads), alone)


def test_the_fitness_of_several_lifetimes_is_their_mean_however_they_are_spread(
    task: Task, proposals: Proposals, alone: Fitness
) -> None:
    three = fitness_of(task, proposals, 64, lifetimes=3)
    for batch_size, threads in ((1, 1), (4, 2), (7, 1)):
        same(fitness_of(task, proposals, batch_size, threads, lifetimes=3), three)
    bodies = len(task.env.morphology_names)
    assert three.per_lifetime.shape == three.diverged.shape == (10, 3, bodies)
    np.testing.assert_array_equal(three.per_lifetime[:, :1], alone.per_lifetime)
    assert len(np.unique(three.per_lifetime[0])) > bodies
    np.testing.assert_allclose(three.mean, three.per_lifetime.sum(axis=(1, 2)) / (3 * bodies))
    assert three.steps > alone.steps


@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize("order", ["C", "F"])
def test_proposals_by_matrix_and_by_key_agree(
    task: Task, proposals: Proposals, alone: Fitness, batch_size: int, order: str
) -> None:
    matrix = np.asarray(proposals.genomes(range(10)), order=order)
    same(fitness_of(task, MatrixProposals(matrix), batch_size), alone)


def test_fitness_has_one_number_an_individual_and_body(
    task: Task, proposals: Proposals, alone: Fitness
) -> None:
    bodies = len(task.env.morphology_names)
    assert alone.per_lifetime.shape == alone.diverged.shape == (10, 1, bodies)
    assert alone.per_morphology.shape == (10, bodies)
    np.testing.assert_allclose(alone.mean, alone.per_morphology.sum(axis=1) / bodies)
    genomes = proposals.genomes(range(10)).astype(float)
    np.testing.assert_allclose(alone.mean_square, (genomes**2).mean(axis=1))
    assert 0 < alone.steps <= 10 * bodies * task.env.steps


def test_diverged_individuals_are_marked(task: Task, proposals: Proposals, alone: Fitness) -> None:
    matrix = proposals.genomes(range(10)).copy()
    matrix[4] = np.float32(3e38)
    fitness = fitness_of(task, MatrixProposals(matrix), 8)
    assert fitness.diverged[4].all()
    assert fitness.diverged.sum() == len(task.env.morphology_names)
    assert np.isnan(fitness.mean[4])
    assert np.isfinite(fitness.mean_square).all()
    rest = [k for k in range(10) if k != 4]
    np.testing.assert_array_equal(fitness.per_morphology[rest], alone.per_morphology[rest])


def test_individuals_on_one_level_share_the_lower_half_of_their_seeds():
    collector = SeedCollector()
    generation = Generation(
        MatrixProposals(np.zeros((4, 1), np.float32)), 3, 5, BODIES[:1], 1, one_level=True
    )
    evaluate_individuals(collector, generation, Individuals(0, 4))
    seeds = [seed for seed, _, _ in collector.asked]
    assert len({seed % 2**32 for seed in seeds}) == 1
    assert len({seed >> 32 for seed in seeds}) == 4
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_the_first_groups_have_the_levels_that_are_replayed():
    def seeds_with(*replayed: int) -> np.ndarray:
        collector = SeedCollector()
        matrix = np.zeros((6, 1), np.float32)
        plan = GenerationPlan({(group, 0): level for group, level in enumerate(replayed)})
        generation = Generation(MatrixProposals(matrix), 3, 5, BODIES[:1], 2, plan=plan)
        for start in range(0, 6, 3):  # also where a piece of work begins within a pair
            evaluate_individuals(collector, generation, Individuals(start, start + 3))
        return np.array([seed for seed, _, _ in collector.asked])

    seeds, own = seeds_with(7, 2**32 - 1), seeds_with()
    np.testing.assert_array_equal(seeds % 2**32, [7, 7, 2**32 - 1, 2**32 - 1, *(own[4:] % 2**32)])
    np.testing.assert_array_equal(seeds >> 32, own >> 32)
