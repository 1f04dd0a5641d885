"""What a user writes is resolved and checked: budgets, seeds, bodies, baselines, one line for what cannot be."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hebbevo import load_config
from hebbevo.errors import InputError
from hebbevo.experiments.plan import read_plan

BASE = {"preset": "quick-association", "search": {"population": 16}, "training": {"generations": 5}}
STATIC = {"plasticity.rule": "none", "plasticity.initial_weights": "evolved from normal(0, 0.1)"}
FILE: dict[str, Any] = {"base": BASE, "arms": {"plastic": {}, "static": STATIC}, "seeds": 2}


def test_runs_come_by_seed_and_then_arm() -> None:
    plan = read_plan({**FILE, "seeds": [5, 2]})
    assert plan.runs() == [("plastic", 5), ("static", 5), ("plastic", 2), ("static", 2)]
    config = plan.config("static", 2)
    assert (config.run.seed, config.plasticity.rule) == (2, "none")
    assert read_plan({**FILE, "seeds": 3}).seeds == (0, 1, 2)


def test_the_budget_is_equal_in_agent_steps() -> None:
    wide = {"search.population": 32, "training.lifetimes": 2}
    plan = read_plan({**FILE, "arms": {"base": {}, "wide": wide}})
    assert {config.training.agent_steps for config in plan.arms.values()} == {5 * 16 * 80}
    asked = read_plan({**FILE, "agent_steps": 1000})
    assert {config.training.agent_steps for config in asked.arms.values()} == {1000}
    assert asked.arms["plastic"].training.generations == 63  # if every lifetime ended after a step
    own = read_plan({**FILE, "agent_steps": None, "arms": {"a": {}, "b": {"training.generations": 9}}})
    assert [config.training.generations for config in own.arms.values()] == [5, 9]
    assert {config.training.agent_steps for config in own.arms.values()} == {None}
    car = read_plan({"base": "quick-carracing", "arms": {"a": {}}})
    assert car.arms["a"].training.agent_steps == load_config("quick-carracing").training.agent_steps


def test_the_baseline_is_the_first_arm_that_does_not_learn() -> None:
    assert read_plan(FILE).baseline == "static"
    assert read_plan({**FILE, "arms": {"a": {}, "b": {"search.sigma": 0.2}}}).baseline == "a"
    assert read_plan({**FILE, "baseline": "plastic"}).baseline == "plastic"


def test_runs_are_evaluated_on_the_bodies_of_all_arms() -> None:
    arms = {"one": {"env.morphologies": ["intact"]}, "two": {"env.morphologies": ["spine_damaged", "intact"]}}
    both = {"base": "quick-quadruped", "arms": {"one": arms["one"], "two": {}}}
    assert read_plan(both).evaluation.morphologies == ("intact", "right_front_damaged")
    asked = read_plan({**both, "evaluate": {"morphologies": "intact", "episodes": 3}})
    assert asked.evaluation.morphologies == ("intact",)
    assert read_plan(FILE).evaluation.morphologies == ()


def test_a_file_is_a_mapping_and_its_base_lies_beside_it(tmp_path: Path) -> None:
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "base.yaml").write_text(yaml.safe_dump(BASE))
    (folder / "e.yaml").write_text(yaml.safe_dump({**FILE, "base": "base.yaml"}))
    assert read_plan(folder / "e.yaml") == read_plan(FILE)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sedes": 3}, "did you mean experiment.seeds?"),
        ({"seeds": 0}, "seeds must be a number from 1"),
        ({"seeds": "8"}, "seeds must be a number from 1"),
        ({"seeds": [1, 1]}, "1 is not from 0 to 2**63 - 1, or comes twice"),
        ({"seeds": [-1]}, "-1 is not from 0"),
        ({"agent_steps": 0}, "experiment.agent_steps"),
        ({"base": "quick-asociation"}, "did you mean quick-association?"),
        ({"base": 3}, "experiment.base must be a preset"),
        ({"evaluate": {"episode": 3}}, "did you mean evaluate.episodes?"),
        ({"evaluate": {"morphologies": ["intact"]}}, "one body only"),
        ({"evaluate": {"studies": {"generalise": {}}}}, "did you mean evaluate.studies.generalize?"),
        (
            {"evaluate": {"studies": {"perturb": 3}}},
            "evaluate.studies.perturb: expected keys and values, got 3",
        ),
        (
            {"evaluate": {"studies": {"perturb": {"episode": 3}}}},
            "did you mean evaluate.studies.perturb.episodes?",
        ),
        (
            {"evaluate": {"studies": {"generalize": {}}}},
            "evaluate.studies.generalize: association has one body only",
        ),
        ({"evaluate": {"studies": {"perturb": {}}}}, "need lifetimes of 500 steps or more"),
        ({"evaluate": 64}, "evaluate: expected keys and values"),
        ({"baseline": "statik"}, "did you mean baseline: static?"),
        ({"arms": {"a": {"plasticity.rul": 1}}}, "arm a: "),
        ({"arms": {"a": {"run.seed": 1}}}, "arm a: run.seed follows from seeds:"),
        ({"arms": {"a": {"training": {"generations": 1}}}}, "training.generations follows from agent_steps:"),
        ({"arms": {"a": {"search.agent_steps": 1}}}, "search.agent_steps follows from agent_steps:"),
        ({"arms": {"a": {}, "b": {"env.name": "gymnasium:CartPole-v1"}}}, "env.name differs"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_plan({**FILE, **changes})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", ["- a", "base: [", "", "arms: {a: {}}"])
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "e.yaml").write_text(text)
    with pytest.raises(InputError):
        read_plan(tmp_path / "e.yaml")
    with pytest.raises(InputError, match="cannot read"):
        read_plan(tmp_path / "none.yaml")
