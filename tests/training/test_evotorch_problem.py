"""A task as an EvoTorch problem: EvoTorch's own loop against ours, exactly; its determinism; closing."""

from collections.abc import Callable
from contextlib import closing
from typing import Any

import numpy as np
import pytest
import torch
from evotorch import algorithms, operators
from tasks import HERE, small_config

import hebbevo
from hebbevo import Config, Execution, InputError
from hebbevo.evaluation.fitness import evaluate_generation
from hebbevo.execution.executors import executor_for
from hebbevo.tasks.task import Task

GENERATIONS = 4


def config(*overrides: str) -> Config:
    return small_config("search.algorithm=snes", "search.penalty=0.3", "search.sigma=0.5", *overrides)


def test_snes_on_the_problem_walks_the_path_of_a_run_with_snes() -> None:
    """The populations of every generation, bit for bit, where EvoTorch draws from the same keys."""
    settings = config("training.lifetimes=2")
    searcher = settings.search.build(Task.of(settings).first_center(7), 7)
    resolved = HERE.resolve(Task.of(settings))
    with (
        hebbevo.as_evotorch_problem(settings, execution=HERE) as problem,
        executor_for(resolved) as executor,
    ):
        native = algorithms.SNES(problem, stdev_init=0.5, popsize=6, center_init=problem.first_center)
        for generation in range(GENERATIONS):
            key = np.random.SeedSequence((7, generation, 0x504F5055))
            problem.manual_seed(int(key.generate_state(1)[0]))
            native.step()
            proposals = searcher.ask()
            np.testing.assert_array_equal(native.population.values.numpy(), proposals.genomes(range(6)))
            fitness = evaluate_generation(
                executor,
                proposals,
                run_seed=7,
                number=generation,
                morphologies=settings.env.morphology_names,
                lifetime_seeds="individual",
                batch_size=resolved.batch_size,
                lifetimes=2,
            ).penalised(0.3)
            np.testing.assert_array_equal(native.population.evals[:, 0].numpy(), fitness)
            searcher.tell(proposals, fitness, executor)


def test_a_run_and_the_problem_report_the_same_first_generation(tmp_path: Any) -> None:
    settings = config("search.generations=1", "search.penalty=0")
    run = hebbevo.evolve(settings, tmp_path / "run", execution=HERE)
    rows = (tmp_path / "run" / "progress.csv").read_text().splitlines()
    row = dict(zip(rows[0].split(","), rows[1].split(","), strict=True))
    proposals = settings.search.build(Task.of(settings).first_center(7), 7).ask()
    with hebbevo.as_evotorch_problem(settings, execution=HERE) as problem:
        batch = problem.generate_batch(6)
        batch.set_values(torch.from_numpy(proposals.genomes(range(6)).copy()))
        problem.evaluate(batch)
    assert float(row["population_mean"]) == pytest.approx(float(batch.evals.mean()), rel=1e-12)
    assert run.generation == 1


@pytest.mark.parametrize(
    "execution", [Execution(threads=2, batch_size=3), Execution(threads=1, batch_size=1)]
)
def test_threads_and_blocks_change_no_bit_and_every_evaluation_has_its_own_seeds(
    execution: Execution,
) -> None:
    settings = config()
    genomes = torch.randn((5, Task.of(settings).layout.size), generator=torch.Generator().manual_seed(1))
    values = [evaluated(settings, how, genomes, 2) for how in (HERE, execution)]
    np.testing.assert_array_equal(values[0], values[1])
    assert not np.array_equal(values[0][0], values[0][1])
    with hebbevo.as_evotorch_problem(settings, execution=HERE, generation=1) as later:
        np.testing.assert_array_equal(evaluate(later, genomes), values[0][1])


def evaluated(settings: Config, execution: Execution, genomes: torch.Tensor, times: int) -> list[Any]:
    with closing(hebbevo.as_evotorch_problem(settings, execution=execution)) as problem:
        return [evaluate(problem, genomes) for _ in range(times)]


def evaluate(problem: Any, genomes: torch.Tensor) -> Any:
    batch = problem.generate_batch(len(genomes))
    batch.set_values(genomes)
    problem.evaluate(batch)
    return batch.evals[:, 0].numpy().copy()


ALGORITHMS: dict[str, Callable[[Any], Any]] = {
    "cma_es": lambda p: algorithms.CMAES(p, stdev_init=0.3, popsize=4, center_init=p.first_center),
    "pgpe": lambda p: algorithms.PGPE(
        p, popsize=4, center_learning_rate=0.1, stdev_learning_rate=0.1, stdev_init=0.1
    ),
    "genetic": lambda p: algorithms.GeneticAlgorithm(
        p, popsize=4, operators=[operators.GaussianMutation(p, stdev=0.1)]
    ),
}


@pytest.mark.parametrize("name", ALGORITHMS)
def test_any_algorithm_of_evotorch_runs_and_repeats_itself(name: str) -> None:
    best = []
    for _ in range(2):
        with hebbevo.as_evotorch_problem(config(), execution=HERE) as problem:
            algorithm = ALGORITHMS[name](problem)
            algorithm.run(3)
            best.append((algorithm.status["best_eval"], algorithm.status["best"].values.numpy().copy()))
    assert np.isfinite(best[0][0])
    assert best[0][0] == best[1][0]
    np.testing.assert_array_equal(best[0][1], best[1][1])


def test_first_genomes_follow_the_tasks_distribution() -> None:
    settings = config("plasticity.initial_coefficients=uniform(3, 4)")
    with hebbevo.as_evotorch_problem(settings, execution=HERE) as problem:
        genomes = problem.generate_batch(3).values.numpy()
    assert genomes.shape == (3, Task.of(settings).layout.size)
    assert 3 <= genomes.min() < genomes.max() <= 4
    assert not np.array_equal(genomes[0], genomes[1])


def test_a_closed_problem_says_so() -> None:
    problem = hebbevo.as_evotorch_problem(config(), execution=HERE)
    problem.close()
    problem.close()
    with pytest.raises(InputError, match="the problem is closed"):
        problem.evaluate(problem.generate_batch(2))
