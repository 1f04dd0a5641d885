"""Runs whose lifetimes diverge: a warning, empty fields, an end with the remedy, and what a resumed run counts."""

import json
import logging
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt
import pytest
from tasks import CART_POLE, HERE, QUADRUPED, small_config
from test_evolution import Stopped, results, rows_of, stopping, with_fitness

from hebbevo import Execution, evolve, load_genome, resume
from hebbevo.cli.app import run
from hebbevo.errors import DivergenceFailure
from hebbevo.rollouts.result import WORST_FITNESS, RolloutResult
from hebbevo.search import SEARCHERS, OpenAIES, OpenAIESConfig
from hebbevo.tasks.worker import CpuWorker
from hebbevo.training.divergence import DivergenceGuard
from hebbevo.training.records import Row
from hebbevo.training.rows import center_columns, center_score

ALL = 12  # of 6 individuals on 2 bodies
BLOWN_UP = "plasticity.initial_coefficients=normal(0, 1e30)"


def config_of(*overrides: str) -> Any:
    return small_config("search.generations=8", *overrides, env=QUADRUPED)


def end_of(guard: DivergenceGuard, counts: list[int]) -> int | None:
    """Return the number of generations after which the guard ends a run; None where it does not."""
    for number, diverged in enumerate(counts, start=1):
        try:
            guard.add({"generation": number, "diverged": diverged})
        except DivergenceFailure:
            return number
    return None


@pytest.mark.parametrize("penalty", [0, 0.01])
def test_the_center_stays_where_it_is(monkeypatch: pytest.MonkeyPatch, penalty: float) -> None:
    with_fitness(monkeypatch, WORST_FITNESS, True)
    seen: list[np.ndarray] = []
    config = small_config(f"search.penalty={penalty}", env=QUADRUPED)
    with pytest.raises(DivergenceFailure):
        evolve(config, "run", execution=HERE, watch=lambda _: seen.append(load_genome("run").values))
    assert len(seen) == 3
    assert np.isfinite(seen[0]).all()
    np.testing.assert_array_equal(seen[0], seen[-1])
    rows = rows_of("run")
    assert [row["diverged"] for row in rows] == [ALL] * 3
    for row in rows:
        assert row["population_mean"] is row["population_best"] is row["population.intact"] is None
        assert row["center_mean"] is row["center.intact"] is None
    assert not Path("run/best.safetensors").exists()
    assert load_genome("run").provenance["evaluation"]["center_mean"] is None
    assert resume("run", execution=HERE).already_finished


def test_a_run_that_diverges_warns_at_once_and_stops_after_three_generations(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING), pytest.raises(DivergenceFailure, match="the 3rd such in a row"):
        evolve(config_of(BLOWN_UP), "run", execution=HERE)
    warnings = [text for name, _, text in caplog.record_tuples if name == "hebbevo.training.divergence"]
    assert len(warnings) == 1
    assert warnings[0].startswith("12 of 12 lifetimes diverged in generation 1: ")
    assert "plasticity.normalise" in warnings[0]
    assert [row["generation"] for row in rows_of("run")] == [1, 2, 3]
    assert Path("run/checkpoints/generation_000003.safetensors").exists()
    assert Path("run/figures/learning_curve.png").exists()


def test_a_resumed_run_counts_the_generations_before() -> None:
    with pytest.raises(DivergenceFailure):
        evolve(config_of(BLOWN_UP), "straight", execution=HERE)
    with pytest.raises(Stopped):
        evolve(config_of(BLOWN_UP), "killed", execution=HERE, watch=stopping(2))
    with pytest.raises(DivergenceFailure):
        resume("killed", execution=HERE)
    assert results_without_best("killed") == results_without_best("straight")
    with pytest.raises(DivergenceFailure, match="generation 6, the 6th such in a row"):
        resume("killed", execution=HERE)


def results_without_best(path: str) -> dict[str, bytes]:
    """Return the bytes that equal runs share; a run that diverged has no best center."""
    Path(path, "best.safetensors").touch()
    return results(path)


@pytest.mark.parametrize(
    ("counts", "end"),
    [
        ([ALL] * 5, 3),
        ([11, 12, 11], 3),
        ([10] * 9, None),  # 83 percent
        ([ALL, ALL, 0] * 3, None),
        ([0, ALL, ALL, ALL], 4),
    ],
)
def test_generations_are_counted_in_a_row(counts: list[int], end: int | None) -> None:
    assert end_of(DivergenceGuard(config_of(), []), counts) == end


@pytest.mark.parametrize(
    ("counts", "fails"), [([ALL], True), ([ALL, ALL], True), ([0, ALL], False), ([0], False)]
)
def test_a_run_of_which_every_generation_diverged_fails_however_short(counts: list[int], fails: bool) -> None:
    guard = DivergenceGuard(config_of(), [])
    assert end_of(guard, counts) is None
    with pytest.raises(DivergenceFailure, match="as in every generation") if fails else nullcontext():
        guard.end()


def test_a_short_run_that_diverged_says_so_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    keys = ("env.steps=30", "search.population=4", "search.generations=1", "network.hidden=4", BLOWN_UP)
    assert run(["evolve", "quick-quadruped", *keys, "--threads", "1", "--out", "run"]) == 1
    assert "generation 1, as in every generation of the run: give" in capsys.readouterr().err.splitlines()[-1]


@pytest.mark.parametrize(("before", "end"), [(0, 3), (1, 2), (2, 1), (3, 3), (6, 3)])
def test_a_resumed_run_ends_after_three_in_a_row(before: int, end: int) -> None:
    rows: list[Any] = [{"generation": number, "diverged": ALL} for number in range(1, before + 1)]
    assert end_of(DivergenceGuard(config_of(), rows), [ALL] * 9) == end


def test_lifetimes_of_the_center_that_diverge_are_left_out_of_its_means() -> None:
    def lifetimes(*fitness: float | None) -> RolloutResult:
        diverged = np.array([value is None for value in fitness])
        values = np.array([WORST_FITNESS if value is None else value for value in fitness])
        return RolloutResult(values, np.ones(len(fitness), np.int64), diverged)

    def columns(*parts: RolloutResult) -> Row:
        return center_columns(["a", "b"][: len(parts)], parts)

    some, none = lifetimes(1.0, None, 3.0), lifetimes(None, None, None)
    both = {"center.a": 2.0, "center.b": 2.0}
    assert columns(some, some) == {"center_mean": 2.0, **both, "center_diverged": 2}
    assert columns(some, none) == {"center_mean": None, **both, "center.b": None, "center_diverged": 4}
    assert set(center_columns(["a", "b"], None).values()) == {None}
    assert center_score(center_columns(["a"], None)) is center_score(columns(some, none)) is None
    scores = [center_score(columns(lifetimes(*part))) for part in ((9.0, None), (-3e9, -3e9), (1.0, 1.0))]
    assert scores == sorted(scores, key=lambda score: score or (0, 0.0))


def test_in_a_world_of_huge_penalties_no_number_passes_for_divergence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Returns lie below the number that stands for divergence; still the center that lived is the best."""

    def rollout(self: Any, genomes: Any, genome_of: Any, seeds: Any, *_: Any, **__: Any) -> RolloutResult:
        row = np.array(genome_of)
        bad = (genomes[row, 0] * 1000 % 1 > 0.5) & (len(genomes) > 1)
        fitness = np.where(bad, WORST_FITNESS, -3e9 - 1e8 * genomes[row, 0])
        return RolloutResult(fitness, np.ones(len(row), np.int64), bad)

    monkeypatch.setattr(CpuWorker, "rollout", rollout)
    config = small_config("search.penalty=0", "search.population=40", env=QUADRUPED)
    evolve(config, "run", execution=Execution(threads=1, batch_size=80))
    rows = rows_of("run")
    assert any(row["diverged"] for row in rows)
    for row in rows:
        means = [row[name] for name in ("population_mean", "population_best", "population.intact")]
        assert all(mean is not None and mean < -2.5e9 for mean in means)
        assert row["center_diverged"] in (0, None)
    evaluated = [row["center_mean"] for row in rows if row["center_mean"] is not None]
    best = load_genome("run/best.safetensors").provenance["evaluation"]
    assert best["center_mean"] == max(evaluated) < -2.5e9
    assert "center_diverged" not in best


def test_one_diverged_lifetime_of_the_center_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    def rollout(self: Any, genomes: Any, genome_of: Any, seeds: Any, *_: Any, **__: Any) -> RolloutResult:
        bad = np.array([row == 0 for row in range(len(seeds))])
        return RolloutResult(np.where(bad, WORST_FITNESS, 20.0), np.ones(len(seeds), np.int64), bad)

    monkeypatch.setattr(CpuWorker, "rollout", rollout)
    keys = ("env.steps=30", "search.population=4", "search.generations=2", "network.hidden=4")
    arguments = ["evolve", "quick-quadruped", *keys, "evaluation.episodes=16", "--threads", "1"]
    assert run([*arguments, "--batch-size", "64", "--out", "run"]) == 0
    assert [rows_of("run")[-1][name] for name in ("center_mean", "center_diverged")] == [20.0, 2]
    assert load_genome("run").provenance["evaluation"]["center_diverged"] == 2


def test_a_run_that_began_without_the_column_ends_without_it() -> None:
    with pytest.raises(Stopped):
        evolve(small_config(), "run", execution=HERE, watch=stopping(1))
    path = Path("run/progress.csv")
    path.write_text("".join(f"{line.rpartition(',')[0]}\n" for line in path.read_text().splitlines()))
    assert "center_diverged" not in rows_of("run")[0]
    resume("run", execution=HERE)
    assert [row["generation"] for row in rows_of("run")] == [1, 2, 3]
    assert "center_diverged" not in rows_of("run")[-1]


def test_the_command_line_says_so_and_exits_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    keys = ("env.steps=30", "search.population=4", "search.generations=9", "network.hidden=4", BLOWN_UP)
    assert run(["evolve", "quick-quadruped", *keys, "--threads", "1", "--out", "run"]) == 1
    out, err = capsys.readouterr()
    last = err.splitlines()[-1]
    assert last.startswith("hebbevo: ")
    assert "lifetimes diverged in generation 3, the 3rd such in a row: give the weights a normaliser" in last
    assert "DivergenceFailure" not in last
    assert "population: every lifetime diverged" in out or "center" not in out
    assert run(["plot", "run"]) == 0


class Runaway(OpenAIES):
    """A searcher of one's own whose center, and then whose genomes, leave the finite numbers."""

    @property
    def center(self) -> npt.NDArray[np.float32]:
        return super().center / np.float32(self.generation < 2)

    def ask(self) -> Any:
        return replace(super().ask(), sigma=1e300 if self._config.sigma == 7 else 0.1)


class RunawayConfig(OpenAIESConfig):
    searcher: ClassVar[str] = f"{__name__}:Runaway"
    algorithm: Literal["runaway"] = "runaway"  # type: ignore[assignment]


@pytest.mark.filterwarnings("error:.*encountered:RuntimeWarning")
@pytest.mark.parametrize(
    ("settings", "said", "rows"),
    [
        (
            ["search.sigma=1e-38", "search.learning_rate=1e6"],
            "openai_es diverged in generation 1: its center",
            0,
        ),
        (["search.algorithm=runaway"], "runaway diverged in generation 2: its center", 1),
        (["search.algorithm=runaway", "search.sigma=7"], "runaway diverged in generation 1: its genomes", 0),
    ],
)
def test_a_search_that_overflows_ends_as_a_failed_search(
    settings: list[str],
    said: str,
    rows: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(SEARCHERS, "runaway", RunawayConfig)
    keys = (*CART_POLE, "env.steps=200", "search.population=8", "search.generations=4", *settings)
    with np.errstate(divide="ignore"):
        assert run(["evolve", "quick-quadruped", *keys, "--threads", "1", "--out", "run"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"hebbevo: {said} ")
    assert "give search.sigma" in line
    assert Path("run").exists() == bool(rows), "nothing stays of a run that fails before its first checkpoint"
    if not rows:
        return
    assert len(rows_of("run")) == rows
    events = [json.loads(text) for text in Path("run/log.jsonl").read_text().splitlines()]
    assert [event["event"] for event in events][-1] == "failed"
