"""Lifetimes under a protocol beside their unperturbed twins: what most tables are made of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hebbevo.genomes.genome import Genome
from hebbevo.studies.perturbation.plan import UNPERTURBED, Plan, Protocol
from hebbevo.studies.perturbation.records import Floats, Record, Recorded
from hebbevo.studies.perturbation.recovery import recovery_steps, windowed_speed


@dataclass(frozen=True)
class Comparison:
    """Lifetimes of a genome on a body under a protocol, and the twins that have their seeds.

    Attributes:
        record: the perturbed lifetimes.
        twin: the unperturbed ones, in the same order.
    """

    genome: Genome
    morphology: str
    protocol: Protocol
    record: Record
    twin: Record

    @property
    def names(self) -> dict[str, str]:
        """The columns that tell comparisons apart."""
        return {
            "genome": self.genome.name,
            "morphology": self.morphology,
            "protocol": self.protocol.name,
        }

    @property
    def comparable(self) -> npt.NDArray[np.bool_]:
        """Pairs of which neither lifetime diverged, ``(lifetimes,)``."""
        return ~(self.record.lifetimes.diverged | self.twin.lifetimes.diverged)

    @property
    def losses(self) -> Floats:
        """Progress of every twin less that of the perturbed lifetime, ``(lifetimes,)``."""
        return self.twin.lifetimes.fitness - self.record.lifetimes.fitness

    @property
    def recoveries(self) -> Floats:
        """Recovery time of every lifetime, ``(lifetimes,)``; infinite where there is none to wait for."""
        if self.protocol.since is None:
            return np.full(len(self.record.progress), np.inf)
        speeds = windowed_speed(self.record.progress), windowed_speed(self.twin.progress)
        return recovery_steps(*speeds, self.protocol.since)


def comparisons(plan: Plan, recorded: Recorded) -> Iterator[Comparison]:
    """Yield every genome on every body under each of its protocols."""
    for genome in plan.genomes:
        for body in plan.morphologies:
            twin = recorded.records[genome.name, body, UNPERTURBED]
            for protocol in plan.protocols_of(genome):
                record = recorded.records[genome.name, body, protocol.name]
                yield Comparison(genome, body, protocol, record, twin)
