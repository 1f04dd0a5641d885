"""The searchers from EvoTorch: against EvoTorch's own step(), pycma, known optima; exact resume; refusals."""

import sys
from collections.abc import Callable
from typing import Any

import evotorch
import numpy as np
import pytest
import torch
from evotorch import algorithms
from numpy.typing import NDArray

from hebbevo.errors import SearchError, SearchFailure
from hebbevo.execution.threads import InProcess
from hebbevo.search import (
    CEMConfig,
    CMAESConfig,
    OpenAIESConfig,
    PGPEConfig,
    SearchConfig,
    Searcher,
    SNESConfig,
    XNESConfig,
)
from hebbevo.search.evotorch_adapter import problem
from hebbevo.search.evotorch_searchers import CMAESSearcher
from hebbevo.training.collapse import CollapseGuard

Genomes = NDArray[Any]
Function = Callable[[Genomes], NDArray[np.float64]]


def sphere(x: Genomes) -> NDArray[np.float64]:
    return np.asarray(np.sum(x.astype(np.float64) ** 2, axis=-1))


def ellipsoid(x: Genomes) -> NDArray[np.float64]:
    """Axis-parallel, condition number 1000."""
    return np.asarray(np.sum(np.logspace(0, 3, x.shape[-1]) * x.astype(np.float64) ** 2, axis=-1))


def rosenbrock(x: Genomes) -> NDArray[np.float64]:
    x = x.astype(np.float64)
    head, tail = x[..., :-1], x[..., 1:]
    return np.asarray(np.sum(100 * (tail - head**2) ** 2 + (1 - head) ** 2, axis=-1))


def step(searcher: Searcher, function: Function) -> NDArray[np.float64]:
    """Live through one generation; return the values of the function that is minimised."""
    executor = InProcess(lambda: None, threads=1)
    proposals = searcher.ask()
    values = function(proposals.genomes(range(searcher.population)))
    searcher.tell(proposals, -values, executor)
    executor.close()
    return values


SEED = 5
NATIVE: dict[str, tuple[SearchConfig, Callable[[evotorch.Problem], Any], torch.dtype]] = {
    "snes": (
        SNESConfig(population=20, sigma=0.4),
        lambda p: algorithms.SNES(p, stdev_init=0.4, popsize=20, center_init=np.ones(6)),
        torch.float32,
    ),
    "pgpe": (
        PGPEConfig(population=20, sigma=0.4, learning_rate=0.1, sigma_learning_rate=0.2),
        lambda p: algorithms.PGPE(
            p,
            stdev_init=0.4,
            popsize=20,
            center_init=np.ones(6),
            center_learning_rate=0.1,
            stdev_learning_rate=0.2,
        ),
        torch.float32,
    ),
    "cem": (
        CEMConfig(population=20, sigma=0.4, sigma_floor=0.05),
        lambda p: algorithms.CEM(
            p, stdev_init=0.4, popsize=20, center_init=np.ones(6), parenthood_ratio=0.5, stdev_min=0.05
        ),
        torch.float32,
    ),
    "xnes": (
        XNESConfig(population=20, sigma=0.4),
        lambda p: algorithms.XNES(p, stdev_init=0.4, popsize=20, center_init=np.ones(6)),
        torch.float64,
    ),
    "cma_es diagonal": (
        CMAESConfig(population=20, sigma=0.4, covariance="diagonal"),
        lambda p: algorithms.CMAES(p, stdev_init=0.4, popsize=20, center_init=np.ones(6), separable=True),
        torch.float32,
    ),
    "cma_es full": (
        CMAESConfig(population=20, sigma=0.4, covariance="full"),
        lambda p: algorithms.CMAES(p, stdev_init=0.4, popsize=20, center_init=np.ones(6)),
        torch.float64,
    ),
}


@pytest.mark.parametrize("name", NATIVE)
def test_proposals_are_those_of_evotorch_stepping_by_itself(name: str) -> None:
    """Exactly; but to rounding where a product stands for EvoTorch's sum over (population, d, d)."""
    config, make, dtype = NATIVE[name]
    own = problem(6, lambda x: torch.from_numpy(-rosenbrock(x.to(torch.float32).numpy())), dtype)
    native = make(own)
    ours = config.build(np.ones(6, np.float32), SEED)
    for generation in range(25):
        key = np.random.SeedSequence((SEED, generation, 0x504F5055))
        own.manual_seed(int(key.generate_state(1)[0]))
        native.step()
        expected = native.population.values.to(torch.float32).numpy()
        proposed = ours.ask().genomes(range(20))
        if dtype is torch.float32:
            np.testing.assert_array_equal(proposed, expected)
        else:
            np.testing.assert_allclose(proposed, expected, rtol=0, atol=1e-6)
        step(ours, rosenbrock)


@pytest.mark.parametrize("config", [NATIVE["cma_es full"][0], NATIVE["xnes"][0]], ids=["cma_es", "xnes"])
@pytest.mark.parametrize("at", [1, 2, 9])
def test_matrices_resume_exactly_where_products_are_blocked(config: SearchConfig, at: int) -> None:
    """In 150 dimensions, through bytes, as a checkpoint does: other memory, other alignment."""
    straight, stopped = (config.build(np.ones(150, np.float32), SEED) for _ in range(2))
    for _ in range(at):
        step(stopped, ellipsoid)
    state = {
        name: np.frombuffer(array.tobytes(), array.dtype).reshape(array.shape)
        for name, array in stopped.state_dict().items()
    }
    resumed = config.build(np.zeros(150, np.float32), SEED)
    resumed.load_state_dict(state)
    for _ in range(12):
        step(straight, ellipsoid)
    for _ in range(12 - at):
        step(resumed, ellipsoid)
    for name, array in straight.state_dict().items():
        np.testing.assert_array_equal(array, resumed.state_dict()[name], err_msg=name)


@pytest.mark.parametrize("name", NATIVE)
def test_the_number_of_torch_threads_does_not_matter(name: str) -> None:
    threads, centers = torch.get_num_threads(), []
    for number in (1, 4):
        torch.set_num_threads(number)
        searcher = NATIVE[name][0].build(np.ones(300, np.float32), SEED)
        for _ in range(3):
            step(searcher, ellipsoid)
        centers.append(searcher.center)
        assert torch.get_num_threads() == number
    torch.set_num_threads(threads)
    np.testing.assert_array_equal(centers[0], centers[1])


@pytest.mark.parametrize("name", NATIVE)
def test_equal_fitness_leaves_the_distribution_alone(name: str) -> None:
    searcher = NATIVE[name][0].build(np.ones(6, np.float32), SEED)
    step(searcher, sphere)
    before, proposed = searcher.state_dict(), searcher.ask().genomes(range(20))
    step(searcher, lambda x: np.zeros(len(x)))
    after = searcher.state_dict()
    assert {key for key in before if not np.array_equal(before[key], after[key])} == {"generation"}
    assert not np.array_equal(proposed, searcher.ask().genomes(range(20)))


SPHERE = [
    (CMAESConfig(population=12, sigma=0.5), 250, "cma_es full"),
    (CMAESConfig(population=12, sigma=0.5, covariance="diagonal"), 200, "cma_es diagonal"),
    (SNESConfig(population=20, sigma=0.5), 300, "snes"),
    pytest.param(
        XNESConfig(population=40, sigma=0.5, sigma_learning_rate=2),
        1500,
        "xnes",
        marks=pytest.mark.slow,
    ),
]


@pytest.mark.parametrize(("config", "generations", "_name"), SPHERE)
def test_sphere_in_20_dimensions_to_1e_minus_6(config: SearchConfig, generations: int, _name: str) -> None:
    searcher = config.build(np.ones(20, np.float32), 0)
    for _ in range(generations):
        step(searcher, sphere)
    assert sphere(searcher.center) < 1e-6


# From the origin, where it is 19. Separable covariances and axis-wise steps creep along the valley.
ROSENBROCK = [
    (CMAESConfig(population=12, sigma=0.3), 1800, 1e-9),
    (CMAESConfig(population=12, sigma=0.3, covariance="diagonal"), 4000, 0.02),
    (XNESConfig(population=40, sigma=0.3), 2500, 1e-9),
    (SNESConfig(population=40, sigma=0.3), 1000, 15.0),
    (
        OpenAIESConfig(
            population=100,
            optimizer="adam",
            learning_rate=0.03,
            sigma_decay=0.998,
            learning_rate_decay=0.998,
            sigma_floor=0,
            learning_rate_floor=0,
        ),
        2000,
        1e-2,
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("config", "generations", "value"), ROSENBROCK, ids=lambda x: getattr(x, "algorithm", str(x))
)
def test_rosenbrock_in_20_dimensions_to_a_stated_value(
    config: SearchConfig, generations: int, value: float
) -> None:
    searcher = config.build(np.zeros(20, np.float32), 0)
    for _ in range(generations):
        step(searcher, rosenbrock)
    assert rosenbrock(searcher.center) < value


DIMENSION, SIZE, SEEDS = 10, 10, 20


def start(function: Function) -> NDArray[np.float64]:
    """All ones, which is Rosenbrock's optimum; there from the origin."""
    return np.zeros(DIMENSION) if function is rosenbrock else np.ones(DIMENSION)


def our_trajectory(function: Function, covariance: Any, seed: int, generations: int) -> Genomes:
    config = CMAESConfig(population=SIZE, sigma=0.5, covariance=covariance)
    searcher = config.build(start(function).astype(np.float32), seed)
    rows = [[step(searcher, function).min(), searcher.diagnostics()["sigma"]] for _ in range(generations)]
    return np.asarray(np.log10(rows))


def pycma_trajectory(function: Function, covariance: str, seed: int, generations: int) -> Genomes:
    cma = pytest.importorskip("cma")
    options = {"popsize": SIZE, "seed": seed + 1, "verbose": -9, "CMA_diagonal": covariance == "diagonal"}
    strategy, rows = cma.CMAEvolutionStrategy(start(function), 0.5, options), []
    for _ in range(generations):
        points = strategy.ask()
        values = function(np.array(points))
        strategy.tell(points, values)
        rows.append([values.min(), strategy.sigma])
    return np.asarray(np.log10(rows))


@pytest.mark.parametrize(
    ("function", "covariance"),
    [
        (ellipsoid, "diagonal"),
        pytest.param(sphere, "full", marks=pytest.mark.slow),
        pytest.param(sphere, "diagonal", marks=pytest.mark.slow),
        pytest.param(ellipsoid, "full", marks=pytest.mark.slow),
        pytest.param(rosenbrock, "full", marks=pytest.mark.slow),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_trajectories_agree_with_pycma(function: Function, covariance: str) -> None:
    """Mean log10 of best value and of sigma over 20 seeds: within 3.5 standard errors of the difference.

    Over 80 seeds, at generations 60 to 250, ellipsoid and Rosenbrock (full) stayed within 1.6.
    """
    generations = 120
    ours = np.array([our_trajectory(function, covariance, seed, generations) for seed in range(SEEDS)])
    theirs = np.array([pycma_trajectory(function, covariance, seed, generations) for seed in range(SEEDS)])
    error = np.sqrt((ours.var(axis=0, ddof=1) + theirs.var(axis=0, ddof=1)) / SEEDS)
    z = (ours.mean(axis=0) - theirs.mean(axis=0)) / error  # (generations, 2)
    assert np.abs(z[19::20]).max() < 3.5
    assert error[-1].max() < 0.3  # narrow enough to mean something: half a decade would show


def test_full_covariance_is_refused_above_the_limit_with_the_memory() -> None:
    big = np.zeros(61_440, np.float32)
    with pytest.raises(SearchError, match=r"limited to 5000 dimensions, got 61440, .* 60.4 GB; use auto or"):
        CMAESConfig(population=10, covariance="full").build(big, 0)
    with pytest.raises(SearchError, match=r"xnes .* 60.4 GB; use snes"):
        XNESConfig(population=10).build(big, 0)


@pytest.mark.parametrize(("dimension", "shape"), [(40, (40, 40)), (5001, (5001,))])
def test_auto_is_full_up_to_the_limit_and_diagonal_above(dimension: int, shape: tuple[int, ...]) -> None:
    searcher = CMAESConfig(population=4).build(np.zeros(dimension, np.float32), 0)
    assert searcher.state_dict()["C"].shape == shape


def test_a_full_state_does_not_load_into_a_diagonal_one() -> None:
    full, diagonal = (
        CMAESConfig(population=4, covariance=kind).build(np.zeros(9, np.float32), 0)
        for kind in ("full", "diagonal")
    )
    with pytest.raises(SearchError, match="resume with the settings"):
        diagonal.load_state_dict(full.state_dict())


@pytest.mark.parametrize(("sigma_floor", "collapsed"), [(0.0, 1), (0.01, 0)])
def test_cem_collapses_without_a_floor_and_says_so_once(
    sigma_floor: float, collapsed: int, caplog: pytest.LogCaptureFixture
) -> None:
    searcher, guard = (
        CEMConfig(population=4, sigma_floor=sigma_floor).build(np.ones(9, np.float32), 0),
        CollapseGuard(),
    )
    for generation in range(1, 120):
        guard.look(searcher.ask(), generation)
        step(searcher, sphere)
    warnings = [text for name, _, text in caplog.record_tuples if name == "hebbevo.training.collapse"]
    assert len(warnings) == collapsed
    assert all("are the same genome" in text and "search.sigma_floor" in text for text in warnings)


def test_a_covariance_that_is_not_positive_is_a_failure_with_a_remedy() -> None:
    searcher = CMAESConfig(population=4).build(np.zeros(9, np.float32), 0)
    assert isinstance(searcher, CMAESSearcher)
    searcher._cmaes.decompose_C_freq = 1
    searcher._cmaes.C = -torch.eye(9, dtype=torch.float64)
    with pytest.raises(SearchFailure, match="not positive definite in generation 1"):
        step(searcher, sphere)


def test_settings_that_cannot_work_are_refused() -> None:
    with pytest.raises(ValueError, match="must be even for mirrored sampling, got 9; use 10"):
        PGPEConfig(population=9)
    with pytest.raises(ValueError, match=r"two parents or more, got 0.1 of population 10; use at least 0.2"):
        CEMConfig(population=10, parenthood_ratio=0.1)


def test_without_evotorch_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("searchers", "adapter"):
        monkeypatch.delitem(sys.modules, f"hebbevo.search.evotorch_{name}")
    monkeypatch.setitem(sys.modules, "evotorch", None)
    with pytest.raises(SearchError, match=r"snes needs EvoTorch.*pip install evotorch"):
        SNESConfig(population=10).build(np.zeros(3, np.float32), 0)
