"""Trajectories of weights through their space: principal components of lifetimes.

Lifetimes of one condition share their components, which are those of all their points together. Source of the
picture: Najarro & Risi 2020, arXiv 2007.02686 (weights never settle; lifetimes trace attractors).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

COMPONENTS: Final = 3


@dataclass(frozen=True)
class Components:
    """The trajectories of lifetimes in their first components.

    Attributes:
        coordinates: per lifetime ``(points, COMPONENTS)``.
        explained: share of the variance of all points that each component holds, ``(COMPONENTS,)``.
    """

    coordinates: tuple[Floats, ...]
    explained: Floats


def directions(weights: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Return points ``(points, synapses)`` scaled to a root mean square of 1; a point at 0 stays there.

    A rule without a normaliser lets weights grow for the whole of a lifetime. In saturated networks it is their
    proportions that decide what a body does, and growth along a line hides how those change.
    """
    sizes = np.sqrt(np.square(weights, dtype=np.float64).mean(axis=1, keepdims=True))
    return np.asarray(weights / np.where(sizes > 0, sizes, 1.0), np.float32)


def principal_components(lifetimes: Sequence[npt.NDArray[np.float32]]) -> Components:
    """Return the first components of points ``(points, synapses)`` per lifetime.

    Through the matrix of inner products, as there are fewer points than synapses; a component's sign is such that
    its farthest point is on the positive side.
    """
    points = np.concatenate(lifetimes).astype(np.float64)
    points -= points.mean(axis=0)
    values, vectors = np.linalg.eigh(points @ points.T)
    order = np.argsort(values)[::-1][:COMPONENTS]
    lengths = np.sqrt(np.maximum(values[order], 0.0))
    coordinates = np.zeros((len(points), COMPONENTS))
    coordinates[:, : len(order)] = vectors[:, order] * lengths
    farthest = np.abs(coordinates).argmax(axis=0)
    coordinates *= np.where(coordinates[farthest, range(COMPONENTS)] < 0, -1.0, 1.0)
    total, explained = values.clip(0).sum(), np.zeros(COMPONENTS)
    if total > 0:
        explained[: len(order)] = np.square(lengths) / total
    ends = np.cumsum([len(part) for part in lifetimes])[:-1]
    return Components(tuple(np.split(coordinates, ends)), explained)
