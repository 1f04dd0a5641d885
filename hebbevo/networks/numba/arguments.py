"""What the compiled kernels are handed, checked first: they have no bounds of their own, and callers may be anybody.

An array that is handed over again, as most are at every step, is looked at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt


class Arguments:
    """Checks the arguments of the kernels of a batch.

    Args:
        batch_size: rows that there are.
        width: numbers in an observation.
    """

    def __init__(self, batch_size: int, width: int) -> None:
        self._batch_size, self._width = batch_size, width
        self._active: npt.NDArray[np.int64] | None = None
        self._observations: npt.NDArray[np.float32] | None = None

    def check_active(self, active: npt.NDArray[np.int64]) -> None:
        """Raise `ValueError` unless these are rows of the batch."""
        if active is self._active:
            return
        indices = active.dtype == np.int64 and active.ndim == 1
        if not indices or (len(active) and not 0 <= active.min() <= active.max() < self._batch_size):
            raise ValueError(f"active must be rows of a batch of {self._batch_size} in int64, got {active!r}")
        self._active = active

    def check_observations(self, observations: npt.NDArray[np.float32]) -> None:
        """Raise `ValueError` unless there is an observation for every row."""
        if observations is self._observations:
            return
        rows, width = observations.shape if observations.ndim == 2 else (0, 0)
        if observations.dtype != np.float32 or rows < self._batch_size or width != self._width:
            raise ValueError(
                f"observations must be float32 of shape {(self._batch_size, self._width)}, got {observations.dtype} of "
                f"shape {observations.shape}"
            )
        self._observations = observations


def check_genomes(genomes: npt.NDArray[Any], genome_of: npt.ArrayLike, size: int, batch_size: int) -> None:
    """Raise `ValueError` unless every lifetime has its row among at most `batch_size` genomes of this size."""
    rows = np.asarray(genome_of)
    fits = genomes.ndim == 2 and genomes.shape[1] == size and len(genomes) <= batch_size
    if not fits or len(rows) > batch_size:
        raise ValueError(
            f"genomes must be {batch_size} at most, of {size} numbers each, and so many lifetimes, got shape "
            f"{genomes.shape} for {len(rows)} lifetimes"
        )
    if len(rows) and not 0 <= rows.min() <= rows.max() < len(genomes):
        raise ValueError(f"genome_of must be rows of {len(genomes)} genomes, got {rows.tolist()}")
