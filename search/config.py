"""The settings that all search algorithms share; each algorithm adds its own in a subclass."""

from abc import abstractmethod
from operator import not_
from typing import Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict, Field, model_validator

from hebbevo.errors import SearchError
from hebbevo.search.searcher import Searcher


class SearchConfig(BaseModel):
    """Settings of a search; subclass it, give `algorithm` one literal name, and write `build`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    algorithm: str
    population: int = Field(ge=2, description="individuals per generation")
    generations: int = Field(ge=1, description="generations of a whole run")
    agent_steps: int | None = Field(
        default=None,
        ge=1,
        description="a run also ends with the generation that has lived so many agent-steps; null: it does not",
    )
    sigma: float = Field(default=0.1, gt=0, description="standard deviation of the first proposals")
    penalty: float = Field(
        default=0.0, ge=0, description="times mean(genome^2), subtracted from the fitness before tell()"
    )
    lifetime_seeds: Literal["individual", "pair", "generation", "track"] = Field(
        default="individual",
        description="who lives through the same random numbers: nobody; individuals 2k and 2k+1 (a mirrored "
        "pair); everybody of a generation (common random numbers); everybody, but for the weights at birth, where the "
        "environment draws its track from the lower half of a seed (car_racing). Used by whoever evaluates.",
    )
    level_replay: float = Field(
        default=0.0,
        ge=0,
        lt=1,
        exclude_if=not_,  # runs of older versions do not know it
        description="share of a generation that lives again on the tracks where earlier ones did worst, from other "
        "weights at birth (prioritized level replay); for lifetime_seeds individual and pair. Used by whoever "
        "evaluates.",
    )

    @model_validator(mode="after")
    def _tracks_differ(self) -> Self:
        if self.level_replay and self.lifetime_seeds not in ("individual", "pair"):
            raise SearchError(
                f"level_replay needs tracks that differ within a generation, got lifetime_seeds "
                f"{self.lifetime_seeds}; use pair"
            )
        return self

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
