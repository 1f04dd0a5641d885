"""K-means with k-means++ starts (Lloyd 1982; Arthur & Vassilvitskii 2007), the same bits for the same random numbers.

Nearest centers come from a k-d tree, whose arithmetic has one order. Libraries' k-means goes through BLAS, whose bits
may depend on threads, and bits decide where two centers are about as near.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

ITERATIONS = 20
"""At most; fewer where nothing changes any more."""

Points = NDArray[np.float64]
Labels = NDArray[np.int64]


def k_means(points: Points, count: int, generator: np.random.Generator) -> Labels:
    """Return the cluster of each point, numbers from 0 on without a gap.

    Args:
        points: ``(n, d)``; each of the d numbers counts in units of its standard deviation.
        count: clusters at most; fewer where there are fewer different points, or where one runs empty.
        generator: draws the starts.
    """
    spread = points.std(axis=0)
    scaled = (points - points.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    centers = _starts(scaled, count, generator)
    labels = _nearest(centers, scaled)
    for _ in range(ITERATIONS):
        centers = means(scaled, labels)
        before, labels = labels, _nearest(centers, scaled)
        if (labels == before).all():
            break
    return labels


def means(points: Points, labels: Labels) -> Points:
    """Return the mean of each cluster, ``(clusters, d)``; points are added in their order."""
    counts = np.bincount(labels)
    return np.stack([np.bincount(labels, column) / counts for column in points.T], axis=1)


def _nearest(centers: Points, points: Points) -> Labels:
    """Return the nearest center of each point, numbered without those that are nobody's."""
    _, nearest = KDTree(centers).query(points)
    return np.unique(nearest, return_inverse=True)[1].astype(np.int64)


def _starts(points: Points, count: int, generator: np.random.Generator) -> Points:
    """Draw different points, each with a probability that goes with its squared distance from those before."""
    chosen = [int(generator.integers(len(points)))]
    distances = _squared(points, points[chosen[0]])
    while len(chosen) < count and distances.any():
        total = np.cumsum(distances)
        drawn = int(np.searchsorted(total, generator.random() * total[-1], side="right"))
        chosen.append(min(drawn, int(np.flatnonzero(distances)[-1])))
        distances = np.minimum(distances, _squared(points, points[chosen[-1]]))
    return points[chosen]


def _squared(points: Points, center: Points) -> Points:
    """Return the squared distance of each point from one, ``(n,)``."""
    total = np.zeros(len(points))
    for column, value in zip(points.T, center, strict=True):
        total += (column - value) ** 2
    return total
