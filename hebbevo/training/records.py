"""Records of a run that its parts hand to each other, and to callers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hebbevo.config.schema import Config

Row = dict[str, int | float | None]
"""A generation in progress.csv, by column; None is an empty field."""


@dataclass(frozen=True)
class Run:
    """A run directory and how far it is.

    Attributes:
        generation: number of generations done.
        center: the search distribution's center, a genome, float32 ``(layout.size,)``.
        resumed_from: generation of the checkpoint, or None for a new run.
        already_finished: there was nothing left to do, and nothing was written.
    """

    path: Path
    config: Config
    generation: int
    center: npt.NDArray[np.float32]
    resumed_from: int | None = None
    already_finished: bool = False

    def __fspath__(self) -> str:
        """Stand for the directory, wherever a path or a genome is asked for."""
        return str(self.path)

    def __repr__(self) -> str:
        of = self.config.training.generations
        return f"Run({str(self.path)!r}: {self.config.env.name}, {self.generation} of {of} generations)"


@dataclass(frozen=True)
class Step:
    """A generation that is done, for whoever watches the run.

    Attributes:
        generation: its number, from 1.
        generations: that the run has in all.
        row: of progress.csv.
        agent_steps: of the population's lifetimes, all together.
        seconds: on the clock, evaluation of the center included.
        workers: threads or processes.
        utilisation: part of the time that workers on Ray were busy, from 0 to 1; None in process.
        steps_left: of the run's budget of agent-steps; None where it has none.
        center_evaluated: in this generation; its columns are empty where all of its lifetimes diverged.
        unit: of the fitness.
    """

    generation: int
    generations: int
    row: Row
    agent_steps: int
    seconds: float
    workers: int = 1
    utilisation: float | None = None
    steps_left: int | None = None
    center_evaluated: bool = False
    unit: str = ""


Watcher = Callable[[Step], None]
