"""What `compare` makes of run directories: labels, baselines, curves, cautions, files; 500 runs in seconds."""

import csv
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbevo import load_config
from hebbevo.cli.app import run as cli
from hebbevo.errors import InputError
from hebbevo.experiments.compare import compare
from hebbevo.experiments.directory import PLAN_FILE, open_experiment, run_path
from hebbevo.experiments.plan import Plan, read_plan
from hebbevo.experiments.report import cautions
from hebbevo.training.run_directory import RunDirectory

STATIC = {"plasticity.rule": "none", "plasticity.initial_weights": "evolved from normal(0, 0.1)"}
BODIES = ("intact", "right_front_damaged")


def write_run(
    path: Path, config: Any, shift: float, settings: dict[str, Any] | None, points: int = 5
) -> None:
    """Write a run that ended, with scores around `shift`, as evolution and evaluation leave one."""
    generator = np.random.default_rng((config.run.seed, round(abs(shift) * 10)))
    with RunDirectory.create(path, config.to_yaml()) as run:
        steps = 1000 + 10 * config.run.seed
        for generation in range(1, points + 1):
            means = dict(zip(BODIES, shift * generation / points + generator.normal(0, 0.1, 2), strict=True))
            run.append_row(
                {
                    "generation": generation,
                    "agent_steps": steps,
                    "center_mean": float(np.mean([*means.values()])),
                    **{f"center.{body}": float(mean) for body, mean in means.items()},
                }
            )
    if settings is not None:
        fitness = {body: (shift + generator.normal(0, 1, settings["episodes"])).tolist() for body in BODIES}
        columns = {
            body: {"fitness": values, "steps": [1] * len(values), "diverged": [False] * len(values)}
            for body, values in fitness.items()
        }
        data = {"settings": settings, "perturbed": True, "generation": points, "lifetimes": columns}
        (path / "evaluation.json").write_text(json.dumps(data))


def plan_of(arms: int, seeds: int, episodes: int = 4) -> Plan:
    names: dict[str, Any] = {"static": STATIC, **{f"plastic-{number}": {} for number in range(1, arms)}}
    base = {"preset": "quick-quadruped", "training": {"generations": 5}}
    file = {
        "base": base,
        "arms": names,
        "seeds": seeds,
        "agent_steps": None,
        "evaluate": {"episodes": episodes},
    }
    return read_plan(file)


def write_experiment(path: Path, plan: Plan, leave_out: int = 0) -> Path:
    with open_experiment(path, plan):
        for arm, seed in plan.runs()[: len(plan.runs()) - leave_out]:
            shift = 3.0 + list(plan.arms).index(arm)
            settings = plan.evaluation.model_dump(mode="json")
            write_run(run_path(path, arm, seed), plan.config(arm, seed), shift, settings)
    return path


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_experiment(tmp_path_factory.mktemp("small") / "e", plan_of(3, 4), leave_out=1)


def test_several_bodies_have_a_mean_and_each_a_row(small: Path) -> None:
    table = compare([small]).tables.table
    assert [(row["arm"], row["morphology"]) for row in table[:3]] == [
        ("static", None),
        ("static", "intact"),
        ("static", "right_front_damaged"),
    ]
    for arm in ("static", "plastic-1"):
        mean, *each = [row["mean"] for row in table if row["arm"] == arm]
        assert mean == pytest.approx(np.mean(each))
    improved = next(row for row in table if row["arm"] == "plastic-2")
    assert improved["improvement"] == 1.0


def test_pairs_are_of_seeds_that_both_arms_have(small: Path) -> None:
    comparison = compare([small], baseline="plastic-2")
    pairs = {(row["arm"], row["morphology"]): row for row in comparison.tables.differences}
    assert pairs["static", None]["seeds"] == 3
    scores = {(row["arm"], row["seed"]): row["mean"] for row in comparison.tables.runs}
    expected = np.mean([scores["static", seed] - scores["plastic-2", seed] for seed in range(3)])
    found = pairs["static", None]
    assert found["difference"] == pytest.approx(expected)
    assert found["difference_low"] < expected < found["difference_high"] < 0
    assert found["higher"] == 0


def test_curves_end_where_all_runs_do(small: Path) -> None:
    curve = compare([small]).curves["static"]
    assert (curve.steps[0], curve.steps[-1]) == (1030, 5000)  # the first of seed 3, the last of seed 0
    assert curve.runs == 4
    assert (np.diff(curve.middle) > 0).all()


def test_sample_efficiency_is_the_first_evaluation_that_reaches_the_score(small: Path) -> None:
    rows = {row["arm"]: row for row in compare([small], score=3.6).tables.efficiency}
    assert (rows["static"]["reached"], rows["static"]["agent_steps"]) == (0, None)
    assert rows["plastic-1"]["reached"] == 4
    assert (
        rows["plastic-1"]["agent_steps"] == 5 * 1020
    )  # 4.0 at the end, 3.2 before; the higher of two in the middle


def test_readers_are_told_what_they_may_not_conclude(small: Path) -> None:
    notes = "\n".join(cautions(compare([small])))
    assert "static, plastic-1: 4 runs; 95 % intervals of fewer than 8 are too narrow" in notes
    assert "plastic-2: 1 run not finished and left out: plastic-2/seed-3." in notes
    assert "plastic-1 against static" not in notes  # 4 against 4: 2 of 70
    assert "plastic-2 against static" in notes  # 3 against 4: 2 of 35
    assert "with probability 0.06 (Mann-Whitney" in notes


def test_labels_make_arms_of_runs(small: Path, tmp_path: Path) -> None:
    runs = ",".join(str(run_path(small, "plastic-1", seed)) for seed in range(2))
    comparison = compare([f"ours={runs}", small / "static"])
    assert [(arm.name, len(arm.runs)) for arm in comparison.compared.arms] == [("ours", 2), ("static", 4)]
    assert comparison.compared.baseline.name == "static"
    assert comparison.compared.evaluated
    other = write_experiment(tmp_path / "other", plan_of(1, 2))
    both = compare([small, other]).compared
    assert [arm.name for arm in both.arms] == ["e.static", "e.plastic-1", "e.plastic-2", "other.static"]


def test_runs_without_evaluations_are_compared_by_their_last_center(tmp_path: Path) -> None:
    config = load_config("quick-quadruped", {"training.generations": 5})
    for seed in range(3):
        one = config.model_copy(update={"run": config.run.model_copy(update={"seed": seed})})
        write_run(tmp_path / f"r{seed}", one, 2.0, None)
    write_run(tmp_path / "short", config, 2.0, None, points=4)
    comparison = compare([f"a={tmp_path}/r0,{tmp_path}/r1", f"b={tmp_path}/r2,{tmp_path}/short"])
    assert not comparison.compared.evaluated
    notes = "\n".join(cautions(comparison))
    assert "the last mean of the center in training" in notes
    assert f"b: 1 run not finished and left out: {tmp_path}/short" in notes
    assert "b: one run says nothing" in notes


@pytest.mark.parametrize(
    ("sources", "options", "message"),
    [
        ([], {}, "nothing to compare"),
        (["none"], {}, "none is no experiment"),
        (["a b={static}"], {}, "'a b' cannot name an arm"),
        (["a={static}", "a={static}"], {}, "two arms are called 'a'"),
        (["{e}"], {"baseline": "statik"}, "did you mean static?"),
        (["{e}"], {"formats": ["jpeg"]}, "unknown format 'jpeg'"),
    ],
)
def test_what_cannot_be_compared_is_refused(
    small: Path, sources: list[str], options: dict[str, Any], message: str
) -> None:
    named = [source.format(e=small, static=small / "static") for source in sources]
    with pytest.raises(InputError, match=re.escape(message)):
        compare(named, **options)


def test_a_damaged_plan_is_one_line(tmp_path: Path) -> None:
    for text in (
        "seeds: [0",
        "- a",
        "arms: {}",
        "arms: {a: {env: {}}}\nevaluate: {}\nseeds: [0]\nbaseline: a",
    ):
        (tmp_path / PLAN_FILE).write_text(text)
        with pytest.raises(InputError) as caught:
            compare([tmp_path])
        assert "\n" not in str(caught.value)


def test_files_are_functions_of_the_runs(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("a", "b"):
        assert (
            cli(["compare", str(small), "--out", str(tmp_path / name), "--format", "svg", "--format", "pdf"])
            == 0
        )
    assert "P(better)" in capsys.readouterr().out
    first, second = ({path.name: path.read_bytes() for path in (tmp_path / name).iterdir()} for name in "ab")
    assert first == second
    figures = {f"{name}.{kind}" for name in ("scores", "curves", "profile") for kind in ("png", "svg", "pdf")}
    tables = {f"{name}.csv" for name in ("runs", "table", "curves", "efficiency", "differences")}
    assert set(first) == figures | tables | {"table.tex", "report.html"}
    tex = first["table.tex"].decode()
    assert r"right\_front\_damaged" in tex
    assert tex.count(r"\\") == 1 + len(list(csv.reader((tmp_path / "a" / "table.csv").open()))) - 1
    assert cli(["compare", f"x={small}/static"]) == 0
    assert "nothing was written" in capsys.readouterr().out


def test_500_runs_are_compared_in_seconds(tmp_path: Path) -> None:
    """The budget, 20 s and 2 GB, is measured by hand; here it must only work, with a tenth of the lifetimes."""
    comparison = compare([write_experiment(tmp_path / "e", plan_of(10, 5))])
    assert len(comparison.tables.runs) == 50
