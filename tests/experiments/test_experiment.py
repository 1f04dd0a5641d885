"""Experiments end to end: ordinary runs, killed and gone on with, grown, failed in part; tables of what lies there."""

import csv
import multiprocessing
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from hebbevo import Execution, evaluate, evolve, load_config, load_genome
from hebbevo.cli.app import run as cli
from hebbevo.errors import InputError
from hebbevo.experiments.compare import compare
from hebbevo.experiments.directory import open_experiment, read_stored_plan
from hebbevo.experiments.evaluation_file import read_evaluation_file
from hebbevo.experiments.experiment import Studying, experiment, orders_of
from hebbevo.experiments.genomes import load_arms
from hebbevo.experiments.plan import read_plan
from hebbevo.experiments.report import cautions
from hebbevo.experiments.run import finish, is_finished
from hebbevo.experiments.workers import Advanced, Event, Finished

HERE = Execution(threads=1)
BASE: dict[str, Any] = {
    "preset": "quick-quadruped",
    "env": {"name": "gymnasium:CartPole-v1", "steps": 40},
    "network": {"hidden": [4]},
    "search": {"population": 6},
    "evaluation": {"every": 1, "episodes": 2},
}
STATIC = {"plasticity.rule": "none", "plasticity.initial_weights": "evolved from normal(0, 0.1)"}
FILE: dict[str, Any] = {
    "base": BASE,
    "arms": {"plastic": {}, "static": STATIC},
    "seeds": 2,
    "agent_steps": 300,
    "evaluate": {"episodes": 3},
}
CLOCKS = ("log.jsonl", "tensorboard", "figures")
"""What of a run is of its clock; its figure is drawn at the end alone."""


def contents(directory: Path) -> dict[str, bytes]:
    """Return all files that hold no clock times, by path."""
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file() and not set(path.relative_to(directory).parts) & set(CLOCKS)
    }


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("finished") / "e"
    found = experiment(FILE, path, jobs=2, execution=HERE)
    assert not found.failures
    return path


@pytest.fixture
def copy(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "copy"))


def test_a_run_is_the_one_that_evolve_makes(finished: Path, tmp_path: Path) -> None:
    overrides = {**STATIC, "run.seed": 1, "training.agent_steps": 300, "training.generations": 50}
    alone = evolve(load_config(BASE, overrides), tmp_path / "alone", execution=HERE).path
    found = contents(finished / "static" / "seed-1")
    found.pop("evaluation.json")
    assert found == contents(alone)


def test_a_run_has_the_scores_of_evaluate(finished: Path) -> None:
    table = {(row["arm"], row["seed"]): row for row in rows(finished / "runs.csv")}
    assert list(table) == [(arm, seed) for arm in ("plastic", "static") for seed in ("0", "1")]
    for (arm, seed), row in table.items():
        directory = finished / arm / f"seed-{seed}"
        genome = load_genome(directory)
        expected = evaluate(genome, episodes=3, controls=False).progress("default").mean()
        progress = rows(directory / "progress.csv")
        assert float(row["mean"]) == float(row["default"]) == expected
        assert int(row["generations"]) == len(progress) == genome.provenance["generation"]
        assert int(row["agent_steps"]) == sum(int(line["agent_steps"]) for line in progress) >= 300


def test_tables_have_the_columns_that_others_rely_on(finished: Path) -> None:
    columns = {
        "runs": "arm,seed,generations,agent_steps,mean,default",
        "table": "arm,morphology,runs,iqm,iqm_low,iqm_high,mean,median,improvement,improvement_low,improvement_high",
        "curves": "arm,agent_steps,iqm,iqm_low,iqm_high,runs",
    }
    for name, expected in columns.items():
        assert list(rows(finished / f"{name}.csv")[0]) == expected.split(",")
    means = [float(row["mean"]) for row in rows(finished / "runs.csv") if row["arm"] == "plastic"]
    others = [float(row["mean"]) for row in rows(finished / "runs.csv") if row["arm"] == "static"]
    plastic, static = rows(finished / "table.csv")
    assert float(plastic["iqm"]) == pytest.approx(np.mean(means))
    wins = [(a > b) + 0.5 * (a == b) for a in means for b in others]
    assert float(plastic["improvement"]) == pytest.approx(np.mean(wins))
    assert static["improvement"] == ""
    assert float(plastic["iqm_low"]) <= float(plastic["iqm"]) <= float(plastic["iqm_high"])


def test_a_finished_one_called_again_computes_nothing_and_keeps_its_bytes(copy: Path) -> None:
    before, events = contents(copy), list[Event]()
    experiment(FILE, copy, execution=HERE, watch=events.append)
    assert not events
    assert contents(copy) == before


def test_studies_take_its_arms(copy: Path, caplog: pytest.LogCaptureFixture) -> None:
    arms = load_arms([copy])
    assert [(name, len(genomes)) for name, genomes in arms.items()] == [("plastic", 2), ("static", 2)]
    labelled = load_arms([f"one={copy}/plastic/seed-0", f"both={copy}/static", f"two={copy}/static/seed-1,"])
    assert [(name, isinstance(found, list)) for name, found in labelled.items()] == [
        ("one", False),
        ("both", True),
        ("two", True),
    ]
    assert [genome.name for genome in load_arms([copy / "plastic" / "seed-0"])] == [f"{copy}/plastic/seed-0"]
    with pytest.raises(InputError, match="static is given twice"):
        load_arms([copy, copy / "static"])
    shutil.rmtree(copy / "static" / "seed-1" / "checkpoints")
    assert len(load_arms([copy])["static"]) == 1
    assert "static: 1 of 2 runs are not finished and left out" in caplog.text
    shutil.rmtree(copy / "static")
    with pytest.raises(InputError, match="static: no run is finished yet"):
        load_arms([copy])


@pytest.mark.slow
def test_studies_of_all_runs_grow_with_the_experiment(copy: Path) -> None:
    studies = {"perturb": {"protocols": ["zero_weights:at=5"], "episodes": 2}}
    file = {**FILE, "evaluate": {"episodes": 3, "studies": studies}}
    told: list[Event | Studying] = []
    experiment(file, copy, execution=HERE, watch=told.append)
    assert isinstance(told[-1], Studying)
    assert told[-1].done == told[-1].total
    table = copy / "studies" / "perturb" / "arms.csv"
    assert {(row["arm"], row["runs"]) for row in rows(table)} == {("plastic", "2"), ("static", "2")}
    assert read_stored_plan(copy) == read_plan(file)
    experiment({**file, "seeds": 3}, copy, execution=HERE)
    assert {row["runs"] for row in rows(table)} == {"3"}
    assert len(list((copy / "studies" / "perturb" / "genomes").iterdir())) == 6


def test_one_killed_and_interrupted_goes_on_to_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    killed: list[str] = []
    ended: list[Finished] = []

    def disturb(event: Event) -> None:
        if isinstance(event, Finished):
            ended.append(event)
        elif isinstance(event, Advanced) and not killed:
            killed.append(event.order.name)
            for process in multiprocessing.active_children():
                process.kill()
        elif isinstance(event, Advanced):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        experiment(FILE, tmp_path / "e", execution=HERE, watch=disturb)
    assert [(event.order.name, event.failure) for event in ended] == [
        ("plastic/seed-0", "its process ended, exit code -9")
    ]
    assert not list(tmp_path.rglob("evaluation.json"))
    assert not multiprocessing.active_children()
    experiment(FILE, tmp_path / "e", execution=HERE)
    assert contents(tmp_path / "e") == contents(finished)


def test_it_grows_by_seeds_and_arms(copy: Path) -> None:
    before = contents(copy)
    plan = read_plan({**FILE, "seeds": [1, 0, 2], "arms": {"wide": {"search.sigma": 1.0}, **FILE["arms"]}})
    with open_experiment(copy, plan):
        after = contents(copy)
    assert before.pop("experiment.yaml") != after.pop("experiment.yaml")
    assert after == before
    left = [order.name for order in orders_of(plan, copy, HERE, 1) if not is_finished(order)]
    assert left == ["wide/seed-1", "wide/seed-0", "wide/seed-2", "plastic/seed-2", "static/seed-2"]
    assert "plastic/seed-2" in "".join(cautions(compare([copy])))


def test_with_a_larger_budget_runs_go_on_and_end_as_if_they_had_had_it_from_the_beginning(
    copy: Path, tmp_path: Path
) -> None:
    """Genomes and checkpoints of before, which say how long the run was to be then, are all that differs."""
    longer, before = {**FILE, "agent_steps": 800}, contents(copy)
    with open_experiment(copy, read_plan(longer)):
        assert not any(map(is_finished, orders_of(read_plan(longer), copy, HERE, 1)))
    with pytest.raises(InputError, match="no run is finished yet"):
        compare([copy])
    assert all(map(is_finished, orders_of(read_plan(FILE), copy, HERE, 1)))
    for path in (copy, tmp_path / "straight"):
        assert not experiment(longer, path, execution=HERE).failures
    grown, straight = contents(copy), contents(tmp_path / "straight")
    assert grown.keys() == straight.keys()
    different = {name for name in grown if grown[name] != straight[name]}
    assert all(name.endswith(".safetensors") for name in different)
    assert different <= before.keys()
    assert not any(name.endswith("center.safetensors") for name in different)
    assert all(800 <= int(row["agent_steps"]) < 1040 for row in rows(copy / "runs.csv"))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"arms": {"plastic": {"network.hidden": [5]}, "static": STATIC}}, "arm plastic is not that of"),
        ({"arms": {"plastic": {"network.hidden": [5]}, "static": STATIC}}, "network.hidden: [4] -> [5]"),
        ({"agent_steps": 200}, "training.agent_steps: 300 -> 200"),
        ({"arms": {"plastic": {}}}, "arm static of"),
        ({"seeds": 1}, "seeds of"),
    ],
)
def test_a_change_is_refused_and_changes_nothing(
    finished: Path, changes: dict[str, Any], message: str
) -> None:
    before = contents(finished)
    with pytest.raises(InputError, match=re.escape(message)):
        experiment({**FILE, **changes}, finished)
    assert contents(finished) == before


def test_a_directory_of_something_else_is_refused(finished: Path, tmp_path: Path) -> None:
    (tmp_path / "e").mkdir()
    (tmp_path / "e" / "notes.txt").write_text("mine")
    for path in (tmp_path / "e", tmp_path / "e" / "notes.txt", finished / "plastic" / "seed-0"):
        with pytest.raises(InputError, match="is not an experiment"):
            experiment(FILE, path)


def test_other_lifetimes_evaluate_finished_runs_again(copy: Path) -> None:
    plan = read_plan({**FILE, "evaluate": {"episodes": 4, "seed": 9, "steps": 20}})
    first, *others = orders_of(plan, copy, HERE, 1)
    assert not any(map(is_finished, (first, *others)))
    before = contents(copy)
    finish(first)
    assert is_finished(first)
    assert {name for name, data in contents(copy).items() if data != before[name]} == {
        "plastic/seed-0/evaluation.json"
    }
    found, genome = read_evaluation_file(first.path), load_genome(first.path).lasting(20)
    expected = evaluate(genome, episodes=4, seed=9, controls=False).progress("default")
    assert found is not None
    assert found.fitness["default"].tolist() == expected.tolist()


def test_a_run_that_fails_is_reported_and_the_others_go_on(
    copy: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(copy / "plastic" / "seed-0")
    (copy / "plastic" / "seed-0").write_text("in the way")
    (copy / "static" / "seed-0" / "config.yaml").write_text("env: {")
    (copy / "static" / "seed-1" / "evaluation.json").write_text('{"settings"')
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(FILE))
    assert cli(["experiment", str(tmp_path / "e.yaml"), "--out", str(copy), "--threads", "1"]) == 1
    out, err = capfd.readouterr()
    assert "plastic/seed-0 failed: " in err
    assert "exists and is not a run directory" in err
    assert "static/seed-0 failed: " in err
    assert "2 runs failed; to try again: hebbevo experiment" in err
    assert "Traceback" not in err
    assert "static/seed-1: evaluated" in out
    assert [(row["arm"], row["seed"]) for row in rows(copy / "runs.csv")] == [
        ("plastic", "1"),
        ("static", "0"),
        ("static", "1"),
    ]


@pytest.mark.slow
def test_killed_at_random_and_gone_on_with_it_has_the_bytes_of_one_never_killed(tmp_path: Path) -> None:
    small = {"env": {"steps": 40}, "search": {"population": 8}, "evaluation": {"every": 5, "episodes": 4}}
    arms = {"plastic": {}, "hebb": {"plasticity.rule": "hebb"}, "static": STATIC}
    base = {"preset": "quick-association", **small}
    file = {"base": base, "arms": arms, "seeds": 4, "agent_steps": 20_000, "evaluate": {"episodes": 4}}
    (tmp_path / "e.yaml").write_text(yaml.safe_dump(file))
    command = [sys.executable, "-m", "hebbevo", "experiment", "e.yaml", "--jobs", "2", "--out"]
    subprocess.run([*command, "alone"], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    moments = random.Random(1)
    for _ in range(10):
        process = subprocess.Popen(
            [*command, "killed"], cwd=tmp_path, stdout=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(moments.uniform(0.5, 4.0))
        process.kill()  # the parent alone: its processes end with it
        process.wait()
    subprocess.run([*command, "killed"], cwd=tmp_path, check=True, stdout=subprocess.DEVNULL)
    assert contents(tmp_path / "killed") == contents(tmp_path / "alone")
