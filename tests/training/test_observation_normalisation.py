"""Observation normalisation: NumPy's mean and variance, the same bits however a run is executed, and in its genome."""

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tasks import CART_POLE, HERE, QUADRUPED, small_config
from test_evolution import Stopped, results, rows_of, stopping
from typing_extensions import override

from hebbevo import Config, Execution, InputError, evaluate, evolve, load_genome, resume
from hebbevo.evaluation.fitness import Fitness
from hebbevo.evaluation.generation_plan import PLAIN
from hebbevo.genomes.genome import Genome, save_genome
from hebbevo.io.tensors import read_tensors, write_tensors
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rollouts.observation_normaliser import ObservationNormaliser
from hebbevo.rollouts.observations import ObservationMoments, ObservationStatistics, merged
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker
from hebbevo.training.checkpoint import load_checkpoint
from hebbevo.training.observation_normalisation import ObservationNormalisation

ON = "network.normalise_observations=true"


def config_of(*overrides: str, env: Any = QUADRUPED) -> Config:
    return small_config(ON, *overrides, env=env)


def lifetimes_of(lengths: list[int], size: int = 5) -> list[np.ndarray]:
    """Return observations of lifetimes, each ``(steps, size)`` in float32, far from zero."""
    generator = np.random.default_rng(3)
    return [generator.normal(100, 3, (length, size)).astype(np.float32) for length in lengths]


def moments_of(lifetimes: list[np.ndarray], batch_size: int) -> ObservationMoments:
    """Return the moments of lifetimes that run in batches; those that have ended leave their batch."""
    size, parts = lifetimes[0].shape[1], []
    for start in range(0, len(lifetimes), batch_size):
        batch = lifetimes[start : start + batch_size]
        normaliser = ObservationNormaliser(ObservationStatistics.identity(size), (batch_size, size))
        observations = np.full((batch_size, size), np.nan, np.float32)
        for step in range(max(map(len, batch))):
            active = np.array([row for row, lifetime in enumerate(batch) if step < len(lifetime)])
            for row in active:
                observations[row] = batch[row][step]
            normaliser.normalise(observations, active)
        parts.append(normaliser.moments(len(batch)))
    joined = ObservationMoments.join(parts)
    assert joined is not None
    return joined


def test_moments_of_merged_lifetimes_are_those_of_all_steps_together() -> None:
    lifetimes = lifetimes_of([40, 7, 1, 25, 0, 13])
    moments = moments_of(lifetimes, 6)
    count, mean, squares = merged((0, np.zeros(5), np.zeros(5)), moments, range(6))
    pooled = np.concatenate(lifetimes).astype(np.float64)
    assert count == len(pooled)
    np.testing.assert_allclose(mean, pooled.mean(axis=0), rtol=1e-12)
    np.testing.assert_allclose(squares / count, pooled.var(axis=0), rtol=1e-12)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_moments_do_not_depend_on_the_batch(batch_size: int) -> None:
    lifetimes = lifetimes_of([40, 7, 1, 25, 13])
    together, apart = moments_of(lifetimes, 5), moments_of(lifetimes, batch_size)
    for name in ("counts", "means", "squares"):
        np.testing.assert_array_equal(getattr(together, name), getattr(apart, name))


def test_observations_are_centered_scaled_and_clipped() -> None:
    normaliser = ObservationNormaliser(ObservationStatistics.of([1.0, -2.0, 0.0], [2.0, 0.5, 1.0]), (2, 3))
    observations = np.array([[2.0, -1.0, np.nan], [-99.0, 99.0, 1.0]], np.float32)
    seen = normaliser.normalise(observations, np.array([0, 1]))
    np.testing.assert_array_equal(seen, np.array([[0.5, 2.0, np.nan], [-5.0, 5.0, 1.0]], np.float32))


class Seen(Hook):
    """Keeps what the environment shows and what the network sees of it."""

    def __init__(self) -> None:
        self.raw: list[np.ndarray] = []
        self.normalised: list[np.ndarray] = []

    @override
    def on_action(self, batch: Batch) -> None:
        self.raw.append(batch.environment.observations[0].copy())
        self.normalised.append(batch.network.activations(0)[0].copy())


def test_the_network_of_a_genome_sees_normalised_observations() -> None:
    task = Task.of(config_of("env.steps=12"))
    size = task.env.interface.observation_size
    statistics = ObservationStatistics.of(np.linspace(-1, 1, size), np.linspace(0.1, 2, size), 9)
    seen = Seen()
    worker = CpuWorker(replace(task, observations=statistics), 2)
    genome = task.first_center(1)[None]
    result = worker.rollout(genome, [0], [4], ["intact"], early_stop=False, hooks=[seen])
    raw = np.array(seen.raw)
    wanted = np.clip((raw - np.float32(statistics.mean)) / np.float32(statistics.std), -5, 5)
    np.testing.assert_array_equal(np.array(seen.normalised), wanted)
    assert result.moments is not None
    np.testing.assert_allclose(result.moments.means[0], raw.astype(float).mean(axis=0), rtol=1e-9)
    given = worker.rollout(
        genome, [0], [4], ["intact"], early_stop=False, observations=ObservationStatistics.identity(size)
    )
    plain = CpuWorker(task, 1).rollout(genome, [0], [4], ["intact"], early_stop=False)
    assert given.fitness[0] == plain.fitness[0] != result.fitness[0]


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("straight") / "run"
    return evolve(config_of("search.generations=4"), path, execution=HERE).path


@pytest.mark.parametrize(
    "execution", [Execution(threads=2, batch_size=5), Execution(threads=1, batch_size=1)]
)
def test_bits_do_not_depend_on_threads_or_batches(straight: Path, execution: Execution) -> None:
    evolve(config_of("search.generations=4"), "run", execution=execution)
    assert results("run") == results(straight)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_bits_do_not_depend_on_workers(straight: Path, workers: int) -> None:
    evolve(config_of("search.generations=4"), "run", execution=Execution(workers=workers))
    assert results("run") == results(straight)


def test_a_resumed_run_has_the_same_bits(straight: Path) -> None:
    with pytest.raises(Stopped):
        evolve(config_of("search.generations=4"), "run", execution=HERE, watch=stopping(2))
    resume("run", execution=HERE)
    assert results("run") == results(straight)


def test_the_statistics_are_in_checkpoint_and_genome_and_change_the_run(straight: Path) -> None:
    tensors, _ = load_checkpoint(straight / "checkpoints" / "generation_000004.safetensors")
    genome = load_genome(straight)
    statistics = genome.task.observations
    assert statistics is not None
    assert (
        statistics.steps
        == tensors["observation.steps"]
        == sum(row["agent_steps"] for row in rows_of(straight))
    )
    variance = tensors["observation.squares"] / statistics.steps
    varies = variance > 0
    wanted = np.where(varies, np.sqrt(np.maximum(variance, 0.01)), 1)
    np.testing.assert_array_equal(np.float32(statistics.std), wanted.astype(np.float32))
    np.testing.assert_array_equal(
        np.float32(statistics.mean), np.where(varies, tensors["observation.mean"], 0).astype(np.float32)
    )
    other = evolve(small_config("search.generations=4", env=QUADRUPED), "other", execution=HERE)
    assert not np.array_equal(load_genome(other.path).values, genome.values)


def test_an_evaluation_uses_the_statistics_of_the_genome(straight: Path, tmp_path: Path) -> None:
    genome = load_genome(straight)
    save_genome(genome, tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == (straight / "center.safetensors").read_bytes()
    without = replace(genome, task=replace(genome.task, observations=None))

    def fitness(of: Genome) -> list[float]:
        return evaluate(of, episodes=2, controls=False, execution=HERE).progress("intact").tolist()

    assert fitness(genome) == fitness(load_genome(tmp_path / "copy")) != fitness(without)


def test_a_run_may_start_from_a_genome_and_its_statistics(straight: Path) -> None:
    start = load_genome(straight)
    config = config_of("search.generations=1", "search.population=2")
    run = evolve(config, "run", start=start, execution=HERE)
    before, after = start.task.observations, load_genome(run.path).task.observations
    assert before is not None
    assert after is not None
    assert after.steps == before.steps + rows_of("run")[0]["agent_steps"]
    np.testing.assert_allclose(after.std, before.std, rtol=0.3, atol=0.2)


class TestWhatIsMeasured:
    """A share of the lifetimes, the first generations, not every observation; whoever computes, whenever it stops."""

    CONFIG = (
        *("training.normalise_share=0.4", "training.normalise_until=2", "training.normalise_except=[1, 3]"),
        "training.generations=4",
    )

    def test_statistics(self) -> None:
        config = config_of(*self.CONFIG, env=CART_POLE)
        run = evolve(config, "run", execution=Execution(threads=2, batch_size=4))
        statistics = load_genome(run.path).task.observations
        assert statistics is not None
        assert [(statistics.mean[i], statistics.std[i]) for i in (1, 3)] == [(0, 1)] * 2
        assert all(statistics.std[i] != 1 for i in (0, 2))
        every = rows_of(run.path)
        assert 0 < statistics.steps < sum(row["agent_steps"] for row in every[:2])
        with pytest.raises(Stopped):
            evolve(config, "stopped", execution=HERE, watch=stopping(1))
        frozen = resume("stopped", execution=HERE)
        assert results(frozen.path) == results(run.path)
        shorter = evolve(config_of(*self.CONFIG[:3], "training.generations=2", env=CART_POLE), "short")
        assert load_genome(shorter.path).task.observations == statistics

    def test_a_share_is_that_of_numpys_moments(self) -> None:
        training = config_of("training.normalise_share=0.5", env=CART_POLE).training
        component = ObservationNormalisation(training, 7, 5)
        lifetimes = lifetimes_of([3, 4, 5, 6])
        moments = moments_of(lifetimes, 4)
        empty, zeros = np.zeros((4, 1, 1), np.bool_), np.zeros(4)
        fitness = Fitness(np.zeros((4, 1, 1)), zeros, empty, 18, moments)
        chosen = []
        for number in range(8):
            component.restore({"steps": 0, "mean": np.zeros(5), "squares": np.zeros(5)})
            component.after_results(number, PLAIN, fitness)
            pairs = [
                pair
                for pair in itertools.combinations(range(4), 2)
                if component.steps == sum(len(lifetimes[i]) for i in pair)
                and np.allclose(component.mean, np.concatenate([lifetimes[i] for i in pair]).mean(axis=0))
            ]
            assert len(pairs) == 1
            chosen += pairs
        assert len(set(chosen)) > 2

    @pytest.mark.parametrize("key", ["normalise_until=3", "normalise_share=0.5", "normalise_except=[0]"])
    def test_nothing_to_measure_is_refused(self, key: str) -> None:
        with pytest.raises(InputError, match=r"normalise_observations measures, which is off"):
            small_config(f"training.{key}")

    def test_observations_that_are_not_there_are_refused(self) -> None:
        with pytest.raises(InputError, match="observations 0 to 3, got 4"):
            config_of("training.normalise_except=[0, 4]", env=CART_POLE)


def test_runs_without_it_say_nothing_of_it() -> None:
    assert "normalise_observations" not in small_config(env=CART_POLE).to_yaml()
    assert "normalise_observations: true" in config_of(env=CART_POLE).to_yaml()


def test_images_are_refused() -> None:
    with pytest.raises(InputError, match="normalise_observations needs numbers"):
        config_of(env=["env.name=car_racing", "network.hidden=4"])


@pytest.mark.parametrize(
    ("name", "value"), [("mean", None), ("std", None), ("std", 0.0), ("mean", np.nan), ("std", "short")]
)
def test_a_damaged_genome_is_refused(straight: Path, tmp_path: Path, name: str, value: Any) -> None:
    arrays, header = read_tensors(straight / "center.safetensors", "genome")
    array = arrays.pop(f"observation.{name}")
    if value == "short":
        arrays[f"observation.{name}"] = array[1:]
    elif value is not None:
        arrays[f"observation.{name}"] = np.full_like(array, value)
    write_tensors(tmp_path / "bad", arrays, header)
    with pytest.raises(InputError, match=f"observation.{name}"):
        load_genome(tmp_path / "bad")
