"""Studies of arms: rows over runs, beside the rows of every genome, as the lifetimes of those say."""

import csv
import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats
from tasks import HERE, QUADRUPED, quadruped_task, small_config

from hebbevo import Execution, Genome, InputError, generalize, load_genome, perturb
from hebbevo.genomes.genome import save_genome
from hebbevo.studies.arms import named_sources, split_arms, uses_copies
from hebbevo.studies.generalization.plan import make_plan
from hebbevo.studies.generalization.report import command as generalization_command
from hebbevo.studies.running import redraw
from hebbevo.tasks.task import Task

BODIES = ("intact", "right_front_damaged", "left_front_damaged")
STATIC = ("plasticity.rule=none", "plasticity.normalise=none", "plasticity.initial_weights=evolved")
EPISODES = 3

Row = dict[str, str]


def genome(task: Task, seed: int, run_seed: object = None) -> Genome:
    values = task.first_genome(np.random.default_rng(seed))
    return Genome(task, values, {"seed": seed if run_seed is None else run_seed}, f"somewhere/{seed}")


def on(leg: str, *overrides: str) -> Task:
    return quadruped_task(f"env.morphologies=[intact, {leg}]", *overrides)


ARMS = {
    "plastic": [genome(on(leg), seed) for seed, leg in enumerate(BODIES[1:])],
    "static": [genome(on(BODIES[1], *STATIC), seed) for seed in range(3)],
    "alone": genome(on(BODIES[1]), 9),
}


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_genomes_are_called_after_arm_and_run_seed() -> None:
    genomes, arms = split_arms(ARMS)
    assert arms == {
        "plastic": ("plastic/seed-0", "plastic/seed-1"),
        "static": ("static/seed-0", "static/seed-1", "static/seed-2"),
    }
    assert [one.name for one in genomes] == [*arms["plastic"], *arms["static"], "alone"]
    task = ARMS["alone"].task
    for seeds in ((4, 4), (1, None), (True, 2)):
        given = [Genome(task, ARMS["alone"].values, {"seed": seed}, "x") for seed in seeds]
        assert split_arms({"a": given})[1] == {"a": ("a/0", "a/1")}
    assert split_arms([ARMS["alone"]]) == ((ARMS["alone"],), {})
    with pytest.raises(InputError, match="arm a has no genome"):
        split_arms({"a": []})


def test_a_command_names_places_and_copies() -> None:
    task, values = ARMS["alone"].task, ARMS["alone"].values
    genomes = [
        Genome(task, values, name=name)
        for name in ("a", "zoo:b", "runs/c", "d/seed-1", "e/seed-1", "e/seed-2")
    ]
    arms = {"d": ("d/seed-1",), "e": ("e/seed-1", "e/seed-2")}
    asked = [genome.name for genome in genomes if genome.name != "runs/c"]
    copies = [f"genomes/{number}.safetensors" for number in range(6)]
    expected = [f"a={copies[0]}", "zoo:b", f"d={copies[3]},", f"e={copies[4]},{copies[5]}"]
    assert named_sources(genomes, arms, asked) == expected
    assert [uses_copies(one) for one in expected] == [True, False, True, True]
    assert named_sources(genomes, arms, ["runs/c"]) == [copies[2]], "runs/c is not seen from there"
    assert named_sources(genomes[1:3], {}, ["zoo:b", "runs/c"]) == ["zoo:b", "runs/c"]


def test_a_command_names_copies_of_genomes_to_which_bodies_were_added(tmp_path: Path) -> None:
    robot = replace(ARMS["alone"], name="runs/a").with_bodies({"halved": [{"scale_mass": {"factor": 0.5}}]})
    plan = make_plan([robot], ["halved"], 2, 1, None)
    written = shlex.split(generalization_command(plan))
    assert written[2] == "genomes/0.safetensors"
    assert uses_copies(shlex.join(written))
    save_genome(robot, tmp_path / "0.safetensors")
    again = replace(load_genome(tmp_path / "0.safetensors"), name="runs/a")
    assert make_plan([again], ["halved"], 2, 1, None).settings() == plan.settings()


@pytest.fixture(scope="module")
def generalized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("arms") / "g"
    return generalize(
        ARMS, out, morphologies=BODIES, episodes=EPISODES, baseline="static", execution=HERE
    ).path


def test_controls_may_be_left_out(generalized: Path, tmp_path: Path) -> None:
    plan = make_plan(ARMS, BODIES, EPISODES, 1, "static", controls=False)
    assert shlex.split(generalization_command(plan))[-2] == "--no-controls"
    assert "controls" not in make_plan(ARMS, BODIES, EPISODES, 1, "static").settings(), "as kept before"
    options: dict[str, Any] = {"morphologies": BODIES, "episodes": EPISODES, "baseline": "static"}
    path = generalize(ARMS, tmp_path / "g", **options, controls=False, execution=HERE).path
    before = (path / "arms.csv").read_bytes()
    assert read(path / "arms.csv") == [
        row for row in read(generalized / "arms.csv") if row["condition"] == "genome"
    ]
    redraw(path)
    assert (path / "arms.csv").read_bytes() == before


def run_means(path: Path, row: Row, groups: Sequence[str]) -> list[float]:
    return list(means_by_run(path, row, groups).values())


def means_by_run(path: Path, row: Row, groups: Sequence[str]) -> dict[str, float]:
    """Return the mean of every run over the lifetimes of a row, from the table of lifetimes."""
    found: dict[str, list[float]] = {}
    for one in read(path / "lifetimes.csv"):
        if (
            one["genome"].startswith(f"{row['arm']}/")
            and one["condition"] == row["condition"]
            and one["group"] in groups
            and row["morphology"] in ("", one["morphology"])
        ):
            found.setdefault(one["genome"], []).append(float(one["progress_m"]))
    return {name: float(np.mean(values)) for name, values in found.items()}


def test_rows_of_arms_are_over_their_runs(generalized: Path) -> None:
    rows = {tuple(row.values())[:4]: row for row in read(generalized / "arms.csv")}
    assert len(rows) == len(read(generalized / "arms.csv"))
    assert rows["plastic", "genome", "unseen", "left_front_damaged"]["runs"] == "1"
    assert rows["plastic", "genome", "seen", "intact"]["runs"] == "2"
    for row in rows.values():
        scores = run_means(generalized, row, [row["group"]])
        assert int(row["runs"]) == len(scores)
        assert float(row["iqm"]) == pytest.approx(stats.trim_mean(scores, 0.25))
        assert float(row["median"]) == pytest.approx(np.median(scores))
        baseline = {**row, "arm": "static", "condition": "genome"}
        if (row["arm"], row["condition"]) == ("static", "genome"):
            assert row["improvement_over"] == ""
        elif others := run_means(generalized, baseline, [row["group"]]):
            wins = stats.mannwhitneyu(scores, others).statistic / len(scores) / len(others)
            assert float(row["improvement"]) == pytest.approx(wins)
            assert row["improvement_over"] == "static"
        if len(scores) > 1:
            assert float(row["iqm_low"]) < float(row["iqm"]) < float(row["iqm_high"])
        else:
            assert row["iqm_low"] == ""


def test_what_arms_keep_is_the_ratio_to_their_first_body(generalized: Path) -> None:
    """Where the score there is above zero in every run."""
    kept = 0
    for row in read(generalized / "arms.csv"):
        here = means_by_run(generalized, row, [row["group"]])
        intact = means_by_run(generalized, {**row, "morphology": "intact"}, ["seen"])
        home = [intact[name] for name in here]
        if row["condition"] != "genome" or min(home) <= 0:
            assert row["retention"] == ""
            continue
        kept += 1
        ratios = np.divide(list(here.values()), home)
        assert float(row["retention"]) == pytest.approx(stats.trim_mean(ratios, 0.25))
        if row["retention_low"]:
            assert float(row["retention_low"]) <= float(row["retention"]) <= float(row["retention_high"])
        if row["morphology"] == "intact":
            assert float(row["retention"]) == 1
    assert kept


def test_arms_are_drawn_again_from_the_directory(generalized: Path) -> None:
    names = ("arms.csv", "table.csv", "groups.png", "report.html")
    before = {name: (generalized / name).read_bytes() for name in names}
    redraw(generalized)
    assert {name: (generalized / name).read_bytes() for name in names} == before
    page = before["report.html"].decode()
    assert "plastic=genomes/0.safetensors,genomes/1.safetensors" in page
    assert "alone=genomes/5.safetensors" in page


def test_losses_of_arms_are_over_their_runs(tmp_path: Path) -> None:
    task = Task.of(small_config("env.steps=60", env=QUADRUPED))
    arms = {"a": [genome(task, seed) for seed in range(2)], "b": genome(task, 5)}
    asked = ["zero_weights:at=20", "freeze:at=0"]
    perturb(arms, tmp_path / "p", protocols=asked, episodes=EPISODES, execution=HERE)
    lifetimes = [one for one in read(tmp_path / "p" / "lifetimes.csv") if one["genome"].startswith("a/")]
    rows = read(tmp_path / "p" / "arms.csv")
    assert [(row["arm"], row["protocol"]) for row in rows] == [
        ("a", name) for name in ("unperturbed", *asked)
    ]
    for row in rows:
        here = [one for one in lifetimes if one["protocol"] == row["protocol"]]
        progress = np.array([float(one["progress"]) for one in here]).reshape(2, EPISODES)
        assert float(row["mean"]) == pytest.approx(progress.mean())
        if row["protocol"] != "unperturbed":
            losses = np.array([float(one["loss"]) for one in here]).reshape(2, EPISODES)
            assert float(row["loss"]) == pytest.approx(losses.mean(), abs=1e-12)
            assert float(row["loss_low"]) <= float(row["loss"]) <= float(row["loss_high"])
    followed = {row["genome"] for row in read(tmp_path / "p" / "trajectories.csv")}
    assert followed == {"a/seed-0", "b"}


@pytest.mark.slow
def test_a_study_on_ray_has_the_same_bytes(generalized: Path, tmp_path: Path) -> None:
    out = tmp_path / "g"
    on_ray = Execution(workers=1)
    generalize(ARMS, out, morphologies=BODIES, episodes=EPISODES, baseline="static", execution=on_ray)
    for name in ("lifetimes.csv", "table.csv", "arms.csv", "report.html"):
        assert (out / name).read_bytes() == (generalized / name).read_bytes()


def test_a_study_takes_places_as_evaluate_does_and_prints_as_a_short_line(tmp_path: Path) -> None:
    at, one = tmp_path / "one.safetensors", ARMS["alone"]
    save_genome(one, at)
    for given in (str(at), [at], [str(at)]):
        ((found,), arms) = split_arms(given)
        assert (found.name, arms) == (str(at), {})
        np.testing.assert_array_equal(found.values, one.values)
    ((found, *others), arms) = split_arms({"a": at, "b": [at, one]})
    assert found.name == "a"
    assert [other.name for other in others] == list(arms["b"])
    folder = tmp_path / "g"
    study = generalize(at, folder, morphologies=["intact"], episodes=1, controls=False, execution=HERE)
    assert repr(study) == f"Generalization('{folder}': 2 genomes on 1 bodies)"
