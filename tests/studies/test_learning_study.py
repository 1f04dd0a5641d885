"""Learning within a lifetime: lifetimes are `evaluate`'s, controls do what they say, scores are those of the steps."""

import csv
import shutil
from pathlib import Path

import numpy as np
import pytest
from tasks import HERE

from hebbevo import Execution, Genome, InputError, LearningStudy, evaluate, learning, load_config, load_genome
from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.episodes import Episodes, Subject
from hebbevo.perturbations.catalogue import parse_perturbations
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose
from hebbevo.studies.learning.plan import WITHHELD, YOKED, LearningCondition, make_plan
from hebbevo.studies.learning.recording import Lives, rollout_lives
from hebbevo.studies.learning.records import Record, Steps
from hebbevo.studies.learning.scores import AFTER, BEFORE, Scores, gains
from hebbevo.studies.learning.tables import make_tables
from hebbevo.studies.running import redraw
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

EPISODES = 6
KEY = (4, SeedPurpose.EVALUATION)
REWARDED = "plasticity.rule=w + reward*(A*pre*post + B*pre)"

Row = dict[str, str]


def genome_of(*overrides: str, seed: int = 3) -> Genome:
    task = Task.of(load_config("quick-association", [*overrides]))
    return Genome(task, task.first_genome(np.random.default_rng(seed)), {}, "plastic")


PLASTIC = genome_of("env.stimuli=3", REWARDED)
BANDIT = genome_of("env.steps=40", "env.name=bandit", REWARDED)


def study(out: Path | str, genome: Genome = PLASTIC, execution: Execution = HERE) -> LearningStudy:
    return learning([genome], out, episodes=EPISODES, seed=4, execution=execution)


def read(path: Path) -> list[Row]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def recorded(genome: Genome, condition: LearningCondition, episodes: int = EPISODES) -> Record:
    worker = CpuWorker(genome.task, episodes)
    item = Episodes(Lives(condition, genome.task.env.morphology_names[0]), range(episodes))
    return rollout_lives(worker, Subject(genome.values, KEY), item)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return study(tmp_path_factory.mktemp("studies") / "l").path


def test_lifetimes_are_those_of_evaluate(finished: Path) -> None:
    evaluation = evaluate(PLASTIC, episodes=EPISODES, seed=4, execution=HERE)
    rows = read(finished / "lifetimes.csv")
    for condition in (GENOME, "off", "shuffled"):
        rewards = [float(row["reward"]) for row in rows if row["condition"] == condition]
        assert rewards == evaluation.progress("default", condition).tolist()
    conditions = (GENOME, "off", "shuffled", "frozen_at_1", "frozen_at_5", WITHHELD, YOKED)
    assert tuple(dict.fromkeys(row["condition"] for row in rows)) == conditions


def test_a_study_goes_on_and_is_the_same_however_it_is_executed(finished: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(finished, tmp_path / "l"))
    for case in ("0000", "0003", "0006"):
        (other / "cases" / f"{case}.safetensors").unlink()
    with pytest.raises(InputError, match=r"lacks 3 of 7 cases.*hebbevo learning"):
        redraw(other)
    study(other, execution=Execution(threads=2, batch_size=4))
    assert contents(other) == contents(finished)
    assert redraw(other).table.num_rows == 7 + 3


def test_what_the_files_hold(finished: Path) -> None:
    names = {path.name for path in finished.iterdir()} - {"cases", "genomes", "study.json"}
    tables = {"lifetimes.csv", "lifetimes.parquet", "table.csv", "curve.csv"}  # no phases in association
    assert names == tables | {"curve.png", "lifetime.png", "report.html"}
    curve = read(finished / "curve.csv")
    assert len(curve) == 7 * 10
    rows = {row["condition"]: row for row in read(finished / "table.csv")}
    for condition in (GENOME, YOKED):
        by_trial = [float(row["best"]) for row in curve if row["condition"] == condition]
        assert np.mean(by_trial) == pytest.approx(float(rows[condition]["best"]))
        rewards = [float(row["reward"]) for row in curve if row["condition"] == condition]
        assert sum(rewards) == pytest.approx(float(rows[condition]["reward"]))
        assert float(rows[condition]["gain"]) == pytest.approx(sum(rewards[5:]) - sum(rewards[:5]))
    assert float(rows["oracle"]["reward"]) == 27
    assert float(rows["oracle"]["share"]) == 1
    assert float(rows[GENOME]["share"]) == pytest.approx(float(rows[GENOME]["reward"]) / 27)


def test_a_rule_of_the_reward_does_nothing_where_it_is_withheld() -> None:
    off, withheld = (recorded(BANDIT, LearningCondition(kind)) for kind in ("off", WITHHELD))
    np.testing.assert_array_equal(withheld.steps.choice, off.steps.choice)
    assert off.steps.rewards.sum() > 0


def test_weights_are_frozen_from_each_lifetimes_own_trial_on() -> None:
    """In the T-maze a crash ends a trip early: trials begin at different steps."""
    wide = ("network.actions=argmax", "plasticity.initial_weights=normal(0, 0.3)")
    genome = genome_of("env.name=t_maze", "env.trips=8", "env.passage=1", *wide, REWARDED)
    frozen, free = (recorded(genome, LearningCondition(*kind)) for kind in (("frozen", 3), (GENOME,)))
    starts = [int(np.argmax(trials == 3)) for trials in frozen.steps.trial]
    assert len(set(starts)) > 1
    seeds, worker = Subject(genome.values, KEY).seeds(range(EPISODES)), CpuWorker(genome.task, 1)
    for episode, start in enumerate(starts):
        freeze = parse_perturbations(f"freeze:at={start}")
        alone: RolloutResult = worker.rollout(
            genome.values[None], [0], [seeds[episode]], ["default"], early_stop=False, perturbations=freeze
        )
        assert alone.fitness[0] == frozen.lifetimes.fitness[episode]
        assert alone.steps[0] == frozen.lifetimes.steps[episode]
    assert (free.lifetimes.fitness != frozen.lifetimes.fitness).any()


def test_the_yoked_are_told_the_rewards_of_the_next_lifetime() -> None:
    """The network repeats what it was told: it pulls arm 1 after a reward, and arm 0 otherwise."""
    genome = genome_of(
        *("env.name=bandit", "env.steps=20", "network.actions=argmax", "network.output=raw"),
        "plasticity.rule=reward*A*pre",
    )
    genome.values[:] = [-1, 1]
    yoked, told = (
        recorded(genome, LearningCondition(YOKED)),
        recorded(genome, LearningCondition(GENOME), EPISODES + 1),
    )
    np.testing.assert_array_equal(told.steps.choice[:, 1:], told.steps.rewards[:, :-1])
    np.testing.assert_array_equal(yoked.steps.choice[:, 1:], told.steps.rewards[1:, :-1])
    assert (yoked.steps.rewards != told.steps.rewards[1:]).any()


def test_scores_are_those_of_a_slow_count() -> None:
    rng = np.random.default_rng(1)
    trial = np.cumsum(rng.random((4, 60)) < 0.6, axis=1)
    trial -= trial[:, :1]
    starts = rng.random((4, 61)) < 0.2
    phase = np.cumsum(starts, axis=1)[np.arange(4)[:, None], trial]
    optimal = rng.integers(-1, 2, (4, 60))
    rewards = rng.normal(size=(4, 60))
    trial[0, 40:] = phase[0, 40:] = optimal[0, 40:] = -1
    zeros = np.zeros((4, 60), np.int16)
    steps = Steps(
        *(a.astype(np.int32) for a in (trial, phase)), optimal.astype(np.int8), zeros, zeros, rewards
    )
    diverged = np.array([False, False, True, False])
    lifetimes = RolloutResult(rewards.sum(axis=1), np.array([40, 60, 60, 60]), diverged)
    record = Record(lifetimes, steps, np.zeros((0, 0), np.float32))
    scores, halves = Scores.of(record), np.split(rewards, 2, axis=1)
    short = rewards[0, 20:40].sum() - rewards[0, :20].sum()
    gained = (halves[1] - halves[0]).sum(axis=1)
    np.testing.assert_allclose(gains(record), [short, gained[1], np.nan, gained[3]])

    for row, lifetime in enumerate(np.flatnonzero(~diverged)):
        best, around, phases = {}, {}, {}
        last = trial[lifetime].max()
        where = [np.flatnonzero(trial[lifetime] == t) for t in range(last + 1)]
        of_trial = [phase[lifetime, at[0]] for at in where]
        for t, at in enumerate(where):
            answers = [value for value in optimal[lifetime, at] if value >= 0]
            assert scores.reward[row, t] == pytest.approx(rewards[lifetime, at].sum())
            assert scores.steps[row, t] == len(at)
            if answers:
                best[t] = np.mean(answers)
                phases.setdefault(of_trial[t], []).append(best[t])
        assert np.isnan(scores.reward[row, last + 1 :]).all()
        for change in (t for t in range(1, last + 1) if of_trial[t] != of_trial[t - 1]):
            for t, value in best.items():
                if of_trial[t] == of_trial[change] and change <= t < change + AFTER:
                    around.setdefault(t - change, []).append(value)
                if of_trial[t] == of_trial[change - 1] and change - BEFORE <= t < change:
                    around.setdefault(t - change, []).append(value)
        check(scores.best[row], {t: [value] for t, value in best.items()})
        check(scores.by_phase(scores.best)[row], phases)
        check(scores.around_changes(scores.best)[row], {BEFORE + at: of for at, of in around.items()})


def check(found: np.ndarray, expected: dict[int, list[float]]) -> None:
    numbers = [np.mean(expected[at]) if at in expected else np.nan for at in range(len(found))]
    np.testing.assert_allclose(found, numbers)


def test_a_change_of_what_is_right_shows() -> None:
    plan = make_plan([BANDIT], None, None, EPISODES, 4)
    records = {
        (BANDIT.name, "default", condition.name): recorded(BANDIT, condition)
        for condition in plan.conditions(BANDIT)
    }
    tables = make_tables(plan, records)
    changes = [row for row in tables.changes.to_pylist() if row["condition"] == GENOME]
    assert {-1, 0} <= {row["since"] for row in changes} <= set(range(-BEFORE, AFTER))
    assert all(row["best_low"] <= row["best"] <= row["best_high"] for row in changes)
    phases = [row["lifetimes"] for row in tables.phases.to_pylist() if row["condition"] == GENOME]
    assert phases[0] == EPISODES > phases[-1]


def test_rows_of_arms_are_over_their_runs() -> None:
    runs = [genome_of("env.stimuli=3", REWARDED, seed=seed) for seed in (5, 6)]
    plan = make_plan({"arm": runs, "alone": PLASTIC}, None, [2], EPISODES, 4)
    assert [genome.name for genome in plan.drawn] == ["arm/0", "alone"]
    records = {
        (genome.name, "default", condition.name): recorded(genome, condition)
        for genome in plan.genomes
        for condition in plan.conditions(genome)
    }
    tables = make_tables(plan, records)
    rows = {row["condition"]: row for row in tables.arms.to_pylist()}
    assert list(rows) == [GENOME, "off", "shuffled", "frozen_at_2", WITHHELD, YOKED]
    for name, row in rows.items():
        of_runs = [one for one in tables.table.to_pylist() if one["condition"] == name][:2]
        assert row["iqm"] == row["mean"] == pytest.approx(np.mean([one["reward"] for one in of_runs]))
        assert row["best"] == pytest.approx(np.mean([one["best"] for one in of_runs]))
        assert row["share"] == pytest.approx(row["iqm"] / 27)
        assert row["iqm_low"] < row["iqm"] < row["iqm_high"]
        assert (row["runs"], row["lifetimes"]) == (2, 2 * EPISODES)
        curve = [one for one in tables.bins.to_pylist() if one["condition"] == name]
        points = {
            who: [one["best"] for one in curve if one["genome"] == who] for who in ("arm", "arm/0", "arm/1")
        }
        assert points["arm"] == pytest.approx(np.mean([points["arm/0"], points["arm/1"]], axis=0))


def test_lifetimes_that_diverge_are_counted_and_references_stand_for_whole_lifetimes_alone() -> None:
    rule = "plasticity.rule=w + A*w*w*w + A*pre"
    genome = genome_of("env.name=seasons", "env.steps=12", "network.actions=argmax", rule)
    genome.values[:] = 1e9
    plan = make_plan([genome], None, [1], EPISODES, 4)
    conditions = plan.conditions(genome)
    records = {(genome.name, "default", one.name): recorded(genome, one) for one in conditions}
    tables = make_tables(plan, records)
    rows = {row["condition"]: row for row in tables.table.to_pylist()}
    assert list(rows) == [one.name for one in conditions]
    assert (rows[GENOME]["diverged"], rows[GENOME]["reward"], rows[GENOME]["best"]) == (EPISODES, None, None)
    assert rows["off"]["diverged"] == 0
    assert rows["off"]["reward"] is not None
    assert rows["off"]["share"] is None
    assert {row["condition"] for row in tables.curve.to_pylist()} == {"off"}


def conditions_of(*overrides: str) -> list[str]:
    genome = genome_of(*overrides)
    plan = make_plan([genome], None, None, 1, 1)
    return [condition.name for condition in plan.conditions(genome)]


def test_conditions_that_would_change_nothing_are_left_out() -> None:
    blind = "plasticity.rule=w + A*pre*post"
    assert conditions_of(blind) == [GENOME, "off", "shuffled", "frozen_at_1", "frozen_at_5"]
    seen = conditions_of(blind, "network.inputs=[observation, reward]")
    assert seen[-2:] == [WITHHELD, YOKED]
    assert conditions_of(blind, "env.name=t_maze", "network.actions=argmax")[-2:] == [WITHHELD, YOKED]
    static = ("plasticity.rule=none", "plasticity.initial_weights=evolved from normal(0, 0.1)")
    assert conditions_of(*static) == [GENOME, "shuffled"]


def test_what_cannot_be_studied_is_refused_in_a_line() -> None:
    with pytest.raises(
        InputError, match=r"quadruped, which has no trials; .* learning tasks, as association"
    ):
        learning([load_genome("zoo:quick-quadruped-static")], "out")
    for trial in (0, 10):
        with pytest.raises(InputError, match=f"a trial from 1 to 9, got {trial}; `off`"):
            learning([PLASTIC], "out", freezes=[trial])
    with pytest.raises(InputError, match="twice"):
        learning([PLASTIC, PLASTIC], "out")
    assert not Path("out").exists()


def test_the_weights_of_the_first_lifetime_are_followed_where_they_change() -> None:
    states = "plasticity.rule={w: w, trace: 0.5*trace + pre*post, weight: A*trace}"
    genome = genome_of("env.stimuli=3", states)
    genome.values[:] = [0, 0, 0, 3, 4, 5]
    record = recorded(genome, LearningCondition(GENOME))
    trace, expected = np.zeros((2, 3)), []
    for shown, answer in zip(record.steps.question[0], record.steps.choice[0], strict=True):
        expected.append([3, 4, 5] * trace[1])
        trace *= 0.5
        trace[answer, shown] += 1
    np.testing.assert_allclose(record.weights, expected)
    assert recorded(genome, LearningCondition("off")).weights.size == 0
