"""Events of the executor of a run: workers that come, go and fail, and how busy they were."""

from __future__ import annotations

from typing import Any

from hebbevo.execution.events import log_event
from hebbevo.training.run_directory import RunDirectory


class Notes:
    """A listener that writes events to the run's log, and warns of workers in trouble."""

    def __init__(self) -> None:
        self._directory: RunDirectory | None = None
        self._early: list[tuple[str, dict[str, Any]]] = []
        self._busy: float | None = None

    def attach(self, directory: RunDirectory) -> None:
        """Write to this run's log from now on, the events before included."""
        self._directory = directory
        for kind, fields in self._early:
            directory.log(kind, **fields)

    def take_busy(self) -> float | None:
        """Return the seconds that workers were busy since the last call; None where the executor reports no maps."""
        busy, self._busy = self._busy, None
        return busy

    def __call__(self, kind: str, /, **fields: Any) -> None:
        """Receive an event."""
        log_event(kind, **fields)
        if kind == "map":
            self._busy = (self._busy or 0.0) + fields["busy_seconds"]
        if self._directory is None:
            self._early.append((kind, fields))
        else:
            self._directory.log(kind, **fields)
