"""Records of a study of perturbations as the arrays of a case's file, and back, bit for bit."""

from __future__ import annotations

import re
from collections import defaultdict

import numpy as np

from hebbevo.io.tensors import Arrays
from hebbevo.studies.lifetimes import pack_lifetimes, unpack_lifetimes, with_prefix
from hebbevo.studies.perturbation.records import Record, Singles, WeightTrajectory

_IMAGE = re.compile(r"image\.(\d+)\.(\d+)")
_TRAJECTORY = re.compile(r"trajectory\.(\d+)\.weights")
_MEASURED = "measured."
_PARTS = ("weights", "change", "size", "turn")


def pack_record(record: Record) -> Arrays:
    """Return the arrays of a record."""
    arrays: Arrays = {**pack_lifetimes(record.lifetimes), "progress": record.progress}
    arrays |= {f"{_MEASURED}{name}": moved for name, moved in record.measured.items()}
    for step, layers in record.images.items():
        arrays |= {f"image.{step}.{number}": weights for number, weights in enumerate(layers)}
    for number, trajectory in enumerate(record.trajectories):
        arrays |= {f"trajectory.{number}.{part}": getattr(trajectory, part) for part in _PARTS}
        arrays[f"trajectory.{number}.finite"] = np.array(trajectory.finite)
    return arrays


def unpack_record(arrays: Arrays) -> Record:
    """Return the record of such arrays."""
    count = sum(_TRAJECTORY.fullmatch(name) is not None for name in arrays)
    trajectories = tuple(_trajectory(arrays, number) for number in range(count))
    measured = with_prefix(arrays, _MEASURED)
    return Record(unpack_lifetimes(arrays), arrays["progress"], _images(arrays), trajectories, measured)


def _trajectory(arrays: Arrays, number: int) -> WeightTrajectory:
    weights, change, size, turn = (arrays[f"trajectory.{number}.{part}"] for part in _PARTS)
    return WeightTrajectory(weights, change, size, turn, bool(arrays[f"trajectory.{number}.finite"]))


def _images(arrays: Arrays) -> dict[int, tuple[Singles, ...]]:
    layers: defaultdict[int, dict[int, Singles]] = defaultdict(dict)
    for name, weights in arrays.items():
        if match := _IMAGE.fullmatch(name):
            layers[int(match[1])][int(match[2])] = weights
    return {step: tuple(of[number] for number in sorted(of)) for step, of in sorted(layers.items())}
