"""Fitness shaping: what counts is the order of the fitnesses, not their size."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata


def centered_ranks(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the ranks of (n,) fitnesses spread over [-0.5, 0.5]; tied ones share their average rank."""
    ranks = np.asarray(rankdata(fitness, method="average"), dtype=np.float64)
    centered: NDArray[np.float64] = (ranks - 1.0) / (len(fitness) - 1) - 0.5
    return centered


def standardized_ranks(fitness: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the centred ranks divided by their standard deviation; zeros where all are tied."""
    ranks = centered_ranks(fitness)
    if np.ptp(fitness) == 0:
        return np.zeros_like(ranks)
    standardized: NDArray[np.float64] = ranks / ranks.std()
    return standardized
