"""Evolution: the same bits from the same seed however it is run, stopped and resumed; and what goes wrong."""

import itertools
import json
import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llvmlite.binding import get_host_cpu_name
from tasks import CART_POLE, HERE, QUADRUPED, small_config

from hebbevo import Config, Execution, Genome, InputError, Run, evolve, load_genome, resume
from hebbevo.errors import EnvError
from hebbevo.execution.build import cpu_kind
from hebbevo.rollouts.result import WORST_FITNESS
from hebbevo.tasks.task import Task
from hebbevo.training.records import Step
from hebbevo.training.run_directory import RunDirectory

RESULTS = ("center.safetensors", "best.safetensors", "progress.csv", "config.yaml")


class Stopped(Exception):
    """Ends an evolution from within, after a generation."""


def results(path: str | Path) -> dict[str, bytes]:
    """Return the bytes of all that equal runs share."""
    path = Path(path)
    files = [*(path / name for name in RESULTS), *sorted((path / "checkpoints").iterdir())]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def stopping(generation: int) -> Any:
    def watch(step: Step) -> None:
        if step.generation == generation:
            raise Stopped

    return watch


def rows_of(path: str | Path) -> list[dict[str, Any]]:
    return RunDirectory.open(path, read_only=True).read_progress()


@pytest.fixture(scope="module", params=["CartPole", "quadruped"])
def config(request: pytest.FixtureRequest) -> Config:
    env = CART_POLE if request.param == "CartPole" else QUADRUPED
    return small_config("search.generations=5", env=env)


@pytest.fixture(scope="module")
def straight(config: Config, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return evolve(config, tmp_path_factory.mktemp("straight") / "run", execution=HERE)


def test_a_run_holds_what_it_promises(config: Config, straight: Run) -> None:
    assert (straight.generation, straight.resumed_from, straight.already_finished) == (5, None, False)
    names = {path.name for path in straight.path.iterdir()}
    assert {*RESULTS, "log.jsonl", "tensorboard", "checkpoints", "figures"} == names
    assert (straight.path / "config.yaml").read_text() == config.to_yaml()
    np.testing.assert_array_equal(load_genome(straight.path).values, straight.center)
    assert (straight.path / "figures" / "learning_curve.png").read_bytes().startswith(b"\x89PNG")
    assert list((straight.path / "tensorboard").iterdir())
    rows = rows_of(straight.path)
    assert [row["generation"] for row in rows] == [1, 2, 3, 4, 5]
    assert [row["center_mean"] is None for row in rows] == [True, False, True, False, False]
    evaluated = [row["center_mean"] for row in rows if row["center_mean"] is not None]
    assert load_genome(straight.path / "best.safetensors").provenance["evaluation"]["center_mean"] == max(
        evaluated
    )
    for row in rows:
        assert row["population_best"] >= row["population_mean"]
        assert row["diverged"] == 0


def test_log_and_genomes_name_what_a_run_ran_on(straight: Run) -> None:
    """The CPU, on which a result may depend and which is no part of it, stands in the log alone."""
    versions = {name: metadata.version(name) for name in ("mujoco", "numba", "numpy", "torch")}
    for name in ("center", "best"):
        assert load_genome(straight.path / f"{name}.safetensors").provenance["libraries"] == versions
    start = json.loads((straight.path / "log.jsonl").read_text().splitlines()[0])
    assert start["event"] == "start"
    assert start["machine"].items() >= versions.items()
    assert (start["machine"]["cpu"], start["machine"]["architecture"]) == (cpu_kind(), get_host_cpu_name())
    assert {"sse2"} <= set(start["machine"]["features"].split()) or platform.machine() not in (
        "x86_64",
        "AMD64",
    )


def test_the_table_holds_no_clock(straight: Run) -> None:
    columns = (straight.path / "progress.csv").read_text().splitlines()[0].split(",")
    assert columns[0] == "generation"
    clock = ("time", "second", "date", "hour")
    assert not [name for name in columns if any(word in name for word in clock)]


@pytest.mark.parametrize(
    "execution",
    [Execution(threads=2), Execution(threads=1, batch_size=1), Execution(threads=2, batch_size=3)],
)
def test_the_same_seed_gives_the_same_bits_however_it_is_spread(
    config: Config, straight: Run, execution: Execution
) -> None:
    run = evolve(config, "run", execution=execution)
    assert results(run.path) == results(straight.path)


def test_another_seed_gives_another_run(config: Config, straight: Run) -> None:
    other = config.model_copy(update={"run": config.run.model_copy(update={"seed": 8})})
    run = evolve(other, "run", execution=HERE)
    assert (run.center != straight.center).all()


@pytest.mark.parametrize("stops", [(1,), (2, 4), (4,), (1, 2, 3, 4)])
def test_a_run_that_was_stopped_ends_like_one_that_was_not(
    config: Config, straight: Run, stops: tuple[int, ...]
) -> None:
    with pytest.raises(Stopped):
        evolve(config, "run", execution=HERE, watch=stopping(stops[0]))
    for stop in stops[1:]:
        with pytest.raises(Stopped):
            resume("run", execution=Execution(threads=2), watch=stopping(stop))
    run = resume("run", execution=HERE)
    assert (run.resumed_from, run.generation) == (stops[-1], 5)
    assert results("run") == results(straight.path)
    assert (Path("run") / "figures" / "learning_curve.png").exists()


def test_a_run_without_a_checkpoint_starts_again(config: Config, straight: Run) -> None:
    with pytest.raises(Stopped):
        evolve(config, "run", execution=HERE, watch=stopping(2))
    for path in Path("run/checkpoints").iterdir():
        path.unlink()
    assert resume("run", execution=HERE).resumed_from is None
    assert results("run") == results(straight.path)


def test_a_run_from_the_center_that_it_would_have_drawn_is_the_same_run(
    config: Config, straight: Run
) -> None:
    """Also killed before its first checkpoint, and after."""
    task = Task.of(config)
    start = Genome(task, task.first_center(config.run.seed), {"generation": 0})
    with pytest.raises(Stopped):
        evolve(config, "run", start=start, execution=HERE, watch=stopping(1))
    for path in Path("run/checkpoints").iterdir():
        path.unlink()
    with pytest.raises(Stopped):
        resume("run", execution=HERE, watch=stopping(3))
    run = resume("run", execution=HERE)
    np.testing.assert_array_equal(run.center, straight.center)
    assert (run.path / "progress.csv").read_bytes() == (straight.path / "progress.csv").read_bytes()
    assert load_genome(run.path).provenance["start"] == {"task": task.header(), "generation": 0}


def test_a_genome_of_another_task_with_the_same_layout_is_where_a_run_starts(straight: Run) -> None:
    start = load_genome(straight.path)
    body = ("env.morphologies=right_front_damaged",) if start.task.env.name == "quadruped" else ()
    env = QUADRUPED if body else CART_POLE
    still = ("search.learning_rate=1e-30", "env.steps=20", *body)
    run = evolve(small_config(*still, env=env), "run", start=start, execution=HERE)
    np.testing.assert_array_equal(run.center, straight.center)


def test_a_genome_of_another_layout_is_no_start(straight: Run) -> None:
    for other in (("network.hidden=5",), ("plasticity.rule=ABCD",)):
        with pytest.raises(InputError, match=r"cannot start from genome .*run'.*must be its own"):
            evolve(small_config(*other), "run", start=load_genome(straight.path), execution=HERE)
    assert not list(Path().glob("*run*"))


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("network.activation=relu", "the activation of hidden1 is tanh, and here relu"),
        ("network.output=raw", "the activation of output is tanh, and here identity"),
        ("plasticity.rule=w + eta*(A*pre*post + B*post + C*pre + D)", "the rule of layer1 is w = w"),
        ("plasticity.rule={w: w + eta*(A*pre*post + B + C + D), weight: w*A}", "the rule of layer1 is"),
    ],
)
def test_numbers_that_would_mean_something_else_are_no_start(override: str, expected: str) -> None:
    start = Genome(task := Task.of(small_config()), task.first_center(0), name="mine")
    with pytest.raises(InputError) as caught:
        evolve(small_config(override), "run", start=start, execution=HERE)
    assert f"cannot start from genome 'mine': {expected}" in str(caught.value)
    assert not list(Path().glob("*run*"))


def test_numbers_that_mean_the_same_are_a_start_under_any_name_of_the_rule() -> None:
    start = Genome(task := Task.of(small_config()), task.first_center(0), name="mine")
    same = "plasticity.rule=w + eta*(A*pre*post + B*pre + C*post + D)"
    run = evolve(small_config(same, "search.generations=1"), "run", start=start, execution=HERE)
    assert run.generation == 1


def test_a_prolonged_run_equals_one_as_long_from_the_beginning(
    config: Config, straight: Run, tmp_path: Path
) -> None:
    """Its old end, generation 4, is one at which the center is evaluated anyway."""
    short = config.model_copy(update={"training": config.training.model_copy(update={"generations": 4})})
    evolve(short, tmp_path / "run", execution=HERE)
    run = resume(tmp_path / "run", generations=5, execution=HERE)
    assert (run.generation, run.resumed_from) == (5, 4)
    for name in ("center.safetensors", "progress.csv", "config.yaml"):
        assert (run.path / name).read_bytes() == (straight.path / name).read_bytes()
    best = [load_genome(path / "best.safetensors").values for path in (run.path, straight.path)]
    np.testing.assert_array_equal(*best)
    with pytest.raises(InputError, match=r"at least 5, those of .*, got 4"):
        resume(run.path, generations=4)
    assert resume(run.path, generations=5).already_finished


def test_a_run_killed_right_after_it_was_prolonged_goes_on(
    config: Config, straight: Run, tmp_path: Path
) -> None:
    short = config.model_copy(update={"training": config.training.model_copy(update={"generations": 4})})
    evolve(short, tmp_path / "run", execution=HERE)
    (tmp_path / "run" / "config.yaml").write_text(config.to_yaml())
    run = resume(tmp_path / "run", execution=HERE)
    np.testing.assert_array_equal(run.center, straight.center)


def test_a_budget_of_agent_steps_ends_a_run(config: Config, straight: Run, tmp_path: Path) -> None:
    """With the generation that uses it up; stopped and resumed or not, and prolonged as any other run."""
    steps = [row["agent_steps"] for row in rows_of(straight.path)]
    training = config.training.model_copy(update={"agent_steps": int(sum(steps[:3])) + 1})
    budget = config.model_copy(update={"training": training})
    whole = evolve(budget, tmp_path / "whole", execution=HERE)
    assert whole.generation == 4
    assert rows_of(whole.path)[-1]["center_mean"] is not None
    with pytest.raises(Stopped):
        evolve(budget, tmp_path / "stopped", execution=HERE, watch=stopping(2))
    assert resume(tmp_path / "stopped", execution=HERE).generation == 4
    assert results(tmp_path / "stopped") == results(whole.path)
    assert resume(whole.path, execution=HERE).already_finished
    more = resume(whole.path, agent_steps=int(sum(steps[:4])) + 1, execution=HERE)
    assert more.generation == 5
    np.testing.assert_array_equal(more.center, straight.center)
    with pytest.raises(InputError, match=r"agent_steps must be at least \d+, those of .*, got 7"):
        resume(whole.path, agent_steps=7, execution=HERE)
    with pytest.raises(Stopped):
        evolve(budget, tmp_path / "prolonged", execution=HERE, watch=stopping(3))
    longer = resume(tmp_path / "prolonged", generations=5, execution=HERE)
    np.testing.assert_array_equal(longer.center, straight.center)


def test_resuming_a_finished_run_changes_nothing(straight: Run) -> None:
    def state() -> dict[str, tuple[bytes, int]]:
        files = [path for path in straight.path.rglob("*") if path.is_file()]
        return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    before = state()
    run = resume(straight.path, execution=HERE)
    assert run.already_finished
    np.testing.assert_array_equal(run.center, straight.center)
    assert state() == before


def test_a_changed_config_is_refused_with_the_difference() -> None:
    with pytest.raises(Stopped):
        evolve(small_config("search.sigma=0.1"), "run", execution=HERE, watch=stopping(1))
    path = Path("run/config.yaml")
    good = path.read_text()
    path.write_text(good.replace("sigma: 0.1", "sigma: 0.25").replace("- 4\n", "- 5\n"))
    with pytest.raises(InputError) as caught:
        resume("run", execution=HERE)
    message = str(caught.value)
    assert "\n" not in message
    for part in ("search.sigma: 0.1 -> 0.25", "network.hidden: [4] -> [5]", "generation 1"):
        assert part in message
    for text, expected in (("a: [", "line 1"), ("5", "not a config"), ("env: {name: x}", "unknown")):
        path.write_text(text)
        with pytest.raises((InputError, EnvError)) as caught:
            resume("run", execution=HERE)
        assert expected in str(caught.value)
        assert "\n" not in str(caught.value)
    path.write_text(good)
    assert resume("run", execution=HERE).generation == 3


def test_a_directory_that_exists_is_refused() -> None:
    Path("there").mkdir()
    with pytest.raises(InputError, match="exists and is not a run directory"):
        evolve(small_config(), "there", execution=HERE)
    assert list(Path("there").iterdir()) == []
    with pytest.raises(InputError, match="not a run directory"):
        resume("there", execution=HERE)


@pytest.mark.parametrize(
    "overrides",
    [
        ("search.algorithm=cma_es", "search.covariance=full", "network.hidden=64"),
        ("env.name=gymnasium:NoSuchWorld-v1",),
        ("plasticity.rule=w + m*eta*pre*post",),
    ],
    ids=["covariance too large", "no such environment", "a modulator"],
)
def test_what_cannot_be_built_leaves_no_directory(overrides: tuple[str, ...]) -> None:
    with pytest.raises(InputError):
        evolve(small_config(*overrides, env=QUADRUPED), "run", execution=HERE)
    assert not list(Path().glob("*run*"))


def with_fitness(monkeypatch: pytest.MonkeyPatch, fitness: float, diverged: bool) -> None:
    """Let every lifetime come to this."""
    from hebbevo.rollouts.result import RolloutResult
    from hebbevo.tasks.worker import CpuWorker

    def rollout(
        self: CpuWorker, genomes: Any, genome_of: Any, seeds: Any, *_: Any, **__: Any
    ) -> RolloutResult:
        count = len(seeds)
        return RolloutResult(np.full(count, fitness), np.ones(count, np.int64), np.full(count, diverged))

    monkeypatch.setattr(CpuWorker, "rollout", rollout)


def centers(config: Config, path: str = "run") -> Iterator[np.ndarray]:
    """Yield the center after each generation."""
    seen: list[np.ndarray] = []
    evolve(config, path, execution=HERE, watch=lambda step: seen.append(load_genome(path).values))
    yield from seen


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_where_all_fitnesses_are_equal_the_center_stays(
    monkeypatch: pytest.MonkeyPatch, optimizer: str
) -> None:
    with_fitness(monkeypatch, 3.0, False)
    config = small_config("search.penalty=0", f"search.optimizer={optimizer}")
    for a, b in itertools.pairwise(centers(config)):
        np.testing.assert_array_equal(a, b)
    assert [row["population_sd"] for row in rows_of("run")] == [0.0] * 3


def test_a_single_diverged_lifetime_is_counted_and_left_out_of_the_means(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from hebbevo.rollouts.result import RolloutResult
    from hebbevo.tasks.worker import CpuWorker

    def rollout(
        self: CpuWorker, genomes: Any, genome_of: Any, seeds: Any, *_: Any, **__: Any
    ) -> RolloutResult:
        bad = np.array([row == 0 for row in range(len(seeds))])
        return RolloutResult(np.where(bad, WORST_FITNESS, 2.0), np.ones(len(seeds), np.int64), bad)

    monkeypatch.setattr(CpuWorker, "rollout", rollout)
    evolve(small_config(env=QUADRUPED), "run", execution=Execution(threads=1, batch_size=64))
    assert rows_of("run")[-1]["center_mean"] == 2.0
    for row in rows_of("run"):
        assert (row["diverged"], row["population_mean"], row["population.right_front_damaged"]) == (
            1,
            2.0,
            2.0,
        )


@pytest.mark.parametrize("algorithm", ["snes", "cma_es"])
def test_searchers_of_evotorch_evolve_and_resume_bit_for_bit(algorithm: str) -> None:
    config = small_config(f"search.algorithm={algorithm}", "search.generations=4")
    evolve(config, "straight", execution=HERE)
    with pytest.raises(Stopped):
        evolve(config, "stopped", execution=HERE, watch=stopping(2))
    resume("stopped", execution=Execution(threads=2, batch_size=2))
    assert results("stopped") == results("straight")


def test_cart_pole_is_learnt() -> None:
    config = small_config(
        "env.steps=200",
        "plasticity.rule=none",
        "plasticity.initial_weights=evolved",
        "search.population=20",
        "search.generations=20",
        "search.optimizer=adam",
        "search.learning_rate=0.1",
        "search.sigma=0.1",
        "evaluation.every=20",
        "evaluation.episodes=5",
    )
    evolve(config, "run", execution=HERE)
    rows = rows_of("run")
    assert rows[-1]["center_mean"] > 2 * rows[0]["population_mean"]


def test_every_generation_is_watched() -> None:
    seen: list[Step] = []
    evolve(small_config(), "run", execution=HERE, watch=seen.append)
    assert [step.generation for step in seen] == [1, 2, 3]
    assert all(step.generations == 3 and step.agent_steps > 0 and step.seconds > 0 for step in seen)
    assert [step.row for step in seen] == rows_of("run")
