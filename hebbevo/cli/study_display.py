"""The display of a study: a progress bar, and the statistics of the groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from hebbevo.cli.display import table_of
from hebbevo.envs.metrics import Metric
from hebbevo.evaluation.controls import GENOME
from hebbevo.studies.report import hundredths, shown, shown_interval

if TYPE_CHECKING:
    import pyarrow as pa


class Countdown:
    """A bar with the time left, on a terminal; nothing where output is piped."""

    def __init__(self, console: Console, unit: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(unit, total=None)

    def watch(self, done: int, total: int) -> None:
        """Show how much is done."""
        self._progress.update(self._task, completed=done, total=total)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()


def rows_table(rows: Sequence[Mapping[str, object]]) -> Table:
    """Return rows as they stand: words to the left, figures to the right."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    words = [name for name in names if any(isinstance(row.get(name), str) for row in rows)]
    table = table_of({name: {"overflow": "fold"} for name in words}, [n for n in names if n not in words])
    for row in rows:
        table.add_row(*(Text(shown(row.get(name))) for name in sorted(names, key=lambda n: n not in words)))
    return table


def generalization_table(
    statistics: pa.Table, unit: str, metrics: Mapping[str, Metric] = MappingProxyType({})
) -> Table:
    """Return the rows of groups, for a terminal: each genome's, and the controls' below it."""
    rows = [row for row in statistics.to_pylist() if row["morphology"] is None]
    compared = any(row["improvement"] is not None for row in rows)
    texts = {"bodies": {"no_wrap": True}, "genome": {"overflow": "fold"}}
    table = table_of(
        texts, (f"IQM ({unit})", "95 % CI", *_labels(metrics), *(["P(better)"] if compared else []))
    )
    for row in rows:
        evolved = row["condition"] == GENOME
        words = (
            (f"{row['bodies']} {row['group']}", row["genome"]) if evolved else ("", f"  {row['condition']}")
        )
        cells = [
            *words,
            shown(hundredths(row["iqm"])),
            shown_interval(row["iqm_low"], row["iqm_high"]) or "–",
            *(shown(hundredths(row[name])) for name in metrics),
            *([shown(hundredths(row["improvement"]))] if compared else []),
        ]
        table.add_row(*map(Text, cells), style="bold" if evolved else "dim")
    return table


def arms_table(
    statistics: pa.Table, unit: str, metrics: Mapping[str, Metric] = MappingProxyType({})
) -> Table:
    """Return the rows of groups of arms, for a terminal."""
    rows = [row for row in statistics.to_pylist() if row["morphology"] is None]
    table = table_of(
        {"bodies": {"no_wrap": True}, "arm": {"overflow": "fold"}},
        ("runs", f"IQM ({unit})", "95 % CI", *_labels(metrics), "P(better)"),
    )
    for row in rows:
        evolved = row["condition"] == GENOME
        words = (f"{row['bodies']} {row['group']}", row["arm"]) if evolved else ("", f"  {row['condition']}")
        cells = [
            *words,
            str(row["runs"]),
            shown(hundredths(row["iqm"])),
            shown_interval(row["iqm_low"], row["iqm_high"]) or "–",
            *(shown(hundredths(row[name])) for name in metrics),
            shown(hundredths(row["improvement"])),
        ]
        table.add_row(*map(Text, cells), style="bold" if evolved else "dim")
    return table


def perturbation_table(
    statistics: pa.Table, quantity: str, metrics: Mapping[str, Metric] = MappingProxyType({})
) -> Table:
    """Return rows of genomes or arms for a terminal: loss and time of recovery; without the freeze curve."""
    figures = (quantity, *_labels(metrics), "loss", "95 % CI", "recovery")
    table = table_of({"protocol": {"overflow": "fold"}}, figures)
    last = None
    for row in statistics.to_pylist():
        if (who := (row.get("arm") or row["genome"], row["morphology"])) != last:
            table.add_row(Text(f"{who[0]} ({who[1]})"), style="bold")
            last = who
        if row["begins"] is not None and row["recovery_from"] is None:
            continue
        further = [shown(hundredths(row[name])) for name in metrics]
        mean = shown(hundredths(row.get("iqm", row["mean"])))
        table.add_row(*map(Text, (f"  {row['protocol']}", mean, *further, *_loss(row))))
    return table


def _labels(metrics: Mapping[str, Metric]) -> list[str]:
    return [metric.label for metric in metrics.values()]


def _loss(row: Mapping[str, Any]) -> tuple[str, str, str]:
    if row["loss"] is None:
        return "", "", ""
    interval = shown_interval(row["loss_low"], row["loss_high"]) or ""
    back = row["recovery_steps"]
    return shown(hundredths(row["loss"])), interval, "never" if back is None else f"{back:.0f} steps"


def learning_table(statistics: pa.Table) -> Table:
    """Return rows for a terminal: each genome's or arm's, its controls, and what chance and oracle come to."""
    rows = statistics.to_pylist()
    several = len({row["morphology"] for row in rows}) > 1
    reward = "iqm" if "iqm" in statistics.column_names else "reward"
    table = table_of({"genome": {"overflow": "fold"}}, ("reward", "95 % CI", "share", "best"))
    for row in rows:
        evolved, who = row["condition"] == GENOME, row.get("arm") or row.get("genome")
        name = who if evolved else f"  {row['condition']}"
        cells = [
            f"{name} ({row['morphology']})" if several and (evolved or not who) else name,
            shown(hundredths(row[reward])),
            shown_interval(row[f"{reward}_low"], row[f"{reward}_high"]) or "",
            shown(hundredths(row["share"])),
            "" if row["best"] is None else shown(hundredths(row["best"])),
        ]
        table.add_row(*map(Text, cells), style="bold" if evolved else "dim")
    return table
