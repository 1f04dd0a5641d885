"""The display of experiments: a live table of the runs under way, and what the arms reached."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from hebbevo.cli.display import OnTerminal, duration, table_of
from hebbevo.cli.output import say
from hebbevo.experiments.comparison import Comparison
from hebbevo.experiments.experiment import Studying
from hebbevo.experiments.plan import Plan
from hebbevo.experiments.report import cautions
from hebbevo.experiments.run import RunOrder
from hebbevo.experiments.workers import Advanced, Event, Finished, Started
from hebbevo.studies.report import hundredths, shown, shown_interval
from hebbevo.training.bystanders import Bystanders
from hebbevo.training.records import Step


@dataclass
class _Progress:
    """A run under way: where it is, and the agent-steps and seconds since it began or went on."""

    order: RunOrder
    step: Step | None = None
    center: float | None = None
    agent_steps: int = 0
    seconds: float = 0.0
    began: float = field(default_factory=time.monotonic)

    def add(self, step: Step) -> None:
        """Count a generation."""
        self.step, self.agent_steps = step, self.agent_steps + step.agent_steps
        self.seconds += step.seconds
        self.center = step.row["center_mean"] if step.center_evaluated else self.center

    @property
    def left(self) -> str:
        """The time left."""
        if self.step is None:
            return "starting"
        if self.step.steps_left is None:
            generations = self.step.generations - self.step.generation
            return duration(generations * self.seconds / self.step.generation)
        return duration(self.step.steps_left * self.seconds / max(1, self.agent_steps))


class RunsTable(OnTerminal):
    """Runs under way, updated in place on a terminal; a line per finished run where output is piped."""

    def __init__(self, console: Console, plan: Plan) -> None:
        super().__init__(console, Live(console=console, transient=True, refresh_per_second=4))
        self._unit = next(iter(plan.arms.values())).env.unit
        self._bystanders, self._total = Bystanders(), len(plan.runs())
        self._running: dict[str, _Progress] = {}
        self._done, self._failed = 0, 0

    def watch(self, event: Event | Studying) -> None:
        """Show what happened; whatever goes wrong with it, the runs go on."""
        with self._bystanders.guard("cannot show the runs"):
            self._show(event)

    def _show(self, event: Event | Studying) -> None:
        if isinstance(event, Studying):
            self._study(event)
            return
        name = event.order.name
        if isinstance(event, Started):
            self._running[name] = _Progress(event.order)
        elif isinstance(event, Advanced):
            self._running[name].add(event.step)
        else:
            self._finish(event)
        if self._console.is_terminal:
            self._live.update(self._table())

    def _study(self, event: Studying) -> None:
        if event.done == event.total:
            say(self._live.console, f"{event.kind}: {event.total} lifetimes")
        elif self._console.is_terminal:
            self._live.update(Text(f"{event.kind}: {event.done} of {event.total} lifetimes"))

    def _finish(self, event: Finished) -> None:
        run = self._running.pop(event.order.name)
        if event.failure is not None:
            self._failed += 1
            say(self._live.console, f"{event.order.name} failed: {event.failure}")
            return
        self._done += 1
        seconds = duration(time.monotonic() - run.began)
        center = "" if run.center is None else f", center {run.center:.2f} {self._unit}"
        generation = "evaluated" if run.step is None else f"generation {run.step.generation}"
        say(self._live.console, f"{event.order.name}: {generation}{center}, {seconds}")

    def _table(self) -> Group:
        figures = ("seed", "generation", f"center ({self._unit})", "left")
        table = table_of({"arm": {"no_wrap": True}}, figures)
        for run in self._running.values():
            center = "–" if run.center is None else f"{run.center:.2f}"
            generation = "–" if run.step is None else str(run.step.generation)
            cells = (run.order.arm, str(run.order.seed), generation, center, run.left)
            table.add_row(*map(Text, cells))
        failed = f", {self._failed} failed" if self._failed else ""
        return Group(table, Text(f"{self._done} runs done now{failed}; {self._total} in all"))


def comparison_table(comparison: Comparison) -> Table:
    """Return the arms, for a terminal: the mean over all bodies, where there are several."""
    compared = comparison.compared
    unit = compared.baseline.config.env.unit
    compares = len(compared.arms) > 1
    figures = ("runs", f"IQM ({unit})", "95 % CI", "median", *(("P(better)", "95 % CI") if compares else ()))
    table = table_of({"arm": {"overflow": "fold"}}, figures)
    body = None if len(compared.bodies) > 1 else compared.bodies[0]
    for row in comparison.tables.table:
        if row["morphology"] == body:
            cells = [
                row["arm"],
                str(row["runs"]),
                shown(hundredths(row["iqm"])),
                shown_interval(row["iqm_low"], row["iqm_high"]) or "–",
                shown(hundredths(row["median"])),
            ]
            if compares:
                interval = shown_interval(row.get("improvement_low"), row.get("improvement_high"))
                cells += [shown(hundredths(row.get("improvement"))), interval or "–"]
            table.add_row(*map(Text, cells))
    return table


def say_comparison(console: Console, comparison: Comparison) -> None:
    """Print the table of arms, and what a reader must know."""
    compared = comparison.compared
    console.print(comparison_table(comparison))
    if len(compared.arms) > 1:
        say(console, f"P(better): how often a run ends higher than one of {compared.baseline.name}")
    for note in cautions(comparison):
        say(console, note)
