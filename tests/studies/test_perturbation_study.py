"""`hebbevo perturb`: what it writes, that it is the same bytes again, and what it refuses."""

import csv
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pyarrow.parquet
import pytest
from tasks import CART_POLE, QUADRUPED, small_config

from hebbevo import Execution, Genome, evaluate, save_genome
from hebbevo.cli.app import run
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.rollouts.result import RolloutResult
from hebbevo.studies.directory import read_study
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan
from hebbevo.studies.perturbation.recording import _Trajectories
from hebbevo.studies.perturbation.records import EVOLVED, RANDOM, Record, Recorded
from hebbevo.studies.perturbation.results import kept_records
from hebbevo.studies.perturbation.study import perturb
from hebbevo.studies.perturbation.weight_figures import _bound
from hebbevo.studies.perturbation.weight_tables import all_components, weight_speed_rows
from hebbevo.studies.perturbation.weight_trajectories import directions, principal_components
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

STATIC = ("plasticity.rule=none", "plasticity.normalise=none", "plasticity.initial_weights=evolved")
BLOW = "zero_weights:at=20,fraction=0.5"


def genome_of(name: str, *overrides: str, env=QUADRUPED) -> Genome:
    task = Task.of(small_config("env.steps=120", *overrides, env=env))
    return Genome(task, task.first_genome(np.random.default_rng(3)), name=name)


@pytest.fixture(scope="module")
def genomes() -> list[Genome]:
    return [genome_of("plastic"), genome_of("static", *STATIC)]


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


TABLES = ("lifetimes.csv", "table.csv", "speed.csv", "trajectories.csv", "weight_speed.csv")


def test_a_study_is_the_same_bytes_again_however_it_is_executed(genomes, tmp_path) -> None:
    asked = [BLOW, "saturate_actuators:from=30,to=60", "freeze:at=0"]
    perturb(
        genomes, tmp_path / "a", protocols=asked, episodes=5, execution=Execution(threads=1, batch_size=2)
    )
    perturb(
        genomes, tmp_path / "b", protocols=asked, episodes=5, execution=Execution(threads=2, batch_size=7)
    )
    names = sorted(path.name for path in (tmp_path / "a").iterdir() if path.is_file())
    figures = ["speed.png", "trajectories.png", "weight_speed.png", "weights.png"]
    assert names == sorted([*TABLES, *figures, "lifetimes.parquet", "report.html", "study.json"])
    for name in names:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
    whole = pyarrow.parquet.read_table(tmp_path / "a" / "lifetimes.parquet")
    assert whole.num_rows == 2 * 4 * 5 == len(rows_of(tmp_path / "a" / "lifetimes.csv"))
    assert len(rows_of(tmp_path / "a" / "table.csv")) == 2 * 4


def test_unperturbed_is_evaluate_and_losses_are_against_it(genomes, tmp_path) -> None:
    perturb(genomes[:1], tmp_path / "a", protocols=["none", BLOW], episodes=5, seed=4)
    evaluation = evaluate(genomes[0], episodes=5, seed=4, morphologies=["intact"], controls=False)
    progress = evaluation.progress("intact")
    rows = rows_of(tmp_path / "a" / "lifetimes.csv")
    found = {
        protocol: np.array([float(row["progress"]) for row in rows if row["protocol"] == protocol])
        for protocol in (UNPERTURBED, "none", BLOW)
    }
    np.testing.assert_array_equal(found[UNPERTURBED], progress)
    np.testing.assert_array_equal(found["none"], progress)
    losses = [float(row["loss"]) for row in rows if row["protocol"] == BLOW]
    np.testing.assert_array_equal(losses, progress - found[BLOW])
    assert np.abs(losses).min() > 0
    statistics = {row["protocol"]: row for row in rows_of(tmp_path / "a" / "table.csv")}
    assert float(statistics[BLOW]["loss"]) == pytest.approx(np.mean(losses))
    assert float(statistics["none"]["mean"]) == pytest.approx(progress.mean())
    assert statistics["none"]["loss"] == statistics[UNPERTURBED]["loss"] == ""


def test_speeds_add_up_to_progress_and_twins_agree_before_the_event(genomes, tmp_path) -> None:
    perturb(genomes[:1], tmp_path / "a", protocols=[BLOW], episodes=4)
    speeds = {name: [] for name in (UNPERTURBED, BLOW)}
    for row in rows_of(tmp_path / "a" / "speed.csv"):
        assert row["unit"] == "m/s"
        assert float(row["speed_low"]) <= float(row["speed"]) <= float(row["speed_high"])
        speeds[row["protocol"]].append(float(row["speed"]))
    means = {r["protocol"]: float(r["mean"]) for r in rows_of(tmp_path / "a" / "table.csv")}
    for name, values in speeds.items():
        assert sum(values) * 10 * 0.0165 == pytest.approx(means[name])
    assert speeds[UNPERTURBED][:2] == speeds[BLOW][:2]
    assert speeds[UNPERTURBED][2:] != speeds[BLOW][2:]


def test_the_published_protocols(tmp_path) -> None:
    plastic = genome_of("plastic", "env.steps=500")
    static = genome_of("static", "env.steps=500", *STATIC)
    study = perturb([plastic, static], tmp_path / "a", episodes=2)
    frozen = [*range(0, 100, 10), 100, 200, 300, 400]
    assert [int(row["frozen_at"]) for row in rows_of(tmp_path / "a" / "freeze.csv")] == frozen
    off = evaluate(plastic, episodes=2, morphologies=["intact"]).progress("intact", "off")
    assert float(rows_of(tmp_path / "a" / "freeze.csv")[0]["mean"]) == pytest.approx(off.mean())
    texts = {p.name: p.text for p in study.plan.protocols if p.frozen_at is None}
    assert parse_perturbations(texts["actuators_saturated"]) == parse_perturbations(
        "saturate_actuators:from=300,to=400,value=1"
    )
    assert parse_perturbations(texts["third_zeroed"])[0].fraction == 1 / 3
    assert texts[UNPERTURBED] == "none"
    assert {path.name for path in (tmp_path / "a").glob("*.png")} >= {"freeze.png", "weights.png"}
    page = (tmp_path / "a" / "report.html").read_text()
    assert page.count("data:image/png;base64") == 5
    assert 'src="http' not in page
    stored = read_study(tmp_path / "a")
    plan = Plan.of(stored)
    assert plan.settings() == study.plan.settings()
    assert plan.protocols == study.plan.protocols
    recorded = kept_records(plan, stored)
    plastic_images = recorded.records["plastic", "intact", "third_zeroed"].images
    assert list(plastic_images) == [299, 300, 310]
    zeros = {step: np.mean(layers[0] == 0) for step, layers in plastic_images.items()}
    assert (zeros[299], zeros[310]) == (0, 0)
    assert zeros[300] == pytest.approx(1 / 3, abs=0.005)
    static_images = recorded.records["static", "intact", "third_zeroed"].images
    assert np.array_equal(static_images[310][0], static_images[300][0])


def test_trajectories_are_the_weights_of_unperturbed_lives(genomes) -> None:
    perturb(genomes, "s", protocols=[BLOW], episodes=3, execution=Execution(threads=1, batch_size=2))
    stored = read_study(Path("s"))
    recorded = kept_records(Plan.of(stored), stored)
    assert set(recorded.trajectories) == {("plastic", EVOLVED), ("plastic", RANDOM)}
    (way, *others) = recorded.trajectories["plastic", EVOLVED]
    assert len(others) == 2
    assert way.weights.shape == (120 // 5, sum(a * b for a, b in ((6, 28), (8, 6))))
    moved = np.linalg.norm(way.weights[1].astype(float) - way.weights[0])
    assert 0 < moved / np.sqrt(way.weights.shape[1]) <= way.change[:5].sum()
    u, v = (point.astype(float) / np.linalg.norm(point) for point in way.weights[:2])
    assert 0 < np.arccos(u @ v) <= way.turn[:5].sum()
    assert way.size[5] == pytest.approx(np.sqrt(np.square(way.weights[1], dtype=float).mean()))


def test_weights_that_overflow_behind_bounded_ones_are_left_out() -> None:
    """The lifetimes go on, and their progress counts; their weights have neither components nor speeds."""
    growth = np.array([2.0, 1e20], np.float32)

    def weights(layer: int, step: int) -> np.ndarray:
        with np.errstate(over="ignore"):
            return np.full((2, 3, 2), 0.5, np.float32) * growth[:, None, None] ** step

    hook = _Trajectories(2)
    for step in range(8):
        network = SimpleNamespace(layers=1, weights=partial(weights, step=step))
        hook.on_observation(SimpleNamespace(network=network, step=step, active=np.arange(2)))
    lifetimes = RolloutResult(np.zeros(2), np.full(2, 8), np.zeros(2, bool))
    record = Record(lifetimes, np.zeros((2, 8)), trajectories=hook.finished())
    (kept,) = record.finished_trajectories
    assert kept.weights.shape == (2, 6)
    recorded = Recorded({}, {("g", "evolved"): (kept,), ("g", "random"): ()})
    speeds = list(weight_speed_rows(recorded))
    assert [row["size"] for row in speeds] == [0.5 * 2.0**t for t in range(7)]
    for components in all_components(recorded).values():
        assert np.isfinite(components.explained).all()
    assert _bound(np.array([np.inf, 1.0, -1.0, np.nan], np.float32)) == 1.0
    assert _bound(np.array([np.inf], np.float32)) == 0.0


def test_components_are_those_of_the_singular_value_decomposition() -> None:
    rng = np.random.default_rng(0)
    lifetimes = [rng.normal(size=(n, 50)).cumsum(axis=0).astype(np.float32) for n in (12, 9)]
    found = principal_components(lifetimes)
    points = np.concatenate(lifetimes).astype(float)
    u, s, _ = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)
    places = np.concatenate(found.coordinates)
    np.testing.assert_allclose(np.abs(places), np.abs(u[:, :3] * s[:3]), atol=1e-8)
    np.testing.assert_allclose(found.explained, (s**2 / (s**2).sum())[:3])
    assert [len(part) for part in found.coordinates] == [12, 9]
    assert (places[np.abs(places).argmax(axis=0), range(3)] > 0).all()
    still = principal_components([np.ones((4, 5), np.float32)])
    assert not still.explained.any()


def test_directions_have_one_size() -> None:
    points = np.array([[3.0, -4.0], [0.0, 0.0], [3e6, -4e6]], np.float32)
    scaled = directions(points)
    np.testing.assert_allclose(scaled, np.sqrt(2) * np.array([[0.6, -0.8], [0, 0], [0.6, -0.8]]), rtol=1e-6)


def test_an_environment_of_rewards_is_studied_too(tmp_path) -> None:
    pole = genome_of("pole", env=CART_POLE)
    perturb([pole], tmp_path / "a", protocols=["kill_actuators:from=5,to=9,actuators=[1]"], episodes=3)
    assert {row["unit"] for row in rows_of(tmp_path / "a" / "speed.csv")} == {"reward per step"}


def test_a_genome_leaves_its_own_perturbations_out(tmp_path) -> None:
    own = genome_of("own", f"perturbations={BLOW}")
    plain = Genome(genome_of("plain").task, own.values, name="plain")
    assert own.task.perturbations
    progress = [evaluate(g, episodes=2, controls=False).progress("intact") for g in (own, plain)]
    assert not np.array_equal(*progress)
    perturb([own], tmp_path / "a", protocols=["none"], episodes=2)
    rows = rows_of(tmp_path / "a" / "lifetimes.csv")
    assert [float(row["progress"]) for row in rows[:2]] == progress[1].tolist()


@pytest.fixture
def files(genomes, tmp_path) -> Path:
    for genome in (*genomes, genome_of("dog", env=("env.name=dog", "network.hidden=6"))):
        save_genome(genome, tmp_path / f"{genome.name}.safetensors")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("plastic dog --perturb none", "dog.safetensors is of another task than"),
        ("plastic plastic --perturb none", "is given twice; name each once"),
        (
            "plastic --perturb zero_weights:at=120",
            "at t = 120 is after the end of the lifetime; env.steps is 120",
        ),
        ("plastic --perturb zero_wights:at=2", "did you mean zero_weights?"),
        ("plastic --perturb freeze:from=9,to=3", "the window from 9 to 3 holds no step"),
        ("plastic --perturb switch_morphology:at=3,morphology=intakt", "did you mean intact?"),
        ("plastic --perturb kill_actuators:actuators=[8]", "there is no actuator 8"),
        ("plastic --perturb none --perturb none", "two protocols are called 'none'"),
        ("plastic --perturb nowhere.yaml", "cannot read nowhere.yaml"),
        ("plastic --morphology intakt --perturb none", "did you mean intact?"),
        ("plastic --episodes 0 --perturb none", "episodes must be from 1 to 1000000"),
        ("plastic --seed -1 --perturb none", "seed must be from 0"),
        ("plastic", "the published protocols need lifetimes of 500 steps or more, and env.steps is 120"),
        ("nobody --perturb none", "nobody"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(files, capfd, words: str, message: str) -> None:
    names = [
        f"{word}.safetensors" if not word.startswith("-") and i < 2 else word
        for i, word in enumerate(words.split())
    ]
    assert run(["perturb", *names, "--out", str(files / "out")]) == 2
    error = capfd.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (files / "out").exists()
    assert not list(files.glob(".out*"))


def test_interrupted_while_it_is_drawn_it_says_one_line_and_loses_no_case(files, capfd, monkeypatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("hebbevo.studies.perturbation.study.write_tables", interrupt)
    words = ["plastic.safetensors", "--perturb", "none", "--episodes", "2", "--threads", "1", "--out", "cut"]
    assert run(["perturb", *words]) == 130
    expected = "hebbevo: interrupted; finished cases are safe, the same command goes on from there\n"
    assert capfd.readouterr().err == expected
    assert not list(Path("cut").glob("*.csv"))
    monkeypatch.undo()
    monkeypatch.setattr(CpuWorker, "rollout", lambda *_, **__: pytest.fail("a lifetime was lived again"))
    monkeypatch.chdir(files)
    assert run(["report", "cut"]) == 0
    assert {"table.csv", "report.html"} <= {path.name for path in Path("cut").iterdir()}


def test_a_directory_that_exists_is_refused_before_anything_is_computed(files, capfd, monkeypatch) -> None:
    def lived(*arguments: object, **more: object) -> None:
        raise AssertionError("a lifetime was lived")

    monkeypatch.setattr(CpuWorker, "rollout", lived)
    (files / "out").mkdir()
    (files / "out" / "mine").write_text("kept")
    words = ["perturb", "plastic.safetensors", "--perturb", "none", "--out", "out"]
    assert run(words) == 2
    assert "out exists" in capfd.readouterr().err
    assert [path.name for path in (files / "out").iterdir()] == ["mine"]
