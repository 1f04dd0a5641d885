"""The presets of the learning tasks are plastic and modulated; commands of docs/learning-tasks.md are tasks."""

import re
import shlex
from pathlib import Path

import pytest

from hebbevo.config.loading import load_config
from hebbevo.envs.cognitive.learning_task import LearningTaskConfig
from hebbevo.tasks.task import Task

PAGE = (Path(__file__).parents[2] / "docs" / "learning-tasks.md").read_text("utf-8")
PRESETS = [f"quick-{task}" for task in ("association", "bandit", "maze", "t-maze", "two-step", "boolean")]
COMMANDS = re.findall(r"^    hebbevo evolve (.*)$", PAGE, re.MULTILINE)


@pytest.mark.parametrize("preset", PRESETS)
def test_a_preset_is_plastic_and_modulated(preset):
    task = Task.of(load_config(preset))
    assert isinstance(task.env, LearningTaskConfig)
    signals = {signal for one in task.network_spec.projections for signal in one.rule.signals}
    assert task.learns
    assert signals & {"reward", "m"}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_page_is_a_task(command):
    preset, *overrides = shlex.split(command.partition(" --out")[0])
    assert preset in PRESETS
    assert Task.of(load_config(preset, overrides)).layout.size > 0


def test_every_preset_has_its_command():
    assert {command.split()[0] for command in COMMANDS} == set(PRESETS)
