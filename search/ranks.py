"""Fitness shaping: only the order of the fitnesses counts, not their size."""

import numpy as np
from numpy.typing import NDArray


def centered_ranks(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of (n,) fitnesses spread over [-0.5, 0.5]; tied ones share their average rank."""
    _, distinct, ties = np.unique(fitness, return_inverse=True, return_counts=True)
    ranks = np.cumsum(ties) - (ties + 1) / 2  # from 0: those below, and half of the others that are equal
    centered: NDArray[np.float64] = ranks[distinct] / (len(fitness) - 1) - 0.5
    return centered


def standardized_ranks(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centered ranks divided by their standard deviation; zeros where all are tied."""
    ranks = centered_ranks(fitness)
    if np.ptp(fitness) == 0:
        return np.zeros_like(ranks)
    standardized: NDArray[np.float64] = ranks / ranks.std()
    return standardized
