"""A perturbation: settings that a user writes, and the hook that applies them to a batch of lifetimes.

Times are steps t = 0, 1, ... of a lifetime. `at: T` is a moment; `from: A, to: B` is the window A <= t < B. A
perturbation at step t comes before its forward pass. A momentary kind (zeroed weights, a push) given a window recurs
at every step of it; a persistent kind (noise, dead actuators) given a moment goes on from there to the end of the
lifetime.

Random draws depend only on (lifetime seed, index of the perturbation in its list): never on batch or row.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from typing_extensions import override

from hebbevo.envs import EnvConfig
from hebbevo.envs.interventions import Intervention
from hebbevo.errors import InputError
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rules import Distribution
from hebbevo.seeding import Stream, stream
from hebbevo.settings import Settings

LAST_STEP: Final = 1_000_000
"""No lifetime is longer."""

if TYPE_CHECKING:
    import numpy as np

END_OF_LIFETIME: Final = sys.maxsize
"""The `ends` of a perturbation that goes on as long as its lifetime."""


@dataclass
class BatchContext:
    """State that the perturbations of a batch of lifetimes share.

    Attributes:
        seeds: lifetime seeds, by row.
        initial_weights: distribution of the initial weights.
        freezing: indices of the perturbations that keep the weights from changing now.
        plastic: whether the network learns while none freezes it; None before the first one does.
    """

    seeds: Sequence[int]
    initial_weights: Distribution
    freezing: set[int] = field(default_factory=set)
    plastic: bool | None = None
    _streams: dict[tuple[int, int], np.random.Generator] = field(default_factory=dict)

    def stream(self, row: int, index: int) -> np.random.Generator:
        """Return the random stream of a perturbation in a lifetime; later calls continue it."""
        if (row, index) not in self._streams:
            self._streams[row, index] = stream(self.seeds[row], Stream.PERTURBATION, index)
        return self._streams[row, index]


@dataclass(frozen=True)
class NetworkExtent:
    """How much of a network there is to perturb: numbers in an observation and an action, and layers of synapses."""

    sensors: int
    layers: int
    actuators: int


class Perturbation(Settings, ABC):
    """Settings of a perturbation; one subclass for each kind."""

    model_config = ConfigDict(populate_by_name=True, defer_build=True)

    persistent: ClassVar[bool] = False
    """Whether, given a moment, it goes on from there to the end of the lifetime."""
    intervention: ClassVar[Intervention | None] = None
    """What the environment must offer; None where it acts on the network, its sensors or its actuators."""

    kind: str
    at: int | None = Field(
        default=None, ge=0, le=LAST_STEP, description="step of the event, or its first step"
    )
    start: int | None = Field(
        default=None, ge=0, le=LAST_STEP, alias="from", description="first step of a window"
    )
    stop: int | None = Field(
        default=None, ge=0, le=LAST_STEP, alias="to", description="first step after the window"
    )

    @model_validator(mode="after")
    def _has_a_time(self) -> Perturbation:
        if self.at is not None and (self.start is not None or self.stop is not None):
            raise InputError(f"{self.kind}: give `at`, or `from` and `to`, not both")
        if self.at is None and self.start is None and (self.stop is not None or not self.persistent):
            raise InputError(
                f"{self.kind} needs a time: at=T, or from=A,to=B; steps of a lifetime count from 0"
            )
        if self.start is not None and self.stop is not None and self.stop <= self.start:
            raise InputError(
                f"{self.kind}: the window from {self.start} to {self.stop} holds no step; `to` must be above `from`"
            )
        return self

    @model_serializer(mode="wrap")
    def _as_written(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        data = serialize(self)
        names = {"start": "from", "stop": "to"}
        return {names.get(key, key): value for key, value in data.items() if value is not None}

    @property
    def begins(self) -> int:
        """First step at which it acts."""
        return self.at if self.at is not None else self.start or 0

    @property
    def ends(self) -> int:
        """First step after its last one; `END_OF_LIFETIME` where there is none."""
        if self.at is not None and not self.persistent:
            return self.at + 1
        return END_OF_LIFETIME if self.stop is None else self.stop

    def check(self, where: str, env: EnvConfig, extent: NetworkExtent | None) -> None:
        """Refuse a perturbation that cannot be applied in an environment or to a network.

        Args:
            where: the perturbation's position in a config, for the message.
            env: environment of the lifetimes.
            extent: of the network; None skips the checks of the network.

        Raises:
            InputError: one line with the remedy.
        """
        if self.begins >= env.steps:
            raise InputError(
                f"{where}: {self.kind} at t = {self.begins} is after the end of the lifetime; "
                f"env.steps is {env.steps}, so t must be below it"
            )
        if self.stop is not None and self.stop > env.steps:
            raise InputError(
                f"{where}: {self.kind} to {self.stop} is past the end of the lifetime at {env.steps}"
            )
        if self.intervention is not None and self.intervention not in env.interventions:
            raise InputError(
                f"{where}: {self.kind} acts on the body of `quadruped` or `dog`, and {env.name} gives no access to "
                "one; perturb weights, sensors or actuators"
            )

    @abstractmethod
    def hook(self, index: int, context: BatchContext) -> Hook:
        """Return the hook that applies this perturbation to a batch of lifetimes.

        Args:
            index: of the perturbation in its list.
            context: shared by the perturbations of the list.
        """

    def __str__(self) -> str:
        """Return the short text form, with the settings that were given."""
        data = self.model_dump(mode="json", exclude_unset=True)
        data.pop("kind", None)
        settings = ",".join(f"{key}={_short(value)}" for key, value in data.items())
        return f"{self.kind}:{settings}" if settings else self.kind


P = TypeVar("P", bound=Perturbation)


class TimedHook(Hook, Generic[P]):
    """Applies one perturbation: `begin`, then `before_forward` and `after_forward` at every step, then `end`."""

    def __init__(self, perturbation: P, index: int, context: BatchContext) -> None:
        self.perturbation = perturbation
        self.index = index
        self.context = context

    @override
    def on_observation(self, batch: Batch) -> None:
        if batch.step == self.perturbation.ends:
            self.end(batch)
        if batch.step == self.perturbation.begins:
            self.begin(batch)
        if self.perturbation.begins <= batch.step < self.perturbation.ends:
            self.before_forward(batch)

    @override
    def on_action(self, batch: Batch) -> None:
        if self.perturbation.begins <= batch.step < self.perturbation.ends:
            self.after_forward(batch)

    def begin(self, batch: Batch) -> None:
        """Run once, at the first step, before its `before_forward`."""

    def before_forward(self, batch: Batch) -> None:
        """Run at every step, before the forward pass."""

    def after_forward(self, batch: Batch) -> None:
        """Run at every step, between the forward pass and the environment's step."""

    def end(self, batch: Batch) -> None:
        """Run once, after the last step, before the forward pass of the next."""

    def stream(self, row: int) -> np.random.Generator:
        """Return the random stream of this perturbation in a lifetime."""
        return self.context.stream(row, self.index)


def check_indices(where: str, kind: str, indices: Sequence[int], size: int) -> None:
    """Refuse an index outside 0 ... size - 1, or one that is listed twice.

    Args:
        where: position of the list in a config, for the message.
        kind: of the numbered things, for the message.
        indices: the list.
        size: how many there are.

    Raises:
        InputError: one line.
    """
    seen: set[int] = set()
    for index in indices:
        if not 0 <= index < size:
            raise InputError(f"{where}: there is no {kind} {index}; they are numbered 0 to {size - 1}")
        if index in seen:
            raise InputError(f"{where}: {kind} {index} is listed twice; list each once")
        seen.add(index)


def _short(value: Any) -> str:
    """Return a setting in the text form."""
    if isinstance(value, list | tuple):
        return f"[{','.join(_short(item) for item in value)}]"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)
