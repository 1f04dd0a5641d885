"""TensorBoard: events in `tensorboard/` of the run directory, with the config as hyperparameters."""

from __future__ import annotations

from collections.abc import Mapping

from typing_extensions import override

from hebbevo.io.tensorboard import EventFile
from hebbevo.training.trackers.tracker import TrackedRun, Tracker


class TensorBoard(Tracker):
    """Writes an event file; runs of an arm are one group of its HPARAMS page."""

    @override
    def begin(self, run: TrackedRun) -> None:
        self._events = EventFile(run.path / "tensorboard", run.generation + 1)
        settings = run.settings
        if run.part is not None:  # the same of all runs of a group
            settings = {name: value for name, value in settings.items() if name != "run.seed"}
        group = run.name if run.part is None else f"{run.group}/{run.part}"
        self._events.add_settings(settings, group)

    @override
    def record(self, generation: int, values: Mapping[str, float]) -> None:
        self._events.add(generation, values)

    @override
    def close(self) -> None:
        self._events.close()
