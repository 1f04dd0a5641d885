"""OpenAI-ES against a plain NumPy reference written from the paper, exactly; and laws of its state."""

from contextlib import closing
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pydantic import ValidationError

from hebbevo.errors import SearchError, SearchFailure
from hebbevo.execution.threads import InProcess
from hebbevo.search import MatrixProposals, OpenAIES, OpenAIESConfig
from hebbevo.search.noise import SEGMENT, perturbation
from hebbevo.search.openai_es import spans

Vector = NDArray[np.float64]


def config(**settings: Any) -> OpenAIESConfig:
    return OpenAIESConfig(**{"population": 40, **settings})


def center(dimension: int = 50) -> NDArray[np.float32]:
    return np.random.default_rng(8).standard_normal(dimension, dtype=np.float32)


def landscape(genomes: NDArray[np.float32]) -> Vector:
    """Fitness with ties in it."""
    return np.asarray(np.round(-np.sum(genomes.astype(np.float64) ** 2, axis=1), 0))


def average_ranks(fitness: Vector) -> Vector:
    """Ranks from 0, ties averaged: the number below plus half of the others that are equal."""
    below = (fitness[None, :] < fitness[:, None]).sum(axis=1)
    equal = (fitness[None, :] == fitness[:, None]).sum(axis=1) - 1
    return np.asarray(below + equal / 2)


class Reference:
    """The update of the paper in float64, loops written out; ours must agree to the last bit."""

    def __init__(self, settings: OpenAIESConfig, start: NDArray[np.float32], seed: int) -> None:
        self.settings, self.theta, self.seed = settings, start.copy(), seed
        self.sigma, self.learning_rate, self.generation = settings.sigma, settings.learning_rate, 0
        self.m, self.v, self.t = np.zeros(len(start)), np.zeros(len(start)), 0

    def genomes(self) -> NDArray[np.float32]:
        rows = []
        for individual in range(self.settings.population):
            eps = perturbation(self.seed, self.generation, individual // 2, len(self.theta))
            sign = np.float32(-1.0 if individual % 2 else 1.0)
            rows.append(self.theta + sign * (np.float32(self.sigma) * eps))
        return np.array(rows)

    def update(self, fitness: Vector) -> None:
        s, n = self.settings, self.settings.population
        ranks = average_ranks(fitness) / (n - 1) - 0.5
        if fitness.min() != fitness.max():
            self.theta = (self.theta.astype(np.float64) + self.step(ranks / np.std(ranks))).astype(np.float32)
        if self.sigma > s.sigma_floor:
            self.sigma *= s.sigma_decay
        if self.learning_rate > s.learning_rate_floor:
            self.learning_rate *= s.learning_rate_decay
        self.generation += 1

    def step(self, ranks: Vector) -> Vector:
        s, n = self.settings, self.settings.population
        total = np.zeros(len(self.theta))
        for pair in range(n // 2):
            eps = perturbation(self.seed, self.generation, pair, len(self.theta)).astype(np.float64)
            total = total + eps * (ranks[2 * pair] - ranks[2 * pair + 1])
        gradient = total / (n * self.sigma)
        if s.optimizer == "sgd":
            return self.learning_rate * gradient
        self.t += 1
        self.m = s.beta1 * self.m + (1 - s.beta1) * gradient
        self.v = s.beta2 * self.v + (1 - s.beta2) * gradient**2
        m_hat, v_hat = self.m / (1 - s.beta1**self.t), self.v / (1 - s.beta2**self.t)
        return self.learning_rate * m_hat / (np.sqrt(v_hat) + s.epsilon)


def generation(searcher: OpenAIES, executor: InProcess[None], tied: bool = False) -> None:
    proposals = searcher.ask()
    fitness = landscape(proposals.genomes(range(searcher.population)))
    searcher.tell(proposals, np.zeros_like(fitness) if tied else fitness, executor)


@pytest.fixture(name="executor")
def _executor() -> Any:
    executor = InProcess(lambda: None, threads=1)
    yield executor
    executor.close()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(("population", "dimension"), [(2, 50), (40, 50), (66, 50), (10, 3 * SEGMENT + 7)])
def test_update_equals_the_reference_exactly(
    optimizer: str, population: int, dimension: int, executor: Any
) -> None:
    settings, start = (
        config(optimizer=optimizer, population=population, sigma_floor=0.0998),
        center(dimension),
    )
    ours, reference = OpenAIES(settings, start, 11), Reference(settings, start, 11)
    for number in range(6):
        proposals, genomes = ours.ask(), reference.genomes()
        np.testing.assert_array_equal(proposals.genomes(range(population)), genomes)
        fitness = np.zeros(population) if number == 3 else landscape(genomes)
        ours.tell(proposals, fitness, executor)
        reference.update(fitness)
        np.testing.assert_array_equal(ours.center, reference.theta)
        assert ours.diagnostics() == {"sigma": reference.sigma, "learning_rate": reference.learning_rate}
    assert ours.generation == 6
    assert ours.center.dtype == np.float32


@pytest.mark.parametrize("dimension", [1, SEGMENT, SEGMENT + 1, 61_440, 458_002])
@pytest.mark.parametrize("workers", [1, 2, 3, 64, 500])
def test_spans_cover_every_coefficient_once_a_few_for_each_worker(dimension: int, workers: int) -> None:
    cut = spans(dimension, workers)
    assert [n for start, stop in cut for n in range(start, stop)] == list(range(dimension))
    assert all(start % SEGMENT == 0 for start, _ in cut)
    assert len(cut) <= 4 * workers


def test_the_sum_agrees_with_one_matrix_product(executor: Any) -> None:
    searcher = OpenAIES(config(population=500, learning_rate=1.0), center(), 4)
    proposals = searcher.ask()
    fitness = landscape(proposals.genomes(range(500)))
    eps = (proposals.genomes(range(500)).astype(np.float64) - center()) / 0.1
    ranks = average_ranks(fitness)
    weights = (ranks - ranks.mean()) / ranks.std()
    searcher.tell(proposals, fitness, executor)
    expected = center() + weights @ eps / (500 * 0.1)
    np.testing.assert_allclose(searcher.center, expected, rtol=0, atol=2e-5 * np.abs(expected).max())


def test_individuals_are_mirrored_and_independent_of_what_is_asked_beside_them() -> None:
    proposals = OpenAIES(config(), center(), 1).ask()
    everybody = proposals.genomes(range(40))
    np.testing.assert_allclose(everybody[0::2] + everybody[1::2], 2 * np.tile(center(), (20, 1)), atol=1e-6)
    order = np.random.default_rng(0).permutation(40).tolist()
    np.testing.assert_array_equal(proposals.genomes(order), everybody[order])
    np.testing.assert_array_equal(proposals.genomes([7]), everybody[7:8])
    assert proposals.genomes([]).shape == (0, 50)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_one_thread_and_four_give_the_same_bits(optimizer: str) -> None:
    centers = []
    for threads in (1, 4):
        executor = InProcess(lambda: None, threads=threads)
        searcher = OpenAIES(config(population=200, optimizer=optimizer), center(2 * SEGMENT + 100), 5)
        for _ in range(3):
            generation(searcher, executor)
        executor.close()
        centers.append(searcher.center)
    np.testing.assert_array_equal(centers[0], centers[1])


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_all_tied_moves_neither_center_nor_moments(optimizer: str, executor: Any) -> None:
    searcher = OpenAIES(config(optimizer=optimizer), center(), 2)
    generation(searcher, executor)
    before = searcher.state_dict()
    generation(searcher, executor, tied=True)
    after = searcher.state_dict()
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed == {"sigma", "learning_rate", "generation"}


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("at", [0, 1, 4])
def test_resume_from_any_generation_continues_bit_for_bit(optimizer: str, at: int, executor: Any) -> None:
    straight, stopped = (OpenAIES(config(optimizer=optimizer), center(), 9) for _ in range(2))
    for number in range(6):
        if number == at:
            state = {name: array.copy() for name, array in stopped.state_dict().items()}
            stopped = OpenAIES(config(optimizer=optimizer), np.zeros(50, np.float32), 9)
            stopped.load_state_dict(state)
        generation(straight, executor)
        generation(stopped, executor)
    for name, array in straight.state_dict().items():
        np.testing.assert_array_equal(array, stopped.state_dict()[name])
    assert all(isinstance(array, np.ndarray) for array in state.values())


def test_a_saved_state_does_not_change_with_the_run(executor: Any) -> None:
    searcher = OpenAIES(config(optimizer="adam"), center(), 9)
    generation(searcher, executor)
    state = searcher.state_dict()
    kept = {name: array.copy() for name, array in state.items()}
    generation(searcher, executor)
    for name, array in kept.items():
        np.testing.assert_array_equal(array, state[name])


def test_a_foreign_state_is_refused() -> None:
    state = OpenAIES(config(), center(), 1).state_dict()
    with pytest.raises(SearchError, match="missing"):
        OpenAIES(config(optimizer="adam"), center(), 1).load_state_dict(state)
    with pytest.raises(SearchError, match=r"center as float32\[50\], expected float32\[49\]"):
        OpenAIES(config(), center(49), 1).load_state_dict(state)
    with pytest.raises(SearchError, match="run seed 1, not 2"):
        OpenAIES(config(), center(), 2).load_state_dict(state)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_fitness_that_is_not_finite_is_refused(bad: float, executor: Any) -> None:
    searcher = OpenAIES(config(), center(), 1)
    fitness = np.arange(40.0)
    fitness[17] = bad
    with pytest.raises(SearchError, match="individual 17"):
        searcher.tell(searcher.ask(), fitness, executor)
    with pytest.raises(SearchError, match=r"shape \(40,\)"):
        searcher.tell(searcher.ask(), np.arange(39.0), executor)
    assert searcher.generation == 0


def test_only_the_current_proposals_are_accepted(executor: Any) -> None:
    searcher = OpenAIES(config(), center(), 1)
    old = searcher.ask()
    generation(searcher, executor)
    for proposals in (old, MatrixProposals(np.zeros((40, 50), np.float32))):
        with pytest.raises(SearchError, match="generation 1"):
            searcher.tell(proposals, np.arange(40.0), executor)


def test_odd_population_is_refused_with_the_remedy() -> None:
    message = "population must be even for mirrored sampling, got 7; use 8"
    with pytest.raises(ValidationError, match=message):
        config(population=7)


@pytest.mark.parametrize(
    "settings",
    [
        {"population": 0},
        {"population": -4},
        {"sigma": 0},
        {"sigma": float("nan")},
        {"sigma_decay": 1.1},
        {"sigma_floor": -1},
        {"learning_rate": float("inf")},
        {"learning_rate_decay": 0},
        {"optimizer": "lamb"},
        {"beta1": 1},
        {"epsilon": 0},
        {"generations": 5},
        {"penalty": 0.01},
        {"sgima": 0.1},
        {"algorithm": "snes"},
    ],
)
def test_settings_out_of_range_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        config(**settings)


def test_defaults_are_the_published_ones() -> None:
    d = config()
    assert (d.sigma, d.sigma_decay, d.sigma_floor) == (0.1, 0.999, 0.01)
    assert (d.learning_rate, d.learning_rate_decay, d.learning_rate_floor) == (0.2, 0.995, 0.001)
    assert (d.optimizer, d.default_penalty) == ("sgd", 0.01)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("sigma", [1e-35, 1e-300])
@pytest.mark.filterwarnings("error")
def test_a_center_that_overflows_ends_the_search(optimizer: str, sigma: float) -> None:
    settings = {"learning_rate": 1e6} if optimizer == "sgd" else {"learning_rate": 1e6, "epsilon": 1e-40}
    searcher = config(optimizer=optimizer, sigma=sigma, population=4, **settings).build(center(), 0)
    if optimizer == "adam":
        searcher._learning_rate = 1e40  # its steps are as long as this
    proposals = searcher.ask()
    executor = InProcess(lambda: None, threads=1)
    with closing(executor), pytest.raises(SearchFailure, match=r"generation 1: its center .* smaller value"):
        searcher.tell(proposals, np.arange(4.0), executor)
    assert np.isfinite(searcher.center).all()
    assert searcher.generation == 0


@pytest.mark.filterwarnings("error")
def test_genomes_that_overflow_are_made_in_silence() -> None:
    proposals = replace(config().build(center(), 0).ask(), sigma=1e300)
    assert not np.isfinite(proposals.genomes(range(2))).any()


@pytest.mark.parametrize("bad", [np.zeros((2, 2)), np.zeros(0), np.array([0.0, np.nan])])
def test_a_first_center_that_is_no_finite_vector_is_refused(bad: Vector) -> None:
    with pytest.raises(SearchError, match="first center"):
        config().build(bad.astype(np.float32), 0)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_run_seed_out_of_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match="a seed must be"):
        config().build(center(), seed)
