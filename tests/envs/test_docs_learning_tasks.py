"""The figures, keys and examples of docs/learning-tasks.md are those of the code."""

import csv
import re
from pathlib import Path

import pytest
import yaml
from pages import table_rows

from hebbevo.config.loading import load_config
from hebbevo.envs import ENVIRONMENTS, config_class
from hebbevo.envs.cognitive.learning_task import LearningTaskConfig
from hebbevo.envs.cognitive.meta_task_examples import EXAMPLES

PAGE = (Path(__file__).parents[2] / "docs" / "learning-tasks.md").read_text("utf-8")
ARMS = ("plastic", "recurrent", "blind", "static")
TASKS = [name for name in ENVIRONMENTS if issubclass(config_class(name), LearningTaskConfig)]


def test_every_task_is_in_the_table_with_its_figures():
    rows = {row[0].strip("`"): row[2:] for row in table_rows(PAGE, "| `env.name` |")}
    assert list(rows) == TASKS
    for name, (steps, actions, *rewards) in rows.items():
        config = config_class(name)()
        assert (config.steps, config.action_size) == (int(steps), int(actions))
        references = (config.chance, config.reactive, config.oracle)
        assert [float(reward) for reward in rewards] == pytest.approx(references, abs=0.05)


def test_every_key_is_in_the_table_with_its_default():
    written = {}
    for keys, names, defaults, _ in table_rows(PAGE, "| `env.` |"):
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


def experiments():
    """Yield each experiment and body by name, with its world and the IQM of each arm and its interval."""
    for directory in sorted((Path(__file__).parents[2] / "results").glob("learning-*/")):
        env = yaml.safe_load((directory / "experiment.yaml").read_text("utf-8"))["arms"]["plastic"]["env"]
        with (directory / "table.csv").open(encoding="utf-8", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["morphology"]]
        for body in dict.fromkeys(row["morphology"] for row in rows):
            name = directory.name.removeprefix("learning-") + ("" if body == "default" else f", {body}")
            ends = ("iqm", "iqm_low", "iqm_high")
            arms = {r["arm"]: [float(r[end]) for end in ends] for r in rows if r["morphology"] == body}
            yield name, config_class(env["name"])(**env), arms


def test_the_table_of_experiments_is_that_of_their_files():
    written = {row[0].replace("`", ""): row[1:] for row in table_rows(PAGE, "| `learning-` |")}
    found = {name: (config, arms) for name, config, arms in experiments()}
    assert found.keys() == written.keys()
    for name, (config, arms) in found.items():
        cells = [f"{m:.1f} ({low:.1f} to {high:.1f})" for m, low, high in map(arms.get, ARMS)]
        share = (arms["plastic"][0] - config.chance) / (config.oracle - config.chance)
        assert written[name] == [*cells, f"{config.chance:.1f}", f"{config.oracle:.1f}", f"{share:.2f}"]
        assert all(arms["plastic"][1] > arms[control][2] for control in ARMS[1:])
