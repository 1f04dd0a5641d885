"""What a perturbation is: settings that a user writes, and the hook that carries them out in a block of lifetimes.

Times are steps t = 0, 1, ... of a lifetime. `at: T` is a moment; `from: A, to: B` is the window A <= t < B. What
happens at step t happens before its forward pass. A kind of event (zeroed weights, a push) given a window recurs at
every step of it; a lasting kind (noise, dead actuators) given a moment goes on from there to the end of life.

Random draws depend only on (lifetime seed, place of the perturbation in its list): never on block or row.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Generic, TypeVar

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from hebbevo.envs import EnvConfig
from hebbevo.errors import InputError
from hebbevo.rollouts.hooks import Batch, Hook
from hebbevo.rules import Distribution
from hebbevo.seeding import Stream, stream

END_OF_LIFE: Final = sys.maxsize


@dataclass
class Lives:
    """What the perturbations of one block of lifetimes share.

    Attributes:
        seeds: of the lifetimes, by row.
        first_weights: the distribution that weights at birth are drawn from.
        frozen: places of the perturbations that keep the weights from changing now.
        plastic: whether the network learns when nothing freezes it; None before anybody asked.
    """

    seeds: Sequence[int]
    initial_weights: Distribution
    frozen: set[int] = field(default_factory=set)
    plastic: bool | None = None
    _streams: dict[tuple[int, int], np.random.Generator] = field(default_factory=dict)

    def stream(self, row: int, place: int) -> np.random.Generator:
        """Return the random stream of a perturbation in a lifetime; it goes on from call to call."""
        if (row, place) not in self._streams:
            self._streams[row, place] = stream(self.seeds[row], Stream.PERTURBATION, place)
        return self._streams[row, place]


class Perturbation(BaseModel, ABC):
    """Settings of a perturbation; one subclass for each kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    lasting: ClassVar[bool] = False
    """Whether it goes on from a moment to the end of life."""
    needs_body: ClassVar[bool] = False
    """Whether it acts on the simulated body and its world."""

    kind: str
    at: int | None = Field(default=None, ge=0, description="step of the event, or its first step")
    start: int | None = Field(default=None, ge=0, alias="from", description="first step of a window")
    stop: int | None = Field(default=None, ge=0, alias="to", description="first step after the window")

    @model_validator(mode="after")
    def _has_a_time(self) -> Perturbation:
        if self.at is not None and (self.start is not None or self.stop is not None):
            raise InputError(f"{self.kind}: give `at`, or `from` and `to`, not both")
        if self.at is None and self.start is None and (self.stop is not None or not self.lasting):
            raise InputError(
                f"{self.kind} needs a time: at=T, or from=A,to=B; lifetimes count their steps from 0"
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
        """First step at which it does anything."""
        return self.at if self.at is not None else self.start or 0

    @property
    def ends(self) -> int:
        """First step after its last; `END_OF_LIFE` where there is none."""
        if self.at is not None and not self.lasting:
            return self.at + 1
        return END_OF_LIFE if self.stop is None else self.stop

    def check(self, place: str, env: EnvConfig, sizes: Sequence[int] | None) -> None:
        """Refuse what cannot happen in such a lifetime.

        Args:
            place: where the perturbation stands, for the message.
            env: of the lifetimes.
            sizes: numbers in an observation, then neurons per layer; None while nobody knows them.

        Raises:
            InputError: one line with the remedy.
        """
        if self.begins >= env.steps:
            raise InputError(
                f"{place}: {self.kind} at t = {self.begins} is after the end of life; "
                f"env.steps is {env.steps}, so t must be below it"
            )
        if self.stop is not None and self.stop > env.steps:
            raise InputError(f"{place}: {self.kind} to {self.stop} is past the end of life at {env.steps}")
        if self.needs_body and not hasattr(env, "anatomy"):
            raise InputError(
                f"{place}: {self.kind} acts on the body of `quadruped` or `dog`, and {env.name} gives no access to "
                "one; perturb weights, sensors or actuators"
            )

    @abstractmethod
    def hook(self, place: int, lives: Lives) -> Hook:
        """Return what carries this out in a block, as the perturbation at `place` of its list."""

    def __str__(self) -> str:
        """Return the short text form, which names what was set."""
        data = self.model_dump(mode="json", exclude_unset=True)
        data.pop("kind", None)
        settings = ",".join(f"{key}={_short(value)}" for key, value in data.items())
        return f"{self.kind}:{settings}" if settings else self.kind


P = TypeVar("P", bound=Perturbation)


class Timed(Hook, Generic[P]):
    """Carries out one perturbation: `begin`, then `sense` and `act` at every step, then `end`."""

    def __init__(self, what: P, place: int, lives: Lives) -> None:
        self.what = what
        self.place = place
        self.lives = lives

    def on_observation(self, batch: Batch) -> None:
        """Begin or end what is due, and change what is sensed."""
        if batch.step == self.what.ends:
            self.end(batch)
        if batch.step == self.what.begins:
            self.begin(batch)
        if self.what.begins <= batch.step < self.what.ends:
            self.sense(batch)

    def on_action(self, batch: Batch) -> None:
        """Change the actions."""
        if self.what.begins <= batch.step < self.what.ends:
            self.act(batch)

    def begin(self, batch: Batch) -> None:
        """Run once, before the first step's `sense`."""

    def sense(self, batch: Batch) -> None:
        """Run at every step, before the forward pass."""

    def act(self, batch: Batch) -> None:
        """Run at every step, between the forward pass and the environment's step."""

    def end(self, batch: Batch) -> None:
        """Run once, at the first step after the last."""

    def stream(self, row: int) -> np.random.Generator:
        """Return the random stream of this perturbation in a lifetime."""
        return self.lives.stream(row, self.place)


def check_indices(place: str, what: str, indices: Sequence[int], size: int) -> None:
    """Refuse an index outside 0 ... size - 1, or one that is listed twice."""
    for index in indices:
        if not 0 <= index < size:
            raise InputError(f"{place}: there is no {what} {index}; they are numbered 0 to {size - 1}")
        if indices.count(index) > 1:
            raise InputError(f"{place}: {what} {index} is listed twice; list each once")


def _short(value: Any) -> str:
    """Return a setting as the text form has it."""
    if isinstance(value, list | tuple):
        return f"[{','.join(_short(item) for item in value)}]"
    if isinstance(value, float):
        return f"{value:g}" if float(f"{value:g}") == value else repr(value)
    return str(value)
