"""What a run sends out with a generation, besides its genomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from hebbevo.rollouts.observations import ObservationStatistics


@dataclass(frozen=True)
class GenerationPlan:
    """Settings of one generation that the run has chosen, the same for all of its lifetimes.

    Attributes:
        replayed: levels, ints in [0, 2**32), in place of new ones, by (individual or pair, lifetime).
        observations: statistics that observations are normalised by; None are those of the task.
    """

    replayed: Mapping[tuple[int, int], int] = field(default_factory=dict)
    observations: ObservationStatistics | None = None


PLAIN = GenerationPlan()
"""The plan of a run that carries nothing along."""
