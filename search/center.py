"""The genome that a search starts from."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbevo.errors import SearchError, SearchFailure


def starting_center(center: ArrayLike) -> NDArray[np.float32]:
    """Return a read-only float32 copy of a first center.

    Raises:
        SearchError: it is no vector, is empty, or holds NaN or infinity.
    """
    values = np.array(center, dtype=np.float32)
    if values.ndim != 1 or values.size == 0:
        raise SearchError(f"the first center must be a vector, one number a coefficient, got {values.shape}")
    if not np.isfinite(values).all():
        raise SearchError(
            f"the first center must be finite, got {np.count_nonzero(~np.isfinite(values))} values of "
            f"{values.size} that are not; look at the genome it came from"
        )
    values.flags.writeable = False
    return values


def check_finite(what: str, numbers: ArrayLike, algorithm: str, generation: int) -> None:
    """Let a search end whose numbers have grown beyond those that a genome can hold.

    Raises:
        SearchFailure: not all `numbers` are finite; the message says what they are, and names the remedy.
    """
    if not np.isfinite(numbers).all():
        raise SearchFailure(
            f"{algorithm} diverged in generation {generation}: its {what} no longer finite; give search.sigma and, "
            "where the algorithm has one, search.learning_rate a smaller value, or training.penalty a larger one"
        )
