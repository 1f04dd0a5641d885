"""The tables of docs/rules.md are those of the code, and its examples are read."""

import re
from pathlib import Path

import yaml

from hebbevo import load_config
from hebbevo.rules import RULES, SIGNALS, parse
from hebbevo.tasks.task import Task

TEXT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text("utf-8")
ROWS = [
    [cell.strip() for cell in row.strip("|").split(" | ")] for row in re.findall(r"^\| `.*\|$", TEXT, re.M)
]


def section(title: str) -> str:
    return TEXT.split(f"\n## {title}\n")[1].split("\n## ")[0]


def test_signals() -> None:
    axes = {"pre": "presynaptic neuron", "post": "postsynaptic neuron", "lifetime": "lifetime"}
    expected = [[f"`{signal.name}`", axes[signal.axis], signal.meaning] for signal in SIGNALS.values()]
    assert [row for row in ROWS if row[0].strip("`") in SIGNALS] == expected


def test_catalogue() -> None:
    expected = [[f"`{rule.name}`", f"`{rule.readable}`", rule.source] for rule in RULES.values()]
    assert [row for row in ROWS if row[0].strip("`") in RULES and len(row) == 3] == expected


def test_settings() -> None:
    shown = {row[0].strip("`"): row[1] for row in ROWS if row[0].strip("`") in RULES and len(row) == 2}
    read = {
        name: {
            key: yaml.safe_load(re.sub(r"((?:evolved from )?[a-z]+\([^)]*\))", r"'\1'", value))
            for key, value in re.findall(r"(\w+): `([^`]*)`", settings)
        }
        for name, settings in shown.items()
    }
    assert read == {name: dict(rule.defaults) for name, rule in RULES.items() if rule.defaults}


def test_examples_are_read() -> None:
    examples = re.findall(r"```yaml\n(.*?)```", section("Several states"), re.S)
    assert len(examples) == 2
    for example in examples:
        rule = yaml.safe_load(example)["plasticity"]["rule"]
        assert parse(rule).text == rule
        load_config("quick-quadruped", {"plasticity.rule": rule})
    (override,) = re.findall(r"`'(plasticity\.rule=.*?)'`", section("Several states"))
    assert load_config("quick-quadruped", [override]).plasticity.parsed_rule == RULES["differentiable"]


def test_the_network_of_the_catalogue_is_built() -> None:
    (example,) = re.findall(r"```yaml\n(.*?)```", section("Catalogue"), re.S)
    task = Task.of(load_config({"preset": "quick-quadruped", **yaml.safe_load(example)}))
    task.check_network()
    rules = [projection.rule.name for projection in task.network_spec.projections]
    assert rules == ["node_perturbation", "none", "delta"]
