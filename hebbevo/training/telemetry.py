"""Clock times and rates of a run, in log.jsonl and TensorBoard events; nothing is read back from either."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from hebbevo.io.tensorboard import EventFile
from hebbevo.training.records import Step
from hebbevo.training.run_directory import RunDirectory


class Telemetry:
    """Write a generation's rates and curves; TensorBoard reads `tensorboard/` in the run directory."""

    def __init__(self, directory: RunDirectory, generation: int) -> None:
        self._directory = directory
        self._events = EventFile(directory.path / "tensorboard", generation + 1)

    def record(self, step: Step) -> None:
        """Write one generation."""
        rates: dict[str, float] = {"agent_steps_per_second": step.agent_steps / step.seconds}
        if step.utilisation is not None:
            rates |= {"workers": step.workers, "utilisation": step.utilisation}
        self._directory.log("generation", generation=step.generation, seconds=step.seconds, **rates)
        scalars = {name.replace(".", "/"): value for name, value in step.row.items() if value is not None}
        del scalars["generation"]
        self._events.add(step.generation, {**scalars, **rates})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._events.close()
