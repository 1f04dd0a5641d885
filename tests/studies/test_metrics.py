"""Metres beside a reward of another kind: in progress.csv, studies and their reports, and in the place of it."""

import csv
import shlex
from pathlib import Path

import numpy as np
import pytest
from matplotlib import image
from tasks import HERE
from worlds import WALKER

import hebbevo
from hebbevo.cli.app import run
from hebbevo.errors import InputError
from hebbevo.genomes.genome import Genome
from hebbevo.studies.running import redraw
from hebbevo.tasks.task import Task

SMALL = {"env.name": "mjcf", "env.mjcf": WALKER, "env.steps": 70, "network.hidden": [4], "run.seed": 3}
STATIC = {
    "plasticity.rule": "none",
    "plasticity.normalise": "none",
    "plasticity.initial_weights": "evolved from normal(0, 1)",
}
WALKED, PAID = "progress", "1 - 0*progress"
BODIES = ("intact", "heavy")
Rows = list[dict[str, str]]


def genome(reward: str) -> Genome:
    task = Task.of(hebbevo.load_config("quick-quadruped", {**SMALL, **STATIC, "env.reward": reward}))
    return Genome(task, task.first_genome(np.random.default_rng(0)), name="robot")


def rows(path: Path) -> Rows:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def same(one: Rows, other: Rows) -> bool:
    """Tell whether two tables agree, but for the last bits of sums taken in another order."""
    cells = [(a[name], b[name]) for a, b in zip(one, other, strict=True) for name in a.keys() | b.keys()]
    return all(a == b or float(a) == pytest.approx(float(b), abs=1e-9) for a, b in cells)


def test_a_run_has_the_metres_of_its_center() -> None:
    few = {"search.population": 4, "training.generations": 2, "evaluation.every": 2, "evaluation.episodes": 2}
    columns, heights = {}, []
    for reward in (WALKED, PAID):
        config = hebbevo.load_config("quick-quadruped", {**SMALL, **STATIC, **few, "env.reward": reward})
        folder = hebbevo.evolve(config, reward[0], execution=HERE).path
        columns[reward] = rows(folder / "progress.csv")
        heights.append(len(image.imread(folder / "figures" / "learning_curve.png")))
    assert "center_metres" not in columns[WALKED][0]
    assert heights == [630, 930], "a panel of metres below"
    first, last = columns[PAID]
    assert (first["center_metres"], last["center_mean"]) == ("", "70.0")
    evaluation = hebbevo.load_genome(PAID[0]).provenance["evaluation"]
    assert evaluation["center_metres"] == float(last["center_metres"]) != 0


def test_generalize_has_metres_beside_the_fitness_or_in_its_place() -> None:
    def study(reward: str, out: str, metric: str | None = None) -> Path:
        given = [genome(reward)]
        return hebbevo.generalize(
            given, out, morphologies=BODIES, episodes=3, metric=metric, execution=HERE
        ).path

    walked, paid, metres = study(WALKED, "walked"), study(PAID, "paid"), study(PAID, "metres", "metres")
    for table in ("table.csv", "lifetimes.csv"):
        assert same(rows(walked / table), rows(metres / table))
    assert {row["mean"] for row in rows(paid / "table.csv")} == {"70"}
    means = [float(row["mean"]) for row in rows(walked / "table.csv")]
    assert [float(row["metres"]) for row in rows(paid / "table.csv")] == pytest.approx(means, abs=1e-12)
    before = (metres / "report.html").read_bytes()
    assert b"mean (m)" in before
    assert b"--metric=metres" in before
    redraw(metres)
    assert (metres / "report.html").read_bytes() == before


def test_perturb_has_metres_beside_the_fitness_or_in_its_place() -> None:
    def study(reward: str, out: str, metric: str | None = None) -> Path:
        arm = {"arm": [genome(reward)]}
        return hebbevo.perturb(
            arm, out, protocols=["push:at=20,speed=2"], episodes=3, metric=metric, execution=HERE
        ).path

    walked, paid, metres = study(WALKED, "walked"), study(PAID, "paid"), study(PAID, "metres", "metres")
    for table in ("table.csv", "lifetimes.csv", "speed.csv", "arms.csv"):
        assert same(rows(walked / table), rows(metres / table))
    for table in ("table.csv", "arms.csv"):
        means = [float(row["mean"]) for row in rows(walked / table)]
        assert [float(row["metres"]) for row in rows(paid / table)] == pytest.approx(means, abs=1e-12)
    assert {row["unit"] for row in rows(walked / "speed.csv")} == {"m/s"}
    assert {row["unit"] for row in rows(paid / "speed.csv")} == {"reward/s"}
    report = (paid / "report.html").read_text()
    assert "reward (95 %)" in report
    assert "progress (95 %)" not in report


def test_a_metric_that_nothing_measures_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError, match="did you mean metres"):
        hebbevo.generalize([genome(PAID)], "g", metric="meters")
    for command in ("generalize", "perturb --perturb none"):
        asked = ["zoo:quick-quadruped-static", "--metric", "metres", "--out", "g"]
        assert run([*shlex.split(command), *asked]) == 2
        assert "quadruped measures progress alone; leave the metric out" in capsys.readouterr().err
    assert not Path("g").exists()
