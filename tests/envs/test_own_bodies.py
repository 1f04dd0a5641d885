"""Bodies of a user's own: edits by name, splits, draws; what is wrong with a file of them; fitness over bodies."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import chisquare
from worlds import WALKER

import hebbevo
from hebbevo.cli import app
from hebbevo.envs import MORPHOLOGIES, DogConfig, QuadrupedConfig
from hebbevo.envs.mjcf.config import MjcfConfig
from hebbevo.envs.morphologies.edits import LockJoint, Payload, RemoveSegment, ScaleMotor, ScaleSegment
from hebbevo.envs.morphologies.own import EDITS
from hebbevo.errors import InputError
from hebbevo.evaluation.fitness import Fitness
from hebbevo.validation import check_section

FILE = """
short: [{scale_segment: {leg: rear_left, segment: lower, factor: 0.5}}]
porter:
  description: a load and a weak hip
  edits: [{payload: {share: 0.3}}, {scale_motor: {joint: hip_1, factor: 0.5}}]
feeble:
  count: 12
  seed: 7
  changes: 1
  edits:
  - scale_motor: {joint: [hip_1, hip_2], factor: [0.1, 0.6]}
  - lock_joint: {joint: [ankle_1, ankle_2, ankle_3]}
hurt: {draw: [right_front_damaged, short, feeble], none: 0.4}
"""


@pytest.fixture
def config(tmp_path: Path) -> QuadrupedConfig:
    path = tmp_path / "bodies.yaml"
    path.write_text(FILE)
    overrides = [f"env.bodies={path}", "env.morphologies=[hurt, feeble, porter]"]
    env = hebbevo.load_config("quick-quadruped", overrides).env
    assert isinstance(env, QuadrupedConfig)
    return env


def test_every_edit_has_a_name_in_files() -> None:
    kinds = {type(edit) for name in MORPHOLOGIES for edit in MORPHOLOGIES[name].edits}
    assert kinds <= set(EDITS.values())
    assert {"scale_segment", "remove_segment", "lock_joint", "payload", "slope"} <= EDITS.keys()


def test_a_file_holds_edits_splits_and_draws(config: QuadrupedConfig) -> None:
    assert config.morphology_names == ("hurt", *(f"feeble_{number:02d}" for number in range(12)), "porter")
    catalogue = config.catalogue
    assert catalogue["short"].edits == (ScaleSegment("rear_left", "lower", 0.5),)
    assert catalogue["porter"].edits == (Payload(0.3), ScaleMotor(joint="hip_1", factor=0.5))
    assert config.describe_body("porter") == "a load and a weak hip"
    assert config.describe_body("short") == "scale segment rear_left, lower, 0.5"
    assert catalogue["heavy"] is MORPHOLOGIES["heavy"]
    sampled = [catalogue[f"feeble_{number:02d}"].edits for number in range(12)]
    assert {len(edits) for edits in sampled} == {1}
    kinds = Counter(type(edit) for (edit,) in sampled)
    assert set(kinds) == {ScaleMotor, LockJoint}
    factors = [edit.factor for (edit,) in sampled if isinstance(edit, ScaleMotor)]
    assert len(set(factors)) == len(factors)
    assert 0.1 <= min(factors) <= max(factors) <= 0.6
    assert len({edit.joint for (edit,) in sampled}) > 2
    other = check_section("env", QuadrupedConfig, config.model_dump(mode="json"))
    assert other == config
    assert [other.catalogue[f"feeble_{number:02d}"].edits for number in range(12)] == sampled


def test_a_drawn_body_follows_from_the_lifetimes_seed_and_is_as_likely_as_said(
    config: QuadrupedConfig,
) -> None:
    batch, seeds = config.build(2), range(2000)
    drawn = [batch._draw("hurt", seed) for seed in seeds]
    assert drawn == [batch._draw("hurt", seed) for seed in seeds]
    counts = Counter("feeble" if name.startswith("feeble") else name for name in drawn)
    shares = {"intact": 0.4, "right_front_damaged": 0.6 / 14, "short": 0.6 / 14, "feeble": 0.6 * 12 / 14}
    observed, expected = zip(*((counts[name], 2000 * share) for name, share in shares.items()), strict=True)
    assert chisquare(observed, expected).pvalue > 0.001
    assert config.seen_bodies[:1] == ("hurt",)
    assert {"intact", "right_front_damaged", "short", "feeble_11"} <= set(config.seen_bodies)


def test_a_lifetime_in_a_drawn_body_is_one_in_the_body_itself(config: QuadrupedConfig) -> None:
    batch, actions = config.build(6), np.full((6, 8), 0.3, np.float32)
    seeds = [3, 4, 5, 6, 7, 8]
    names = [batch._draw("hurt", seed) for seed in seeds]
    assert len(set(names)) > 2
    records = []
    for bodies in (["hurt"] * 6, names):
        batch.reset(seeds, bodies)
        for _ in range(3):
            batch.step(actions, np.arange(6))
        records.append(batch.observations.copy())
    np.testing.assert_array_equal(*records)


def test_parts_go_by_name_on_any_robot() -> None:
    own = {"b": [{"remove_segment": {"body": "leg"}}], "c": {"draw": ["b", "hip_limp"]}}
    robot = check_section(
        "env", MjcfConfig, {"name": "mjcf", "mjcf": WALKER, "bodies": own, "morphologies": ["c"]}
    )
    assert robot.catalogue["b"].edits == (RemoveSegment(body="leg"),)
    assert robot.compile("b").nu == 0
    batch = robot.build(1)
    batch.reset([1], ["c"])
    assert DogConfig(bodies={"limp": [{"scale_motor": {"joint": "rear_left_hip", "factor": 0}}]}).compile(
        "limp"
    )


ALIASES = "x0: &x0 [1]\n" + "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 20)}]\n" for n in range(1, 9))
WRONG = {
    f"{ALIASES}a: [{{scale_mass: {{factor: *x8}}}}]": "bodies.yaml: aliases make more than 1,000,000 values",
    "a: [{lock_joints: {joint: hip_1}}]": "unknown edit 'lock_joints'; did you mean lock_joint?",
    "a: [{lock_joint: {joints: hip_1}}]": "unknown field of lock_joint 'joints'; did you mean joint?",
    "a: [{lock_joint: {joint: hip_1, leg: rear_left}}]": "takes leg and segment, or joint alone",
    "a: [{lock_joint: {}}]": "unknown leg ''",
    "a: [{lock_joint: {joint: 3}}]": "lock_joint.joint must be a name, got 3",
    "a: [{scale_mass: {factor: fast}}]": "scale_mass.factor must be a number, got fast",
    "a: [{scale_mass: {factor: true}}]": "scale_mass.factor",
    "a: [{scale_mass: {}}]": "scale_mass.factor must be a number, got None",
    "a: [{scale_mass: {factor: 99}}]": "ScaleMass.factor must be from 0.1 to 10, got 99",
    "a: [{scale_mass: {factor: .nan}}]": "env.bodies.a",
    "a: [{scale_mass: {factor: [0.5, 2]}}]": "scale_mass.factor must be a number, got [0.5, 2.0]",
    "a: {count: 3, edits: [{scale_mass: {factor: [2, 0.5]}}]}": "a list in a split is [low, high] or names",
    "a: {count: 2000, edits: [{scale_mass: {factor: 2}}]}": "less than or equal to 1000",
    "a: {edits: [{scale_mass: {factor: 2}}], draw: [heavy]}": "give `edits` or `draw`",
    "a: {draw: [heavvy]}": "unknown morphology 'heavvy'; did you mean heavy?",
    "a: {draw: [heavy], none: 1.5}": "less than or equal to 1",
    "{a: {draw: [b]}, b: {draw: [a]}}": "draws again",
    "{heavy: [{scale_mass: {factor: 2}}]}": "a body called heavy is there already",
    "{a_00: [{scale_mass: {factor: 2}}], a: {count: 3, edits: [{scale_mass: {factor: 2}}]}}": "a_00 is there already",
    "{a/b: [{scale_mass: {factor: 2}}]}": "'a/b' is no name of a body",
    "a: {}": "a body has edits, or draws one of others",
    "[1, 2]": "expected bodies by name",
    "a: [": "bodies.yaml, line",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_with_a_file_of_bodies_is_one_line(
    text: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bodies.yaml").write_text(text)
    assert app.run(["config", "quick-quadruped", "env.bodies=bodies.yaml"]) == 2
    error = capsys.readouterr().err
    assert WRONG[text] in error
    assert error.count("\n") == 1


def test_a_body_that_cannot_be_made_is_refused_before_a_run(tmp_path: Path) -> None:
    own = {"a": [{"lock_joint": {"joint": "hip_9"}}]}
    config = hebbevo.load_config("quick-quadruped", {"env.bodies": own, "env.morphologies": ["a"]})
    with pytest.raises(InputError, match=r"unknown joint of the robot 'hip_9'; did you mean hip_\d"):
        hebbevo.evolve(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_bodies_reach_commands_and_travel_in_genomes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("bodies.yaml").write_text(FILE)
    small = "env.steps=3 env.burn_in=0 search.population=4 training.generations=1 evaluation.episodes=1"
    bodies = "env.bodies=bodies.yaml env.morphologies=[hurt,short] training.over_bodies=minimum"
    assert app.run(["evolve", "quick-quadruped", *small.split(), *bodies.split(), "--out", "run"]) == 0
    Path("bodies.yaml").rename("other.yaml")
    assert app.run(["evaluate", "run", "--morphology", "feeble", "--episodes", "1", "--no-controls"]) == 0
    assert "feeble_11" in capsys.readouterr().out
    zoo = [
        "evaluate",
        "zoo:quick-quadruped-static",
        "--steps",
        "3",
        "--episodes",
        "1",
        "--morphology",
        "porter",
    ]
    assert app.run([*zoo, "--bodies", "other.yaml"]) == 0
    assert app.run(zoo) == 2
    assert app.run(["evaluate", "zoo:quick-association", "--bodies", "other.yaml"]) == 2
    assert "association has one body only" in capsys.readouterr().err


def test_fitness_over_bodies_is_their_mean_their_worst_or_their_lower_quartile() -> None:
    values = np.array([[[1.0, 5, 3, 7]], [[2, 2, 2, 9]], [[4, 0, 8, 6]]])
    diverged = np.zeros((3, 1, 4), bool)
    diverged[2, 0, 1] = True

    def fitness(over_bodies: str) -> np.ndarray:
        part = Fitness(values, np.zeros(3), diverged, 12)
        return Fitness.join([part], over_bodies).mean

    np.testing.assert_array_equal(fitness("mean"), [4, 3.75, 6])
    np.testing.assert_array_equal(fitness("minimum"), [1, 2, 4])
    np.testing.assert_array_equal(fitness("lower_quartile"), [2.5, 2, 5])
    diverged[1] = True
    assert np.isnan(fitness("minimum")).tolist() == [False, True, False]
