"""What a person sees of a study: how far it has come, and the statistics of the groups."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from hebbevo.evaluation import GENOME
from hebbevo.report import hundredths, shown, shown_interval

if TYPE_CHECKING:
    import pyarrow as pa


class Countdown:
    """A bar with the time left, on a terminal; nothing where output is piped."""

    def __init__(self, console: Console, what: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._progress = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._progress.add_task(what, total=None)

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


def generalisation_table(statistics: pa.Table) -> Table:
    """Return the rows of groups, for a terminal: each genome's, and its controls' below it."""
    rows = [row for row in statistics.to_pylist() if row["morphology"] is None]
    compared = any(row["improvement"] is not None for row in rows)
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("bodies", no_wrap=True)
    table.add_column("genome", overflow="fold")
    for name in ("IQM (m)", "95 % CI", *(["P(better)"] if compared else [])):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        evolved = row["condition"] == GENOME
        words = (
            (f"{row['bodies']} {row['group']}", row["genome"]) if evolved else ("", f"  {row['condition']}")
        )
        cells = [
            *words,
            shown(hundredths(row["iqm"])),
            shown_interval(row["iqm_low"], row["iqm_high"]) or "–",
            *([shown(hundredths(row["improvement"]))] if compared else []),
        ]
        table.add_row(*map(Text, cells), style="bold" if evolved else "dim")
    return table


def perturbation_table(statistics: pa.Table) -> Table:
    """Return a row per protocol, for a terminal: what was lost, and how long it took to be back."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("genome", overflow="fold")
    table.add_column("protocol", overflow="fold")
    for name in ("progress", "loss", "95 % CI", "recovery (steps)"):
        table.add_column(name, justify="right")
    for row in statistics.to_pylist():
        low, high = row["loss_low"], row["loss_high"]
        interval = "" if low is None else f"{shown(low)} to {shown(high)}"
        back = row["recovery_steps"]
        recovery = "" if row["recovery_from"] is None else "never" if back is None else f"{back:.0f}"
        loss = "" if row["loss"] is None else shown(row["loss"])
        cells = (row["genome"], row["protocol"], shown(row["mean"]), loss, interval, recovery)
        table.add_row(*map(Text, cells))
    return table
