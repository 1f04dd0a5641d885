"""The experiments of the learning tasks: controls of as many evolved numbers, without plasticity or without reward."""

from pathlib import Path

import pytest

from hebbevo.experiments.plan import read_plan
from hebbevo.tasks.task import Task

FILES = sorted((Path(__file__).parents[2] / "results").glob("learning-*.yaml"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_controls_are_as_large_as_the_plastic_network_and_lack_what_they_should(file: Path) -> None:
    plan = read_plan(file)
    assert len(plan.seeds) == 8
    tasks = {name: Task.of(config) for name, config in plan.arms.items()}
    assert list(tasks) == ["plastic", "blind", "static", "recurrent"]
    assert tasks["plastic"].learns
    assert tasks["plastic"].kernel_spec.uses_reward
    assert tasks["blind"].learns
    assert not tasks["blind"].kernel_spec.uses_reward
    for control in ("static", "recurrent"):
        assert not tasks[control].learns
        assert tasks["plastic"].layout.size <= tasks[control].layout.size <= 4 * tasks["plastic"].layout.size
    delayed = {
        name: any(one.delayed for one in task.network_spec.projections) for name, task in tasks.items()
    }
    assert not delayed["static"]
    assert delayed["recurrent"]


def test_there_is_one_for_every_preset() -> None:
    names = {file.stem.removeprefix("learning-") for file in FILES}
    assert names == {f"association-{k}" for k in (4, 8, 16)} | {
        "bandit",
        "boolean",
        "maze",
        "t-maze",
        "two-step",
    }
