"""Trackers: what they are told, that they change no byte of a run, and what Weights & Biases and MLflow then hold."""

import importlib.util
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tasks import HERE, small_config
from test_evolution import results

from hebbevo import InputError, evolve, resume
from hebbevo.experiments.experiment import orders_of
from hebbevo.experiments.plan import read_plan
from hebbevo.training.trackers import tracker
from hebbevo.training.trackers.tracker import TRACKERS, TrackedRun, Tracker, Tracking, check_tracking

CONFIG = small_config()


class Kept(Tracker):
    """Keeps all that it is told."""

    told: list[tuple[Any, ...]] = []  # noqa: RUF012

    def begin(self, run: TrackedRun) -> None:
        self.told.append((run.name, run.group, run.generation, run.identity("kept"), run.settings))
        run.remember("kept", "an identity")

    def record(self, generation: int, values: Mapping[str, float]) -> None:
        self.told.append((generation, dict(values)))

    def close(self) -> None:
        self.told.append(("closed",))


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> type[Kept]:
    monkeypatch.setitem(TRACKERS, "kept", Kept)
    monkeypatch.setattr(Kept, "told", [])
    return Kept


def test_a_tracker_is_told_of_every_generation_and_of_what_it_called_the_run(
    kept: type[Kept], tmp_path: Path
) -> None:
    run = evolve(CONFIG, tmp_path / "seed-7", execution=HERE, track=Tracking(("kept",), "e", "plastic"))
    begun, *rows, closed = kept.told
    assert begun[:4] == ("plastic/seed-7", "e", 0, None)
    assert (begun[4]["run.seed"], begun[4]["env.name"]) == (7, "gymnasium:CartPole-v1")
    assert [generation for generation, _ in rows] == [1, 2, 3]
    assert {"population_mean", "agent_steps_per_second"} <= rows[0][1].keys()
    assert "center/default" in rows[1][1]
    assert closed == ("closed",)
    assert results(run.path) == results(evolve(CONFIG, tmp_path / "other", execution=HERE).path)
    kept.told.clear()
    resume(run, generations=4, execution=HERE, track=["kept"])
    assert kept.told[0][:4] == ("seed-7", None, 3, "an identity")


def test_one_that_fails_is_a_warning_and_is_told_nothing_more(
    kept: type[Kept], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        kept.told.append("failed")
        raise ConnectionError("nobody answers")

    monkeypatch.setattr(Kept, "record", fail)
    assert evolve(CONFIG, tmp_path / "run", execution=HERE, track=["kept"]).generation == 3
    (warning,) = [one.getMessage() for one in caplog.records if one.levelno >= logging.WARNING]
    assert "cannot track the run with kept (ConnectionError: nobody answers)" in warning
    assert kept.told.count("failed") == 1


def test_what_cannot_track_is_refused_and_nothing_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tracker.importlib.util, "find_spec", lambda name: None)
    for name, message in (("wnadb", "did you mean wandb?"), ("mlflow", "pip install mlflow")):
        with pytest.raises(InputError, match=message):
            evolve(CONFIG, tmp_path / "run", execution=HERE, track=[name])
    assert not (tmp_path / "run").exists()


def test_an_experiment_is_a_group_of_arms(kept: type[Kept], tmp_path: Path) -> None:
    plan = read_plan({"base": "quick-association", "arms": {"a": {}, "b": {"search.sigma": 0.3}}, "seeds": 1})
    orders = orders_of(plan, tmp_path / "e", None, 1, check_tracking(["kept", "kept"]))
    assert [order.tracking for order in orders] == [Tracking(("kept",), "e", arm) for arm in "ab"]


@pytest.mark.skipif(importlib.util.find_spec("mlflow") is None, reason="mlflow is not installed")
def test_mlflow_holds_the_numbers_and_goes_on_with_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"file:{tmp_path / 'mlruns'}")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    from mlflow.tracking import MlflowClient

    tracking = Tracking(("mlflow",), "e", "plastic")
    run = evolve(CONFIG, tmp_path / "seed-7", execution=HERE, track=tracking)
    resume(run, generations=4, execution=HERE, track=tracking)
    client = MlflowClient()
    (found,) = client.search_runs([client.get_experiment_by_name("e").experiment_id])
    assert (found.info.run_name, found.info.status, found.data.tags["arm"]) == (
        "plastic/seed-7",
        "FINISHED",
        "plastic",
    )
    assert found.data.params["run.seed"] == "7"
    steps = [one.step for one in client.get_metric_history(found.info.run_id, "population_mean")]
    assert steps == [1, 2, 3, 4]


@pytest.mark.skipif(importlib.util.find_spec("wandb") is None, reason="wandb is not installed")
def test_wandb_writes_a_run_offline_and_goes_on_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    run = evolve(CONFIG, tmp_path / "seed-7", execution=HERE, track=["wandb"])
    resume(run, generations=4, execution=HERE, track=["wandb"])
    files = list(run.path.glob("wandb/offline-run-*/run-*.wandb"))
    assert len(files) == 2
    assert len({file.name for file in files}) == 1
    assert any(b"population_mean" in file.read_bytes() for file in files)
