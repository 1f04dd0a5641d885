"""What a study of learning records of lifetimes, and how a case's file holds it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt

from hebbevo.io.tensors import Arrays
from hebbevo.rollouts.result import RolloutResult
from hebbevo.studies.lifetimes import pack_lifetimes, unpack_lifetimes

NOTHING = -1
"""Stands for the trial and the phase of a step after the end of a lifetime."""


@dataclass(frozen=True)
class Steps:
    """Every step of lifetimes, each array ``(lifetimes, steps)``.

    Attributes:
        trial, phase: numbers from 0; `NOTHING` after the end.
        optimal: 1 where the best was done that could be, 0 where not, `NO_CHOICE` elsewhere.
        choice: the largest number of the action.
        question: the largest number of the observation that was acted on.
        rewards: paid by the world, whatever the network was told.
    """

    trial: npt.NDArray[np.int32]
    phase: npt.NDArray[np.int32]
    optimal: npt.NDArray[np.int8]
    choice: npt.NDArray[np.int16]
    question: npt.NDArray[np.int16]
    rewards: npt.NDArray[np.float64]

    @classmethod
    def empty(cls, lifetimes: int, steps: int) -> Steps:
        """Return lifetimes of which nothing is known yet."""
        shape = (lifetimes, steps)
        return cls(
            np.full(shape, NOTHING, np.int32),
            np.full(shape, NOTHING, np.int32),
            np.full(shape, NOTHING, np.int8),
            np.zeros(shape, np.int16),
            np.zeros(shape, np.int16),
            np.zeros(shape),
        )


@dataclass(frozen=True)
class Record:
    """Lifetimes of a genome under a condition.

    Attributes:
        lifetimes: their results.
        steps: what they did.
        weights: of the first lifetime before each step, those that change, as the forward pass uses them, float32
            ``(steps, synapses)``; empty where they are not followed.
    """

    lifetimes: RolloutResult
    steps: Steps
    weights: npt.NDArray[np.float32]

    @classmethod
    def join(cls, parts: Sequence[Record]) -> Record:
        """Return the lifetimes of all parts, one after another."""
        joined = {
            name: np.concatenate([getattr(part.steps, name) for part in parts])
            for name in (field.name for field in fields(Steps))
        }
        lifetimes = RolloutResult.join(part.lifetimes for part in parts)
        return cls(lifetimes, Steps(**joined), parts[0].weights)


def pack_record(record: Record) -> Arrays:
    """Return the arrays of a record."""
    steps = {f"steps.{name}": values for name, values in vars(record.steps).items()}
    return {**pack_lifetimes(record.lifetimes), **steps, "weights": record.weights}


def unpack_record(arrays: Arrays) -> Record:
    """Return the record of such arrays."""
    steps = Steps(**{field.name: arrays[f"steps.{field.name}"] for field in fields(Steps)})
    return Record(unpack_lifetimes(arrays), steps, arrays["weights"])
