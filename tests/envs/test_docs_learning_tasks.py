"""The figures, keys and examples of docs/learning-tasks.md are those of the code."""

import re
from pathlib import Path

import pytest
import yaml

from hebbevo.config.loading import load_config
from hebbevo.envs import ENVIRONMENTS, config_class
from hebbevo.envs.cognitive.learning_task import LearningTaskConfig
from hebbevo.envs.cognitive.meta_task_examples import EXAMPLES

PAGE = (Path(__file__).parents[2] / "docs" / "learning-tasks.md").read_text("utf-8")
TASKS = [name for name in ENVIRONMENTS if issubclass(config_class(name), LearningTaskConfig)]


def cells(row):
    return [cell.strip() for cell in row.strip("|").split("|")]


def table(header):
    """The rows of the table that begins with this header."""
    lines = PAGE[PAGE.index(header) :].splitlines()
    end = next(i for i, line in enumerate(lines) if not line.startswith("|"))
    return [cells(line) for line in lines[2:end]]


def test_every_task_is_in_the_table_with_its_figures():
    rows = {row[0].strip("`"): row[2:] for row in table("| `env.name` |")}
    assert list(rows) == TASKS
    for name, (steps, actions, *rewards) in rows.items():
        config = config_class(name)()
        assert (config.steps, config.action_size) == (int(steps), int(actions))
        references = (config.chance, config.reactive, config.oracle)
        assert [float(reward) for reward in rewards] == pytest.approx(references, abs=0.05)


def test_every_key_is_in_the_table_with_its_default():
    written = {}
    for keys, names, defaults, _ in table("| `env.` |"):
        values = dict(zip(re.findall(r"`(\w+)`", keys), re.findall(r"`([^`]+)`", defaults), strict=False))
        for name in re.findall(r"`(\w+)`", names):
            written.setdefault(name, {}).update(values)
    for name in TASKS:
        fields = config_class(name)().model_dump(mode="json", exclude={"name", "steps", "early_stop"})
        assert {key: yaml.safe_load(text) for key, text in written[name].items()} == fields


def test_examples_run(capsys):
    for example in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(example, {})
    assert [f"{float(text):.1f}" for text in capsys.readouterr().out.splitlines()[0].split()] == [
        "5.4",
        "37.6",
        "269.6",
    ]


def test_the_specification_shown_is_a_two_step_task(tmp_path):
    (written,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    path = tmp_path / "mine.yaml"
    path.write_text(written)
    config = load_config(path).env
    assert config.specifications["mine"] == EXAMPLES["two_step"]
    assert (config.steps, config.oracle, config.chance) == (100, pytest.approx(50 * 0.82), pytest.approx(25))
