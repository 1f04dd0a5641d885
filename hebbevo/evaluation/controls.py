"""Controls: variants of a genome that say what its evolved numbers and its rule are worth.

A lifetime under a control has the seed of the genome's own lifetime, so the two differ by nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.seeding import Stream, stream
from hebbevo.tasks.task import Task

FloatArray = npt.NDArray[np.float32]
Variant = Callable[[Task, FloatArray, int], FloatArray]
"""Maps a task, its genome ``(size,)`` and a lifetime seed to the genome of that lifetime, ``(size,)``."""


@dataclass(frozen=True)
class Control:
    """A condition that a genome is evaluated under.

    Attributes:
        variant: the genome of each lifetime; None for the genome itself.
        plastic: False never applies rule and normaliser.
        differs: whether it is another condition than the genome itself, for a task and its genome ``(size,)``.
    """

    variant: Variant | None = None
    plastic: bool = True
    differs: Callable[[Task, FloatArray], bool] = lambda task, values: True

    def genomes(self, task: Task, values: FloatArray, seeds: Sequence[int]) -> tuple[FloatArray, list[int]]:
        """Return the genomes of lifetimes, ``(genomes, size)``, and the row of each lifetime."""
        if self.variant is None:
            return values[None, :], [0] * len(seeds)
        return np.stack([self.variant(task, values, seed) for seed in seeds]), list(range(len(seeds)))


def shuffled_genome(task: Task, values: FloatArray, seed: int) -> FloatArray:
    """Permute each named array of a genome, layer by layer; another permutation for each seed."""
    generator = stream(seed, Stream.SHUFFLED_GENOME)
    shuffled = values.copy()
    for entry in task.layout.entries:
        generator.shuffle(shuffled[entry.offset : entry.offset + entry.size])
    return shuffled


def has_something_to_shuffle(task: Task, values: FloatArray) -> bool:
    """Tell whether a named array holds two numbers that differ; those shared by a layer or the network hold one."""
    parts = (values[entry.offset : entry.offset + entry.size] for entry in task.layout.entries)
    return any((part != part[0]).any() for part in parts)


def random_genome(task: Task, values: FloatArray, seed: int) -> FloatArray:
    """Draw a genome from the initial distributions; another one for each seed."""
    return task.first_genome(stream(seed, Stream.RANDOM_GENOME))


GENOME: Final = "genome"
"""The condition of the genome itself."""

CONTROLS: Final[dict[str, Control]] = {
    "off": Control(plastic=False, differs=lambda task, values: task.learns),
    "shuffled": Control(shuffled_genome, differs=has_something_to_shuffle),
    "random": Control(random_genome),
}
"""Rule and normaliser never applied; coefficients permuted within each layer; a genome that never evolved."""

CONDITIONS: Final[dict[str, Control]] = {GENOME: Control(), **CONTROLS}


def applicable_controls(task: Task, values: FloatArray) -> tuple[str, ...]:
    """Return the names of the controls that say something about a genome."""
    return tuple(name for name, control in CONTROLS.items() if control.differs(task, values))
