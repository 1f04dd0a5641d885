"""The interface of trackers. What they keep is for people's eyes: nothing is read back, and no result depends on it."""

from __future__ import annotations

import importlib.util
import json
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from hebbevo.envs.entry_points import load
from hebbevo.errors import InputError, unknown
from hebbevo.io.atomic import write_atomically

TRACKERS: dict[str, str | type[Tracker]] = {
    "mlflow": "hebbevo.training.trackers.mlflow_runs:MlflowTracker",
    "wandb": "hebbevo.training.trackers.weights_and_biases:WandbTracker",
}
"""By name, ``module:class`` or the class itself."""

_IDENTITIES = "tracking.json"


@dataclass(frozen=True)
class Tracking:
    """Where a run is followed, and under which names.

    Attributes:
        trackers: names of `TRACKERS`.
        group: runs that belong together, as those of an experiment; None leaves a run by itself.
        part: of the group, as an arm: runs that differ in their seed alone.
    """

    trackers: tuple[str, ...] = ()
    group: str | None = None
    part: str | None = None


@dataclass(frozen=True)
class TrackedRun:
    """What a tracker is told of a run.

    Attributes:
        path: its directory.
        config: as resolved, nested plain data.
        generation: done before.
        group: see `Tracking`.
        part: see `Tracking`.
    """

    path: Path
    config: Mapping[str, Any]
    generation: int
    group: str | None
    part: str | None

    @property
    def name(self) -> str:
        """Name for people."""
        return self.path.resolve().name if self.part is None else f"{self.part}/{self.path.name}"

    @property
    def settings(self) -> dict[str, str | float | bool]:
        """The config as one level of keys: ``search.sigma``."""
        return dict(_flat(self.config))

    def identity(self, tracker: str) -> str | None:
        """Return what a tracker called the run before it was interrupted."""
        return self._identities().get(tracker)

    def remember(self, tracker: str, identity: str) -> None:
        """Keep what a tracker calls the run, for when it goes on."""
        data = {**self._identities(), tracker: identity}
        write_atomically(self.path / _IDENTITIES, f"{json.dumps(data)}\n".encode())

    def _identities(self) -> dict[str, str]:
        try:
            data = json.loads((self.path / _IDENTITIES).read_text(encoding="utf-8"))
            return {str(name): str(value) for name, value in data.items()}
        except (OSError, ValueError, AttributeError):
            return {}


class Tracker(ABC):
    """Follows one run, from when it begins or goes on to when it ends or is interrupted."""

    requires: ClassVar[str | None] = None
    """Package that it needs besides hebbevo's own requirements."""

    @abstractmethod
    def begin(self, run: TrackedRun) -> None:
        """Begin a run, or go on with it."""

    @abstractmethod
    def record(self, generation: int, values: Mapping[str, float]) -> None:
        """Take the numbers of a generation; after a kill, the last one may come again."""

    @abstractmethod
    def close(self) -> None:
        """End."""


def check_tracking(names: Sequence[str]) -> tuple[str, ...]:
    """Return names of trackers that can be made here.

    Raises:
        InputError: an unknown one, or its package is not installed.
    """
    for name in names:
        if name not in TRACKERS:
            raise InputError(unknown("tracker", name, TRACKERS))
        needed = load(TRACKERS[name]).requires
        if needed is not None and importlib.util.find_spec(needed) is None:
            raise InputError(f"tracker {name} needs {needed}, which is missing; pip install {needed}")
    return tuple(dict.fromkeys(names))


def as_tracking(track: Sequence[str] | Tracking) -> Tracking:
    """Return where a run is followed, checked; see `check_tracking`."""
    tracking = track if isinstance(track, Tracking) else Tracking(tuple(track))
    return replace(tracking, trackers=check_tracking(tracking.trackers))


def make_tracker(name: str) -> Tracker:
    """Make one of `TRACKERS`."""
    tracker = load(TRACKERS[name])()
    assert isinstance(tracker, Tracker)
    return tracker


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str | float | bool]]:
    for key, value in data.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, str | int | float | bool):
            yield f"{prefix}{key}", value
        elif value is not None and value != []:
            yield f"{prefix}{key}", json.dumps(value)
