"""Every rule of the catalogue becomes a task whose genome file opens again."""

import json
from pathlib import Path
from typing import Any

import pytest

from hebbevo import load_config
from hebbevo.config.plasticity import PlasticityConfig
from hebbevo.genomes.genome import Genome, load_genome, save_genome
from hebbevo.rules import RULES
from hebbevo.tasks.task import Task

WHERE = {"env.name": "gymnasium:CartPole-v1", "env.steps": 10, "network.hidden": [4]}


NOISY = {
    "populations": {"hidden": {"size": 4, "noise": "normal(0, 0.1)"}, "out": {}},
    "projections": ["observation -> hidden", {"hidden -> out": {"rule": "hebb"}}],
}
TAUGHT = {
    "populations": {"hidden": {"size": 4}, "target": {"size": 2}, "out": {}},
    "projections": [
        {"observation -> hidden": {"rule": "hebb"}},
        {"observation -> target": {"rule": "none", "initial_weights": "evolved"}},
        {"hidden -> out": {"signals": {"v": "target"}}},
    ],
}


def keys(name: str) -> dict[str, Any]:
    """Return the keys of a small config with all signals that a rule reads."""
    signals, more = RULES[name].signals, {}
    if "m" in signals:
        more["network.modulators"] = 1
    if "noise" in signals:
        more["network"] = NOISY
    if "v" in signals:
        more["network"] = TAUGHT
    if name == "none":
        more["plasticity.initial_weights"] = "evolved"
    return {**WHERE, **more, "plasticity.rule": name}


@pytest.mark.parametrize("name", RULES)
def test_a_genome_opens_again(name: str, tmp_path: Path) -> None:
    task = Task.of(load_config("quick-quadruped", keys(name)))
    task.check_network()
    genome = Genome(task, task.first_center(3))
    save_genome(genome, tmp_path / "a.safetensors")
    again = load_genome(tmp_path / "a.safetensors")
    assert again.task == task
    save_genome(again, tmp_path / "b.safetensors")
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.defaults])
def test_a_header_states_what_a_rule_would_set(name: str) -> None:
    """So a genome or a run of before keeps its settings, whatever the catalogue says today."""
    before = PlasticityConfig(
        rule=name,
        sharing="synapse",
        normalise="none",
        initial_weights="uniform(-0.2, 0.2)" if RULES[name].coefficients else "evolved",
        initial_coefficients="normal(0, 1)",
    )
    written = json.loads(before.model_dump_json())
    assert set(RULES[name].defaults) <= set(written)
    assert PlasticityConfig(**written) == before
