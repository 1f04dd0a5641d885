"""Searches that have collapsed: all individuals are one genome, and there is nothing left to select."""

from __future__ import annotations

import logging
from typing import Final

import numpy as np

from hebbevo.search import Proposals

_logger = logging.getLogger(__name__)

SAME: Final = 1e-6
"""Largest difference between two genomes that are one, over the root mean square of a genome: ten float32 roundings."""
REMEDY: Final = (
    "nothing is left to select: evolve with a larger search.population, a larger search.sigma or, where the algorithm "
    "has one, a search.sigma_floor"
)


def has_collapsed(proposals: Proposals) -> bool:
    """Tell whether all individuals are the same genome, but for rounding; two that differ answer it."""
    first = proposals.genomes([0])[0].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        limit = SAME * np.sqrt(np.square(first).mean())
        return all(
            bool(np.abs(proposals.genomes([individual])[0] - first).max() <= limit)
            for individual in range(1, proposals.population)
        )


class CollapseGuard:
    """Warns of a search that has collapsed, once for each time that it does."""

    def __init__(self) -> None:
        self._collapsed = False

    def look(self, proposals: Proposals, generation: int) -> bool:
        """Look at the proposals of a generation; return whether they are the first after a collapse."""
        before, self._collapsed = self._collapsed, has_collapsed(proposals)
        new = self._collapsed and not before
        if new:
            _logger.warning("all individuals of generation %d are the same genome; %s", generation, REMEDY)
        return new
