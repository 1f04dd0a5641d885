"""Generalisation: the lifetimes are `evaluate`'s, the statistics those of its rows, equal studies are equal bytes."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from tasks import HERE, cart_pole_task, quadruped_task
from test_report import Page

from hebbevo import (
    Execution,
    Generalization,
    Genome,
    InputError,
    evaluate,
    generalize,
    load_genome,
)
from hebbevo.envs.morphologies.catalogue import NAMED, split_names
from hebbevo.errors import EnvError
from hebbevo.evaluation.controls import GENOME
from hebbevo.studies.generalization import plan as generalization_plan
from hebbevo.studies.generalization.plan import make_plan
from hebbevo.studies.running import redraw
from hebbevo.tasks.task import Task

BODIES = ("intact", "left_front_damaged", "right_front_amputated", "test_04")
EPISODES = 5
STATIC = ("plasticity.rule=none", "plasticity.initial_weights=evolved", "network.hidden=5")
TABLES = ("lifetimes.csv", "lifetimes.parquet", "table.csv")

Row = dict[str, str]


def genome_of(task: Task, name: str, seed: int = 0) -> Genome:
    return Genome(task, task.first_genome(np.random.default_rng(seed)), {"generation": 3, "seed": 1}, name)


PLASTIC = genome_of(quadruped_task(), "plastic")
FIXED = genome_of(quadruped_task(*STATIC, "env.morphologies=[left_front_damaged]"), "static")


def study(out: Path | str, execution: Execution = HERE, seed: int = 4, **options: object) -> Generalization:
    return generalize(
        [PLASTIC, FIXED],
        out,
        **{"morphologies": BODIES, "episodes": EPISODES, **options},  # type: ignore[arg-type]
        seed=seed,
        execution=execution,
    )


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("studies") / "g").path


@pytest.fixture(scope="module")
def lifetimes(finished: Path) -> list[Row]:
    return read(finished / "lifetimes.csv")


@pytest.fixture(scope="module")
def table(finished: Path) -> list[Row]:
    return read(finished / "table.csv")


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def progress(lifetimes: list[Row], **where: str) -> np.ndarray:
    rows = [row for row in lifetimes if all(row[name] == value for name, value in where.items())]
    return np.array([float(row["progress_m"]) for row in rows])


@pytest.mark.parametrize("genome", [PLASTIC, FIXED], ids=lambda genome: genome.name)
def test_every_lifetime_is_the_one_of_evaluate(genome: Genome, lifetimes: list[Row]) -> None:
    evaluation = evaluate(genome, episodes=EPISODES, seed=4, morphologies=BODIES, execution=HERE)
    for body, conditions in evaluation.lifetimes.items():
        for condition, expected in conditions.items():
            found = progress(lifetimes, genome=genome.name, condition=condition, morphology=body)
            np.testing.assert_array_equal(found, expected.fitness)
    assert {row["steps"] for row in lifetimes} == {"40"}
    assert {row["diverged"] for row in lifetimes} == {"false"}


def test_rows_say_what_they_are(lifetimes: list[Row]) -> None:
    assert len(lifetimes) == len(BODIES) * EPISODES * (4 + 3)
    assert {row["condition"] for row in lifetimes if row["genome"] == "static"} == {
        GENOME,
        "shuffled",
        "random",
    }
    seeds = {(row["episode"], row["seed"]) for row in lifetimes}
    assert len(seeds) == EPISODES
    for row in lifetimes[:: len(lifetimes) // 20]:
        assert float(row["paper_distance"]) == pytest.approx(float(row["progress_m"]) / 0.0165)


def test_a_genome_has_seen_what_it_evolved_on(lifetimes: list[Row], table: list[Row]) -> None:
    def groups(rows: list[Row], genome: str) -> dict[str, str]:
        return {
            row["morphology"]: row["group"] for row in rows if row["genome"] == genome and row["morphology"]
        }

    of_plastic = dict(zip(BODIES, ("seen", "unseen", "unseen", "test"), strict=True))
    of_static = dict(zip(BODIES, ("unseen", "seen", "unseen", "test"), strict=True))
    for rows in (lifetimes, table):
        assert groups(rows, "plastic") == of_plastic
        assert groups(rows, "static") == of_static
    counted = {(row["genome"], row["group"]): row["bodies"] for row in table if not row["morphology"]}
    assert counted[("plastic", "unseen")] == counted[("static", "unseen")] == "2"


def test_the_statistics_are_those_of_the_lifetimes(lifetimes: list[Row], table: list[Row]) -> None:
    assert len(table) == (4 + 3) * (3 + len(BODIES))
    for row in table:
        where = {"genome": row["genome"], "condition": row["condition"], "group": row["group"]}
        bodies = [row["morphology"]] if row["morphology"] else bodies_of(lifetimes, where)
        assert row["bodies"] == str(len(bodies))
        strata = [progress(lifetimes, **where, morphology=body) for body in bodies]
        values = np.concatenate(strata)
        assert row["lifetimes"] == str(len(values))
        assert float(row["mean"]) == pytest.approx(values.mean(), rel=1e-12)
        assert float(row["sd"]) == pytest.approx(values.std(ddof=1), rel=1e-12)
        assert float(row["median"]) == pytest.approx(np.median(values), rel=1e-12)
        assert float(row["iqm"]) == pytest.approx(stats.trim_mean(values, 0.25), rel=1e-12)
        assert float(row["paper_distance"]) == pytest.approx(values.mean() / 0.0165)
        for name in ("mean", "iqm"):
            assert float(row[f"{name}_low"]) <= float(row[name]) <= float(row[f"{name}_high"])
        if (row["genome"], row["condition"]) == ("static", GENOME):
            assert row["improvement"] == row["improvement_over"] == row["improvement_low"] == ""
            continue
        theirs = [progress(lifetimes, genome="static", condition=GENOME, morphology=body) for body in bodies]
        u = [stats.mannwhitneyu(x, y).statistic / EPISODES**2 for x, y in zip(strata, theirs, strict=True)]
        assert float(row["improvement"]) == pytest.approx(np.mean(u), rel=1e-12)
        assert row["improvement_over"] == "static"
        assert float(row["improvement_low"]) <= np.mean(u) <= float(row["improvement_high"])


def bodies_of(lifetimes: list[Row], where: dict[str, str]) -> list[str]:
    rows = (row for row in lifetimes if all(row[name] == value for name, value in where.items()))
    return list(dict.fromkeys(row["morphology"] for row in rows))


def test_a_body_has_the_statistics_of_evaluate(table: list[Row]) -> None:
    summary = evaluate(PLASTIC, episodes=EPISODES, seed=4, morphologies=["test_04"], execution=HERE).summary()
    expected = summary["morphologies"]["test_04"]
    (row,) = (
        r for r in table if (r["genome"], r["condition"], r["morphology"]) == ("plastic", GENOME, "test_04")
    )
    for name in ("mean", "sd", "median", "iqm", "paper_distance"):
        assert float(row[name]) == expected[name]
    assert [float(row["mean_low"]), float(row["mean_high"])] == expected["ci95"]


def test_a_study_repeated_is_the_same_bytes_however_it_is_spread(finished: Path) -> None:
    again = study("again", Execution(threads=2, batch_size=3)).path
    for name in TABLES:
        assert (again / name).read_bytes() == (finished / name).read_bytes()
    other = study("other", seed=5, morphologies=BODIES[:1], episodes=2).path
    assert (other / "lifetimes.csv").read_bytes() != (finished / "lifetimes.csv").read_bytes()


def test_the_directory_holds_what_it_should(finished: Path) -> None:
    expected = {*TABLES, "groups.png", "bodies.png", "report.html", "study.json", "genomes", "cases"}
    assert {path.name for path in finished.iterdir()} == expected


def test_the_report_holds_all_and_needs_nothing_else(finished: Path, table: list[Row]) -> None:
    page = Page((finished / "report.html").read_text(encoding="utf-8"))
    assert page.images == [(finished / name).read_bytes() for name in ("groups.png", "bodies.png")]
    assert all(image.startswith(b"\x89PNG\r\n\x1a\n") for image in page.images)
    assert page.texts["h2"] == [
        *("Result", "Every body", "Numbers of every body", "Method", "Genomes", "Bodies", "Again"),
    ]
    groups, bodies, genomes, morphologies = page.tables
    assert len(groups) - 1 + len(bodies) - 1 == len(table)
    column = bodies[0].index("IQM")
    assert [row[column] for row in bodies[1:]] == [
        f"{round(float(row['iqm']), 2) + 0.0:.2f}" for row in table if row["morphology"]
    ]
    assert [row[0] for row in genomes[1:]] == ["plastic", "static"]
    assert {row[1] for row in morphologies[1:]} == set(BODIES)


def test_the_default_bodies_are_the_named_the_seen_and_the_test_split() -> None:
    own = genome_of(quadruped_task("env.morphologies=[train_007, intact]"), "own")
    plan = make_plan([own], None, 1, 1, None)
    assert plan.morphologies == (*NAMED, "train_007", *split_names("test"))
    assert set(plan.bodies(own, "seen")) == {"train_007", "intact"}
    assert plan.bodies(own, "test") == split_names("test")
    assert len(plan.bodies(own, "unseen")) == len(NAMED) - 1


def test_the_shipped_baseline_lives_as_long_as_the_genomes() -> None:
    genome = load_genome("zoo:quick-quadruped-abcd_lr").lasting(999)
    plan = make_plan([genome], ["intact"], 1, 1, None)
    assert plan.baseline == "zoo:quick-quadruped-static"
    assert [one.task.env.steps for one in plan.genomes] == [999, 999]


def test_the_baseline(monkeypatch: pytest.MonkeyPatch) -> None:
    shipped = {name: genome_of(PLASTIC.task, name) for name in ("zoo:plastic", "zoo:other")}
    shipped["zoo:other"] = genome_of(quadruped_task(*STATIC, "env.gear=19"), "zoo:other")
    shipped["zoo:static"] = genome_of(quadruped_task(*STATIC), "zoo:static")
    monkeypatch.setattr(
        generalization_plan, "zoo_names", lambda: [name.removeprefix("zoo:") for name in shipped]
    )
    monkeypatch.setattr(generalization_plan, "load_genome", shipped.__getitem__)
    plan = make_plan([PLASTIC], None, 1, 1, None)
    assert plan.baseline == "zoo:static"
    assert [plan.conditions(genome) for genome in plan.genomes][1:] == [(GENOME,)]
    second = genome_of(FIXED.task, "second", 1)
    for genomes, asked, expected in (
        ([PLASTIC, FIXED, second], None, "static"),
        ([PLASTIC, FIXED], second, "second"),
        ([PLASTIC, FIXED], PLASTIC, "plastic"),
    ):
        plan = make_plan(genomes, None, 1, 1, asked)
        assert plan.baseline == expected
        assert {genome.name for genome in plan.genomes} == {*(genome.name for genome in genomes), expected}
        assert len(plan.conditions(plan.genomes[0])) == 4
    shipped.clear()
    assert make_plan([PLASTIC], None, 1, 1, None).baseline is None


def test_a_shipped_genome_is_compared_with_the_shipped_static_one() -> None:
    plan = make_plan([load_genome("zoo:quick-quadruped-abcd_lr")], None, 1, 1, None)
    assert plan.baseline == "zoo:quick-quadruped-static"
    assert len(plan.morphologies) == 58
    assert plan.bodies(plan.genomes[0], "seen") == ("intact", "right_front_damaged")


def test_without_a_baseline_nothing_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generalization_plan, "zoo_names", lambda: [])
    alone = generalize([PLASTIC], "alone", morphologies=BODIES[:2], episodes=2, execution=HERE)
    assert alone.table["improvement"].null_count == alone.table.num_rows
    assert Path("alone/report.html").is_file()


def test_what_diverged_is_counted_and_left_out() -> None:
    hopeless = Genome(PLASTIC.task, np.full_like(PLASTIC.values, 3e38), {}, "hopeless")
    made = generalize([hopeless, FIXED], "h", morphologies=["intact"], episodes=2, execution=HERE)
    first = made.table.to_pylist()[0]
    assert (first["genome"], first["diverged"], first["mean"], first["improvement"]) == (
        "hopeless",
        2,
        None,
        None,
    )
    assert read(Path("h/lifetimes.csv"))[0]["progress_m"] == ""
    assert "diverged" in Path("h/report.html").read_text(encoding="utf-8")


def test_perturbations_of_evolution_are_left_out(lifetimes: list[Row]) -> None:
    pushed = genome_of(quadruped_task("perturbations=[{kind: saturate_actuators, at: 5}]"), "pushed")
    assert pushed.task.perturbations
    made = generalize(
        [pushed, FIXED], "p", morphologies=["intact"], episodes=EPISODES, seed=4, execution=HERE
    )
    found = progress(read(made.path / "lifetimes.csv"), genome="pushed", condition=GENOME)
    expected = progress(lifetimes, genome="plastic", condition=GENOME, morphology="intact")
    np.testing.assert_array_equal(found, expected)


def test_progress_is_told_up_to_the_end() -> None:
    told: list[tuple[int, int]] = []
    study("told", morphologies=BODIES[:3], episodes=1, watch=lambda done, total: told.append((done, total)))
    assert told == sorted(told)
    assert told[-1] == (21, 21)


@pytest.mark.parametrize(
    ("genomes", "options", "expected"),
    [
        ([], {}, "no genome"),
        ([PLASTIC, PLASTIC], {}, "genome 'plastic' is given twice; name each once"),
        (
            [PLASTIC, genome_of(quadruped_task("env.steps=41"), "b")],
            {},
            r"b is of another task .*steps: 40 -> 41",
        ),
        (
            [PLASTIC, genome_of(cart_pole_task(), "b")],
            {},
            r"another task .*env.name: 'quadruped' -> 'gymnasium",
        ),
        ([genome_of(cart_pole_task(), "b")], {}, "has one body only"),
        ([PLASTIC], {"baseline": genome_of(cart_pole_task(), "b")}, "another task"),
        ([PLASTIC], {"morphologies": ["intact", "left_front_damagd"]}, "did you mean left_front_damaged?"),
        ([PLASTIC], {"morphologies": ["intact", "intact"]}, "twice"),
        ([PLASTIC], {"episodes": 0}, "episodes must be from 1 to 1000000, got 0"),
        ([PLASTIC], {"seed": -1}, "seed must be from 0"),
    ],
)
def test_bad_input_is_refused_before_anything(
    genomes: list[Genome], options: dict[str, object], expected: str
) -> None:
    with pytest.raises((InputError, EnvError), match=expected) as caught:
        generalize(genomes, "out", execution=HERE, **options)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
    assert list(Path().iterdir()) == []


def test_an_out_that_exists_is_refused_before_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("out").mkdir()
    Path("out/mine").write_text("dear")
    monkeypatch.setattr(
        "hebbevo.studies.generalization.study.run_plan", lambda *_: pytest.fail("nothing is to be lived")
    )
    with pytest.raises(InputError, match="out exists and is no study; choose another `out`"):
        study("out")
    assert Path("out/mine").read_text() == "dear"


def test_interrupted_it_goes_on_and_is_drawn_again(monkeypatch: pytest.MonkeyPatch) -> None:
    study("whole")

    def interrupt(done: int, total: int) -> None:
        if done > total // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study("cut", watch=interrupt)
    assert list(Path("cut/cases").iterdir())
    with pytest.raises(InputError, match=r"cut lacks \d+ of \d+ cases; finish it: call hebbevo generalize"):
        redraw("cut")
    study("cut")
    assert contents("cut") == contents("whole")
    before = contents("cut")
    for name in ("report.html", "table.csv", "groups.png", "lifetimes.parquet"):
        Path("cut", name).unlink()
    redraw("cut")
    assert contents("cut") == before


def contents(folder: str) -> dict[str, bytes]:
    root = Path(folder)
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}
