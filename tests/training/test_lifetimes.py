"""Several lifetimes per individual: the same bits however a run is executed, counted in steps and divergence."""

from pathlib import Path

import pytest
from tasks import HERE, small_config
from test_evolution import Stopped, results, rows_of, stopping

from hebbevo import Config, Execution, InputError, evolve, resume
from hebbevo.errors import DivergenceFailure
from hebbevo.training.divergence import DivergenceGuard


def config_of(*overrides: str) -> Config:
    return small_config("training.lifetimes=3", *overrides)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return evolve(config_of(), tmp_path_factory.mktemp("straight") / "run", execution=HERE).path


@pytest.mark.parametrize("batch_size", [1, 4, 7])
def test_bits_do_not_depend_on_threads_or_batches(straight: Path, batch_size: int) -> None:
    evolve(config_of(), "run", execution=Execution(threads=2, batch_size=batch_size))
    assert results("run") == results(straight)


def test_a_resumed_run_has_the_same_bits(straight: Path) -> None:
    with pytest.raises(Stopped):
        evolve(config_of(), "run", execution=HERE, watch=stopping(2))
    resume("run", execution=HERE)
    assert results("run") == results(straight)


def test_every_lifetime_counts_towards_the_budget_of_agent_steps(straight: Path) -> None:
    steps = [row["agent_steps"] for row in rows_of(straight)]
    single = rows_of(evolve(small_config(), "single", execution=HERE).path)
    assert steps[0] > 2 * single[0]["agent_steps"]
    run = evolve(config_of(f"training.agent_steps={steps[0] + 1}"), "run", execution=HERE)
    assert run.generation == 2


def test_a_diverged_generation_is_one_with_all_of_its_lifetimes() -> None:
    rows = [{"generation": number + 1, "diverged": count} for number, count in enumerate((6, 18, 18))]
    guard = DivergenceGuard(config_of(), rows)
    with pytest.raises(DivergenceFailure, match="18 of 18 lifetimes"):
        guard.add({"generation": 4, "diverged": 18})


def test_one_lifetime_is_what_files_leave_out() -> None:
    assert "lifetimes:" not in small_config("training.lifetimes=1").to_yaml()
    assert "lifetimes: 3" in config_of().to_yaml()
    with pytest.raises(InputError, match=r"training\.lifetimes"):
        small_config("training.lifetimes=0")
