"""Clock times and rates of a run, in log.jsonl and for trackers; nothing is read back from either."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import TracebackType
from typing import Self

from hebbevo.config.schema import Config
from hebbevo.training.bystanders import Bystanders
from hebbevo.training.records import Step
from hebbevo.training.run_directory import RunDirectory
from hebbevo.training.trackers.tensorboard import TensorBoard
from hebbevo.training.trackers.tracker import TrackedRun, Tracker, Tracking, make_tracker


class Telemetry:
    """Hands a generation's rates and curves to TensorBoard and to the trackers that are asked for.

    One that fails ends with a warning, and is told nothing more.
    """

    def __init__(self, directory: RunDirectory, config: Config, generation: int, tracking: Tracking) -> None:
        self._directory = directory
        self._bystanders = Bystanders()
        self._trackers: dict[str, Tracker] = {}
        data = config.model_dump(mode="json")
        run = TrackedRun(directory.path, data, generation, tracking.group, tracking.part)
        self._begin("cannot write TensorBoard's events", TensorBoard, run)
        for name in tracking.trackers:
            self._begin(f"cannot track the run with {name}", partial(make_tracker, name), run)

    def _begin(self, failure: str, make: Callable[[], Tracker], run: TrackedRun) -> None:
        with self._bystanders.guard(failure):
            tracker = make()
            tracker.begin(run)
            self._trackers[failure] = tracker

    def record(self, step: Step) -> None:
        """Write one generation."""
        rates: dict[str, float] = {"agent_steps_per_second": step.agent_steps / step.seconds}
        if step.utilisation is not None:
            rates |= {"workers": step.workers, "utilisation": step.utilisation}
        self._directory.log("generation", generation=step.generation, seconds=step.seconds, **rates)
        values = {name.replace(".", "/"): value for name, value in step.row.items() if value is not None}
        del values["generation"]
        trackers, self._trackers = self._trackers, {}
        for failure, tracker in trackers.items():
            with self._bystanders.guard(failure):
                tracker.record(step.generation, {**values, **rates})
                self._trackers[failure] = tracker

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for failure, tracker in self._trackers.items():
            with self._bystanders.guard(failure):
                tracker.close()
