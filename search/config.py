"""The settings that all search algorithms share; each algorithm adds others in a subclass."""

from abc import abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field

from hebbevo.errors import SearchError
from hebbevo.search.searcher import Searcher


class SearchConfig(BaseModel):
    """Settings of a search; subclass it, give `algorithm` one literal name, and write `build`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    default_penalty: ClassVar[float] = 0.0
    """Penalty of large genomes that a run applies where its config names none: `training.penalty`."""

    algorithm: str
    population: int = Field(ge=2, description="individuals per generation")
    sigma: float = Field(default=0.1, gt=0, description="standard deviation of the first proposals")

    @abstractmethod
    def build(self, center: NDArray[np.float32], run_seed: int) -> Searcher:
        """Make the searcher, starting at `center`, float32 (dimension,).

        All its random numbers follow from `run_seed`, an int in [0, 2**63).
        """


def starting_center(center: ArrayLike) -> NDArray[np.float32]:
    """Return a read-only float32 copy of a first centre.

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
