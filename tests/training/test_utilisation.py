"""How busy workers were: computed from what executors tell, shown on the live line, logged, never in progress.csv."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from tasks import HERE, small_config

import hebbevo
from hebbevo.cli.display import StatusLine
from hebbevo.execution.executors import executor_for
from hebbevo.training import evolution
from hebbevo.training.records import Step

ROW = {"population_mean": 1.0, "population_best": 2.0}


@pytest.mark.parametrize(
    ("workers", "utilisation", "shown"),
    [(2, (0.8, 0.9), "2 workers 85% busy"), (1, (1.0, 0.98), "1 worker 99% busy"), (1, (None, None), None)],
)
def test_the_live_line_shows_the_mean_of_the_last_generations(
    workers: int, utilisation: tuple[float | None, ...], shown: str | None
) -> None:
    console = Console(record=True, width=200)
    line = StatusLine(console)
    for number, part in enumerate(utilisation, start=1):
        row: Any = {**ROW, "center_mean": 0.5}
        line.watch(Step(number, 9, row, 100, 2.0, workers, part, center_evaluated=True))
    last = console.export_text().splitlines()[-1]
    assert "50 steps/s" in last
    assert (shown in last) if shown else ("busy" not in last)


class Telling:
    """An executor of one thread that tells of its maps as Ray's does: busy for a tenth of a second each."""

    workers = 4

    def __init__(self, executor: Any, tell: Any) -> None:
        self.executor, self.tell, self.maps = executor, tell, 0

    def map(self, *arguments: Any) -> Any:
        self.tell("map", busy_seconds=0.1)
        return self.executor.map(*arguments)


def test_a_generation_logs_the_busy_part_of_the_workers_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def telling(execution: Any, on_event: Any) -> Iterator[Any]:
        with executor_for(execution) as executor:
            yield Telling(executor, on_event)

    monkeypatch.setattr(evolution, "executor_for", telling)
    hebbevo.evolve(small_config("search.generations=2"), tmp_path / "run", execution=HERE)
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    first, second = (event for event in log if event["event"] == "generation")
    for event, maps in ((first, 2), (second, 3)):  # lifetimes, update, and the center every second one
        assert event["workers"] == 4
        assert event["utilisation"] == pytest.approx(0.1 * maps / (4 * event["seconds"]))
    assert "utilisation" not in (tmp_path / "run" / "progress.csv").read_text()
    assert b"utilisation" in b"".join(
        path.read_bytes() for path in (tmp_path / "run" / "tensorboard").iterdir()
    )
