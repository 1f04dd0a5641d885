"""The display of runs: the status line of an evolution, and the table of an evaluation."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hebbevo.cli.output import run_console
from hebbevo.envs.metrics import Metric
from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.evaluation import Evaluation
from hebbevo.training.bystanders import Bystanders
from hebbevo.training.records import Row, Step, Watcher
from hebbevo.training.rows import center_measures

_RECENT = 10
"""Generations over which the rate and the time left are averaged."""


class OnTerminal:
    """What is updated in place within a `with` block, on a terminal; nothing where output is piped."""

    def __init__(self, console: Console, live: Live) -> None:
        self._console, self._live = console, live

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def table_of(first: Mapping[str, Any], figures: Iterable[str]) -> Table:
    """Return an empty table in the style of all commands.

    Args:
        first: columns of words, and the options of each.
        figures: columns of figures, which stand to the right.
    """
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    for name, options in first.items():
        table.add_column(name, **options)
    for name in figures:
        table.add_column(name, justify="right", no_wrap=True)
    return table


class StatusLine(OnTerminal):
    """One line, updated in place on a terminal; a line per evaluation where output is piped.

    Whatever goes wrong with it, the run that it shows goes on.
    """

    def __init__(self, console: Console) -> None:
        waiting = Text("starting: compiling kernels")
        super().__init__(console, Live(waiting, console=console, transient=True, refresh_per_second=4))
        self._bystanders = Bystanders()
        self._recent: deque[Step] = deque(maxlen=_RECENT)
        self._center: Step | None = None
        self._separator = " · " if console.encoding.startswith("utf") else " - "

    def watch(self, step: Step) -> None:
        """Show a generation."""
        with self._bystanders.guard("cannot show the run"):
            self._show(step)

    def _show(self, step: Step) -> None:
        self._recent.append(step)
        if step.center_evaluated:
            self._center = step
        line = Text(self._line(step))
        if self._console.is_terminal:
            self._live.update(line)
        if step.center_evaluated:
            self._live.console.print(line, soft_wrap=True)

    def _line(self, step: Step) -> str:
        parts = [f"generation {step.generation}/{step.generations}"]
        if self._center is not None:
            evaluated = self._center
            since = "" if evaluated is step else f" (at {evaluated.generation})"
            parts.append(f"center {_fitness(evaluated.row, step.unit)}{since}")
        mean, best = step.row.get("population_mean"), step.row.get("population_best")
        if mean is None or best is None:
            parts.append(f"population: every {_lost_to_divergence(step.row)} diverged")
        else:
            parts.append(f"population {mean:.2f}, best {best:.2f} {step.unit}")
        if diverged := step.row.get("diverged"):
            parts.append(f"{diverged} diverged")
        seconds = sum(recent.seconds for recent in self._recent)
        rate = sum(recent.agent_steps for recent in self._recent) / seconds
        left = (step.generations - step.generation) * seconds / len(self._recent)
        if step.steps_left is not None and rate:
            left = min(left, step.steps_left / rate)
        parts.append(f"{rate:,.0f} steps/s")
        busy = [recent.utilisation for recent in self._recent if recent.utilisation is not None]
        if busy:
            workers = "1 worker" if step.workers == 1 else f"{step.workers} workers"
            parts.append(f"{workers} {sum(busy) / len(busy):.0%} busy")
        return self._separator.join([*parts, f"{duration(left)} left"])


@contextmanager
def progress() -> Iterator[Watcher]:
    """Show a run that Python evolves as `hebbevo evolve` does; in a notebook, a line per evaluation of the center.

    ``with hebbevo.progress() as show: hebbevo.evolve("quick-gymnasium", watch=show)``
    """
    with StatusLine(run_console()) as line:
        yield line.watch


def evaluation_title(evaluation: Evaluation) -> str:
    """Return the line above the table."""
    lifetimes = next(iter(next(iter(evaluation.lifetimes.values())).values()))
    count = len(lifetimes.fitness)
    return f"{evaluation.genome.name}: {evaluation.unit} per lifetime, {count} lifetimes each"


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return the table of an evaluation: a row per morphology and condition."""
    parts = evaluation.summary()["morphologies"]
    rows = [
        (body, condition, values)
        for body, part in parts.items()
        for condition, values in {GENOME: part, **part["controls"]}.items()
    ]
    metrics = evaluation.genome.task.env.metrics
    diverged = any(values["diverged"] for _, _, values in rows)
    extra = [*(["diverged"] if diverged else []), *(metric.label for metric in metrics.values())]
    words = {name: {"no_wrap": True} for name in ("morphology", "condition")}
    table = table_of(words, ("mean", "sd", "median", "95 % CI", *extra))
    for body, condition, values in rows:
        evolved = condition == GENOME
        cells = (body if evolved else "", condition, *_cells(values, diverged, metrics))
        table.add_row(*map(Text, cells), style="bold" if evolved else "dim")
    return table


def _cells(values: dict[str, Any], diverged: bool, metrics: Mapping[str, Metric]) -> list[str]:
    if values["mean"] is None:
        cells = ["-"] * 4
    else:
        low, high = values["ci95"]
        cells = [*(f"{values[name]:.2f}" for name in ("mean", "sd", "median")), f"{low:.2f} to {high:.2f}"]
    if diverged:
        cells.append(str(values["diverged"]))
    cells += [
        f"{values[name]:.{metric.decimals}f}" if name in values else "-" for name, metric in metrics.items()
    ]
    return cells


def _fitness(row: Row, unit: str) -> str:
    """Return the mean of an evaluated center, what was measured besides, and how many of its lifetimes diverged."""
    mean, diverged = row["center_mean"], row.get("center_diverged")
    if mean is None:
        return "diverged"
    further = "".join(f", {value:.2f} {name}" for name, value in center_measures(row).items())
    return f"{mean:.2f} {unit}{further}" + (f", {diverged} of its lifetimes diverged" if diverged else "")


def _lost_to_divergence(row: Row) -> str:
    """Return of what there is none left in a population without mean: lifetimes, or individuals without a bad one."""
    means = (value for name, value in row.items() if name.startswith("population."))
    return "lifetime" if all(mean is None for mean in means) else "individual, on one body or another,"


def duration(seconds: float) -> str:
    """Return a time for people: seconds, minutes or hours."""
    minutes, hours = round(seconds / 60), int(seconds // 3600)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if seconds < 5400 else f"{hours} h {minutes - 60 * hours:02d} min"
