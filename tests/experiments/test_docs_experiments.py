"""docs/experiments.md: its files are experiments, its tables name every key, column and file."""

import re
from pathlib import Path

import pytest
import yaml

from hebbevo.experiments.evaluation import Evaluation
from hebbevo.experiments.figures import FIGURES
from hebbevo.experiments.plan import ExperimentFile, read_plan
from hebbevo.experiments.tables import Tables

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "experiments.md").read_text(encoding="utf-8")
FILES = re.findall(r"```yaml\n(.*?)```", TEXT, re.S)


def test_the_example_is_an_experiment() -> None:
    plan = read_plan(yaml.safe_load(FILES[0]))
    assert (list(plan.arms), plan.baseline, len(plan.runs())) == (["plastic", "static"], "static", 16)
    assert set(yaml.safe_load(FILES[0])) | {"baseline", "rotate"} == set(ExperimentFile.model_fields)


def test_the_factorial_has_the_arms_that_it_says() -> None:
    assert len(FILES) == 3
    arms = list(read_plan(yaml.safe_load(FILES[1])).arms)
    assert len(arms) == 8
    assert f"`{arms[0]}`" in TEXT


def test_the_rotation_is_of_the_seeds_that_it_says() -> None:
    plan = read_plan(yaml.safe_load(FILES[2]))
    seen = [plan.config("static", seed).env.morphology_names[1] for seed in plan.seeds]
    assert seen[0] == seen[4] == "right_front_damaged"
    assert seen[1] == seen[5] == "left_front_damaged"
    assert plan.evaluation.morphologies == ("intact", *seen[:4])


def test_every_key_and_file_is_told() -> None:
    for key in ExperimentFile.model_fields:
        assert f"\n| `{key}` |" in TEXT
    assert all(f"`{key}`" in TEXT for key in Evaluation.model_fields)
    names = [*(f"{name}.csv" for name in Tables.__annotations__), *(f"{name}.png" for name in FIGURES)]
    assert all(f"`{name}`" in TEXT for name in names)


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT, re.S))
def test_python_can_be_read(code: str) -> None:
    compile(code, "docs/experiments.md", "exec")
