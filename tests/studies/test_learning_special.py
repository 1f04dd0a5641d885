"""What a study of learning says of the two-step task and of the seasons, against slow counts over their lifetimes."""

import csv
from pathlib import Path

import numpy as np
import pytest
from tasks import HERE

from hebbevo import Genome, learning, load_config
from hebbevo.envs import make
from hebbevo.evaluation.episodes import Subject
from hebbevo.evaluation.stay import Trials, regression, stay_probabilities
from hebbevo.seeding import SeedPurpose
from hebbevo.studies.directory import read_study
from hebbevo.studies.learning.plan import Plan
from hebbevo.studies.learning.results import kept_records
from hebbevo.studies.learning.retention import retention_table
from hebbevo.studies.learning.scores import Scores
from hebbevo.studies.learning.stay import trials_of
from hebbevo.tasks.task import Task

EPISODES = 5
RULE = "plasticity.rule=w + reward*(A*pre*post + B*pre)"


def studied(out: Path, *overrides: str) -> Path:
    task = Task.of(load_config("quick-association", [*overrides, RULE]))
    genome = Genome(task, task.first_genome(np.random.default_rng(3)), {}, "plastic")
    return learning([genome], out, freezes=[3], episodes=EPISODES, seed=4, execution=HERE).path


def test_stay_probabilities_are_those_of_the_choices_played_again(tmp_path: Path) -> None:
    study = read_study(studied(tmp_path / "t", "env.name=two_step", "env.trials=30"))
    assert {"stay.csv", "stay.png"} <= {path.name for path in study.path.iterdir()}
    plan = Plan.of(study)
    records = kept_records(plan, study)
    with (study.path / "stay.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    for (genome, _, condition), record in records.items():
        world = make(plan.env, batch_size=EPISODES)
        seeds = Subject(plan.genomes[0].values, (4, SeedPurpose.EVALUATION)).seeds(range(EPISODES))
        world.reset(seeds, ["default"] * EPISODES)
        trials = Trials.empty(EPISODES, 30)
        for step, choices in enumerate(record.steps.choice.T):
            world.step(np.eye(2, dtype=np.float32)[choices], np.arange(EPISODES))
            trial = step // 2
            if step % 2 == 0:
                trials.choices[:, trial] = choices
                trials.common[:, trial] = world.state == 1 + choices  # type: ignore[attr-defined]
                trials.correct[:, trial] = world.optimal == 1  # type: ignore[attr-defined]
            else:
                trials.rewarded[:, trial] = world.rewards > 0
        for name, values in vars(trials_of(record)).items():
            np.testing.assert_array_equal(values, getattr(trials, name))
        (row,) = [one for one in rows if (one["genome"], one["condition"]) == (genome, condition)]
        assert float(row["rewarded_rare"]) == pytest.approx(stay_probabilities(trials)[1])
        assert float(row["correct"]) == pytest.approx(regression(trials)["correct"])
    assert [row["condition"] for row in rows if not row["genome"]] == ["model_free", "model_based"]


def test_retention_is_the_score_of_the_first_day_of_later_years(tmp_path: Path) -> None:
    settings = ("env.foods=2", "env.seasons=3", "env.days=4", "env.years=2")
    study = read_study(studied(tmp_path / "s", "env.name=seasons", *settings))
    assert {"retention.csv", "retention.png"} <= {path.name for path in study.path.iterdir()}
    plan = Plan.of(study)
    records = kept_records(plan, study)
    rows = retention_table(plan, records).to_pylist()
    assert [row["condition"] for row in rows] == [one.name for one in plan.conditions(plan.genomes[0])]
    for row, record in zip(rows, records.values(), strict=True):
        best = Scores.of(record).best
        assert best.shape == (EPISODES, 24)
        assert row["first"] == pytest.approx(np.mean([best[:, day] for day in (0, 4, 8)]))
        assert row["retained"] == pytest.approx(np.mean([best[:, day] for day in (12, 16, 20)]))
        assert row["learnt"] == pytest.approx(np.mean([best[:, day] for day in (3, 7, 11, 15, 19, 23)]))
