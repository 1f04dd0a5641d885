"""The settings that all search algorithms share; each algorithm adds others in a subclass."""

from __future__ import annotations

from pkgutil import resolve_name
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import AfterValidator, Field

from hebbevo.errors import SearchError
from hebbevo.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

    from hebbevo.search.searcher import Searcher

    MakeSearcher = Callable[[Any, NDArray[np.float32], int], Searcher]
    """Makes a searcher of its settings, where it starts, and the run seed."""


class SearchConfig(Settings):
    """Settings of a search; a subclass gives `algorithm` one literal name and says where its searcher is."""

    searcher: ClassVar[str | type[Searcher]]
    """The searcher, or its ``module:Class``, imported when one is built; made of (config, center, run seed)."""
    default_penalty: ClassVar[float] = 0.0
    """Penalty of large genomes that a run applies where its config names none: `training.penalty`."""

    can_move: ClassVar[bool] = False
    """Whether the searcher can go on with another number of coefficients (`Searcher.moved`), as merging needs."""

    algorithm: str
    population: int = Field(ge=2, le=1_000_000, description="individuals per generation")
    sigma: float = Field(default=0.1, gt=0, le=1e6, description="standard deviation of the first proposals")

    def build(self, center: NDArray[np.float32], run_seed: int) -> Searcher:
        """Make the searcher.

        Args:
            center: where it starts, float32 (dimension,).
            run_seed: all its random numbers follow from it; in [0, 2**63).

        Raises:
            SearchError: no searcher of these settings can be made for so many dimensions.
        """
        self.check_dimension(len(center))
        return self.load_searcher()(self, center, run_seed)

    def check_dimension(self, dimension: int) -> None:
        """Refuse a genome that is too long for these settings.

        Raises:
            SearchError: it is; the message names the remedy.
        """

    def load_searcher(self) -> MakeSearcher:
        """Import the class of the searcher."""
        found: MakeSearcher = resolve_name(self.searcher) if isinstance(self.searcher, str) else self.searcher
        return found


def _even(population: int) -> int:
    if population % 2:
        raise SearchError(
            f"population must be even for mirrored sampling, got {population}; use {population + 1}"
        )
    return population


EvenPopulation = Annotated[
    int,
    Field(ge=2, le=1_000_000, description="individuals per generation, an even number"),
    AfterValidator(_even),
]
"""The `population` of algorithms that sample mirrored pairs."""
