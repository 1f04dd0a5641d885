"""Every registered searcher: one contract; and what a user's own searcher needs."""

import pickle
from typing import Any, Literal

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbevo.errors import SearchError
from hebbevo.execution.threads import InProcess
from hebbevo.search import (
    SEARCHERS,
    MatrixProposals,
    OpenAIESConfig,
    SearchConfig,
    Searcher,
    check_state,
    config_class,
)


def sphere(genomes: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(-np.sum(genomes.astype(np.float64) ** 2, axis=1))


def run(searcher: Searcher, generations: int) -> None:
    executor = InProcess(lambda: None, threads=1)
    for _ in range(generations):
        proposals = searcher.ask()
        searcher.tell(proposals, sphere(proposals.genomes(range(searcher.population))), executor)
    executor.close()


def make(name: str, seed: int = 3, dimension: int = 12, **settings: Any) -> Searcher:
    config = config_class(name)(algorithm=name, population=16, **settings)
    return config.build(np.ones(dimension, np.float32), seed)


@pytest.mark.parametrize("name", sorted(SEARCHERS))
class TestContract:
    def test_ask_is_repeatable_and_proposals_survive_pickling(self, name: str) -> None:
        searcher = make(name)
        run(searcher, 2)
        first = searcher.ask()
        everybody = first.genomes(range(16)).copy()
        assert everybody.dtype == np.float32
        assert (everybody.shape, first.population) == ((16, searcher.dimension), 16)
        np.testing.assert_array_equal(searcher.ask().genomes(range(16)), everybody)
        copy = pickle.loads(pickle.dumps(first))
        np.testing.assert_array_equal(copy.genomes([9, 2, 3]), everybody[[9, 2, 3]])
        assert len(np.unique(everybody, axis=0)) == 16

    @pytest.mark.parametrize("at", [0, 1, 2, 5])
    def test_resume_is_exact_at_any_generation(self, name: str, at: int) -> None:
        straight, stopped = make(name), make(name)
        run(stopped, at)
        stopped.ask()
        state = {key: np.array(value) for key, value in stopped.state_dict().items()}
        resumed = make(name)
        resumed.load_state_dict(state)
        run(straight, 9)
        run(resumed, 9 - at)
        assert resumed.generation == 9
        for key, value in straight.state_dict().items():
            np.testing.assert_array_equal(value, resumed.state_dict()[key], err_msg=key)
        assert straight.diagnostics() == resumed.diagnostics()
        assert {value.dtype.kind for value in state.values()} <= set("fiub")

    def test_the_seed_decides(self, name: str) -> None:
        one, same, other = make(name), make(name), make(name, seed=4)
        for searcher in (one, same, other):
            np.random.seed(searcher is same)  # noqa: NPY002  (global state must not matter)
            run(searcher, 2)
        np.testing.assert_array_equal(one.center, same.center)
        assert not np.array_equal(one.center, other.center)

    def test_it_climbs_and_reports(self, name: str) -> None:
        searcher = make(name, sigma=0.3)
        assert (searcher.dimension, searcher.population, searcher.generation) == (12, 16, 0)
        np.testing.assert_array_equal(searcher.center, np.ones(12, np.float32))
        run(searcher, 60)
        assert searcher.generation == 60
        assert searcher.center.dtype == np.float32
        assert np.sum(searcher.center**2) < 6
        assert all(np.isfinite(list(searcher.diagnostics().values())))

    def test_all_tied_stays_finite(self, name: str) -> None:
        searcher = make(name)
        executor = InProcess(lambda: None, threads=1)
        for _ in range(3):
            searcher.tell(searcher.ask(), np.zeros(16), executor)
        executor.close()
        assert np.isfinite(searcher.center).all()

    def test_nan_is_refused(self, name: str) -> None:
        searcher = make(name)
        executor = InProcess(lambda: None, threads=1)
        with pytest.raises(SearchError, match="individual 0"):
            searcher.tell(searcher.ask(), np.full(16, np.nan), executor)
        executor.close()


@pytest.mark.parametrize("name", SEARCHERS)
def test_one_coefficient_is_searched_or_refused_with_what_searches_it(name: str) -> None:
    config = config_class(name)(algorithm=name, population=16, sigma=0.5)
    if name == "cma_es":
        with pytest.raises(SearchError, match="two coefficients or more, got 1; use snes"):
            config.build(np.full(1, 3, np.float32), 0)
        return
    searcher = config.build(np.full(1, 3, np.float32), 0)
    run(searcher, 40)
    assert np.abs(searcher.center) < 2.5


@pytest.mark.parametrize(
    "settings",
    [
        {"learning_rate": 0.02, "sigma_decay": 0.985, "learning_rate_decay": 0.97},
        {"learning_rate": 0.05, "sigma_decay": 0.98, "learning_rate_decay": 0.98, "optimizer": "adam"},
    ],
)
def test_openai_es_reaches_1e_minus_6_on_the_sphere_in_20_dimensions(settings: dict[str, Any]) -> None:
    """With the published floors it stops near 2e-3; without them step size and sigma go on shrinking."""
    settings = {"sigma_floor": 0.0, "learning_rate_floor": 0.0, **settings}
    config = OpenAIESConfig(population=100, **settings)
    searcher = config.build(np.ones(20, np.float32), 0)
    run(searcher, 400)
    assert -sphere(searcher.center[None])[0] < 1e-6


def test_matrix_proposals_slice_without_copying() -> None:
    matrix = np.arange(12, dtype=np.float32).reshape(6, 2)
    proposals = MatrixProposals(matrix)
    assert np.shares_memory(proposals.genomes(range(2, 5)), matrix)
    np.testing.assert_array_equal(proposals.genomes([5, 0, 1]), matrix[[5, 0, 1]])
    assert proposals.genomes([]).shape == (0, 2)


def test_unknown_name_suggests_the_nearest() -> None:
    with pytest.raises(SearchError, match="did you mean openai_es"):
        config_class("openai-es")
    with pytest.raises(SearchError, match="known: "):
        config_class("zzzz")


class Hill(Searcher):
    """The searcher of the documentation (docs/searchers.md), typed."""

    def __init__(self, config: SearchConfig, center: NDArray[np.float32], run_seed: int) -> None:
        super().__init__(dimension=len(center), population=config.population)
        self.config, self.run_seed, self._center = config, run_seed, center

    @property
    def center(self) -> NDArray[np.float32]:
        return self._center

    def ask(self) -> MatrixProposals:
        random = np.random.default_rng((self.run_seed, self.generation))
        noise = random.standard_normal((self.population, self.dimension), np.float32)
        return MatrixProposals(self._center + np.float32(self.config.sigma) * noise)

    def tell(self, proposals: Any, fitness: NDArray[np.float64], executor: Any) -> None:
        best = int(np.argmax(self.check_fitness(fitness)))
        self._center = proposals.genomes([best])[0]
        self.generation += 1

    def state_dict(self) -> dict[str, NDArray[Any]]:
        return {"center": self._center, "generation": np.array(self.generation)}

    def load_state_dict(self, state: Any) -> None:
        check_state(state, self.state_dict(), "hill")
        self._center, self.generation = state["center"], int(state["generation"])


class HillConfig(SearchConfig):
    algorithm: Literal["hill"] = "hill"

    def build(self, center: NDArray[np.float32], run_seed: int) -> Hill:
        return Hill(self, center, run_seed)


def test_a_searcher_of_your_own_is_one_class(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SEARCHERS, "hill", HillConfig)
    contract = TestContract()
    contract.test_ask_is_repeatable_and_proposals_survive_pickling("hill")
    contract.test_resume_is_exact_at_any_generation("hill", 2)
    contract.test_it_climbs_and_reports("hill")
