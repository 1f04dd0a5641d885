"""Clock times and rates of a run, in log.jsonl and TensorBoard events; nothing is read back from either."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from hebbevo.io.tensorboard import EventFile
from hebbevo.training.bystanders import Bystanders
from hebbevo.training.records import Step
from hebbevo.training.run_directory import RunDirectory

_FAILURE = "cannot write TensorBoard's events"


class Telemetry:
    """Write a generation's rates and curves; TensorBoard reads `tensorboard/` in the run directory.

    Curves that cannot be written end with a warning: an event file holds nothing behind a torn event.
    """

    def __init__(self, directory: RunDirectory, generation: int) -> None:
        self._directory = directory
        self._bystanders = Bystanders()
        self._events: EventFile | None = None
        with self._bystanders.guard(_FAILURE):
            self._events = EventFile(directory.path / "tensorboard", generation + 1)

    def record(self, step: Step) -> None:
        """Write one generation."""
        rates: dict[str, float] = {"agent_steps_per_second": step.agent_steps / step.seconds}
        if step.utilisation is not None:
            rates |= {"workers": step.workers, "utilisation": step.utilisation}
        self._directory.log("generation", generation=step.generation, seconds=step.seconds, **rates)
        scalars = {name.replace(".", "/"): value for name, value in step.row.items() if value is not None}
        del scalars["generation"]
        events, self._events = self._events, None
        with self._bystanders.guard(_FAILURE):
            if events is not None:
                events.add(step.generation, {**scalars, **rates})
                self._events = events

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._events is not None:
            self._events.close()
