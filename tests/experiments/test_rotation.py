"""Overrides that depend on the run seed, and what is seen and unseen in the tables of such runs."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbevo.errors import InputError
from hebbevo.experiments.compare import compare
from hebbevo.experiments.directory import open_experiment, read_stored_plan, run_path
from hebbevo.experiments.plan import Plan, read_plan
from hebbevo.experiments.report import write_comparison_report
from hebbevo.training.run_directory import RunDirectory

LEGS = ["right_front_damaged", "left_front_damaged", "right_rear_damaged"]
STATIC = {"plasticity.rule": "none", "plasticity.initial_weights": "evolved from normal(0, 0.1)"}
FILE: dict[str, Any] = {
    "base": "quick-quadruped",
    "arms": {"plastic": {}, "static": STATIC},
    "seeds": 4,
    "rotate": {"env.morphologies": [["intact", leg] for leg in LEGS]},
    "evaluate": {"episodes": 2},
}
DIVERGED = ("plastic", 1, "right_front_damaged", 0)
"""A lifetime: arm, seed, body, episode."""


def score(arm: str, seed: int, body: str, episode: int) -> float:
    """Return the fitness of a lifetime, of numbers that differ wherever the lifetimes do."""
    return 100 * (arm == "plastic") + 10 * ["intact", *LEGS].index(body) + seed + episode / 4


def write_runs(path: Path, plan: Plan) -> Path:
    with open_experiment(path, plan):
        for arm, seed in plan.runs():
            config = plan.config(arm, seed)
            with RunDirectory.create(run_path(path, arm, seed), config.to_yaml()) as run:
                means = {f"center.{body}": float(seed) for body in config.env.morphology_names}
                run.append_row({"generation": 1, "agent_steps": 10**9, "center_mean": float(seed), **means})
            lifetimes = {
                body: {
                    "fitness": [score(arm, seed, body, episode) for episode in range(2)],
                    "steps": [1, 1],
                    "diverged": [(arm, seed, body, episode) == DIVERGED for episode in range(2)],
                }
                for body in plan.evaluation.morphologies
            }
            settings = plan.evaluation.model_dump(mode="json")
            data = {"settings": settings, "perturbed": True, "generation": 1, "lifetimes": lifetimes}
            (run_path(path, arm, seed) / "evaluation.json").write_text(json.dumps(data))
    return path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_runs(tmp_path_factory.mktemp("rotated") / "e", read_plan(FILE))


def test_runs_take_turns_by_their_seed() -> None:
    plan = read_plan({**FILE, "seeds": [5, 0, 4]})
    for arm in FILE["arms"]:
        seen = [plan.config(arm, seed).env.morphology_names for seed in plan.seeds]
        assert seen == [("intact", LEGS[2]), ("intact", LEGS[0]), ("intact", LEGS[1])]
    assert plan.evaluation.morphologies == ("intact", *LEGS)
    assert plan.config("static", 4).plasticity.rule == "none"
    both = {**FILE["rotate"], "search.sigma": [0.1, 0.2, 0.3]}
    assert [read_plan({**FILE, "rotate": both}).config("plastic", n).search.sigma for n in (1, 2)] == [
        0.2,
        0.3,
    ]


def test_roles_stand_for_the_bodies_that_rotate() -> None:
    asked = {**FILE, "evaluate": {"morphologies": ["slippery", "unseen", "seen"]}}
    assert read_plan(asked).evaluation.morphologies == ("slippery", *LEGS)
    with pytest.raises(InputError, match="seen says something where"):
        read_plan({**asked, "rotate": None, "evaluate": {"morphologies": ["seen"]}})


def test_bodies_that_lifetimes_draw_rotate_as_what_they_draw(tmp_path: Path) -> None:
    bodies = {
        f"hurt_{turn}": {"draw": [leg for leg in LEGS if leg != LEGS[turn]], "none": 0.4} for turn in range(3)
    }
    drawn = {
        **FILE,
        "base": {"preset": "quick-quadruped", "env": {"bodies": bodies}},
        "rotate": {"env.morphologies": [[name] for name in bodies]},
    }
    plan = read_plan(drawn)
    assert sorted(plan.evaluation.morphologies) == sorted(["intact", *LEGS])
    asked = {**drawn, "evaluate": {"morphologies": ["unseen", "seen"]}}
    assert sorted(read_plan(asked).evaluation.morphologies) == sorted(LEGS)
    rows = compare([write_runs(tmp_path / "e", plan)]).tables.runs
    assert list(rows[0])[-3:] == ["intact", "seen", "unseen"]
    for row in rows:
        missed = score(row["arm"], row["seed"], LEGS[row["seed"] % 3], 0) + 1 / 8
        if (row["arm"], row["seed"]) != DIVERGED[:2]:
            assert row["unseen"] == pytest.approx(missed)


def test_the_directory_keeps_the_turns(written: Path) -> None:
    plan, kept = read_plan(FILE), read_stored_plan(written)
    assert kept.turns == plan.turns
    turned = {**FILE, "rotate": {"env.morphologies": [["intact", leg] for leg in reversed(LEGS)]}}
    with pytest.raises(InputError, match="rotates otherwise"), open_experiment(written, read_plan(turned)):
        pass


def test_columns_are_of_roles(written: Path) -> None:
    rows = compare([written]).tables.runs
    assert list(rows[0])[-4:] == ["mean", "intact", "seen", "unseen"]
    for row in rows:
        seed, leg = row["seed"], LEGS[row["seed"] % 3]
        assert row["evolved_on"] == f"intact, {leg}"
        of = {
            body: [
                score(row["arm"], seed, body, n) for n in range(2) if (row["arm"], seed, body, n) != DIVERGED
            ]
            for body in ("intact", *LEGS)
        }
        assert row["seen"] == pytest.approx(np.mean(of[leg]))
        if (row["arm"], seed) != DIVERGED[:2]:
            others = [np.mean(of[body]) for body in LEGS if body != leg]
            assert row["unseen"] == pytest.approx(np.mean(others))
            assert row["mean"] == pytest.approx(np.mean([np.mean(of["intact"]), row["seen"], row["unseen"]]))


def test_arms_are_compared_by_roles(written: Path, tmp_path: Path) -> None:
    comparison = compare([written])
    levels = [row["morphology"] for row in comparison.tables.table if row["arm"] == "plastic"]
    assert levels == [None, "intact", "seen", "unseen"]
    seen = next(row for row in comparison.tables.differences if row["morphology"] == "seen")
    assert (seen["difference"], seen["higher"], seen["seeds"]) == (pytest.approx(100), 4, 4)
    write_comparison_report(tmp_path / "report.html", comparison, [])
    assert "those that it did not, unseen" in (tmp_path / "report.html").read_text()


def test_runs_without_a_plan_are_read_likewise(written: Path) -> None:
    runs = ",".join(str(run_path(written, "static", seed)) for seed in range(2))
    assert compare([f"some={runs}"]).compared.bodies == ("intact", LEGS[2], "seen", "unseen")


@pytest.mark.parametrize(
    ("rotate", "message"),
    [
        (3, "rotate: expected keys and lists of values"),
        ({"env.morphologies": "intact"}, "rotate: 'env.morphologies' holds 'intact'"),
        ({"env.morphologies": []}, "rotate: 'env.morphologies' holds []"),
        ({"env.gear": [20, 30], "env.steps": [9]}, "different numbers of values (env.gear 2, env.steps 1)"),
        ({"env.morphologies": [["intact"], ["intcat"]]}, "did you mean intact?"),
        ({"env.morphologies": [["intact"], ["intact", LEGS[0]]]}, "have 256 to 512 lifetimes"),
        ({"run.seed": [1, 2]}, "rotate: run.seed cannot depend on the run seed"),
        ({"env.name": ["dog"]}, "rotate: env.name cannot"),
        ({"env": [{"name": "dog"}]}, "is another world than quadruped"),
        ({"plasticity.rule": ["oja"]}, "plasticity.rule is set by arm static too"),
        ({"sigma": [1]}, "write SECTION.KEY=VALUE"),
    ],
)
def test_what_cannot_rotate_is_refused_in_one_line(rotate: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)) as caught:
        read_plan({**FILE, "rotate": rotate})
    assert "\n" not in str(caught.value)
