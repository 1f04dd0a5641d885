"""Settings of the searchers that come from EvoTorch; the library itself is imported when one is built.

CMA-ES: Hansen 2016 (arXiv 1604.00772), separable: Ros & Hansen 2008. SNES and XNES: Wierstra et al. 2014.
PGPE: Sehnke et al. 2010, with ClipUp, Toklu et al. 2020 (arXiv 2008.02387). CEM: Rubinstein 1999.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, field_validator, model_validator

from hebbevo.errors import SearchError
from hebbevo.search.config import SearchConfig
from hebbevo.search.searcher import Searcher

FULL_COVARIANCE_LIMIT = 5000  # dimensions: two float64 matrices of 0.2 GB, a second an update


class CMAESConfig(SearchConfig):
    """CMA-ES, with the learning rates of the literature."""

    algorithm: Literal["cma_es"] = "cma_es"
    covariance: Literal["auto", "diagonal", "full"] = Field(
        default="auto",
        description=f"auto: full up to {FULL_COVARIANCE_LIMIT} dimensions, diagonal (separable) above",
    )
    active: bool = Field(default=True, description="learn from the worse half too")

    def build(self, center: NDArray[np.float32], run_seed: int) -> Searcher:
        """Make the searcher. Raises SearchError for a full covariance beyond the stated dimension."""
        if self.covariance == "full":
            refuse_matrix("search.covariance: full", len(center), "use auto or diagonal")
        full = self.covariance == "full" or (
            self.covariance == "auto" and len(center) <= FULL_COVARIANCE_LIMIT
        )
        with evotorch_explained(f"search.algorithm: {self.algorithm}"):
            from hebbevo.search.evotorch_searchers import CMAESSearcher
        return CMAESSearcher(self, center, run_seed, full)


class SNESConfig(SearchConfig):
    """Separable natural evolution strategy."""

    algorithm: Literal["snes"] = "snes"
    learning_rate: float = Field(default=1.0, gt=0, description="of the centre")
    sigma_learning_rate: float = Field(default=1.0, gt=0, description="times the literature's")

    def build(self, center: NDArray[np.float32], run_seed: int) -> Searcher:
        """Make the searcher."""
        with evotorch_explained(f"search.algorithm: {self.algorithm}"):
            from hebbevo.search.evotorch_searchers import SNESSearcher
        return SNESSearcher(self, center, run_seed)


class XNESConfig(SearchConfig):
    """Exponential natural evolution strategy: a full covariance, learnt along the natural gradient."""

    algorithm: Literal["xnes"] = "xnes"
    learning_rate: float = Field(default=1.0, gt=0, description="of the centre")
    sigma_learning_rate: float = Field(default=1.0, gt=0, description="times the literature's")

    def build(self, center: NDArray[np.float32], run_seed: int) -> Searcher:
        """Make the searcher. Raises SearchError beyond the stated dimension."""
        refuse_matrix("search.algorithm: xnes (full covariance)", len(center), "use snes")
        with evotorch_explained(f"search.algorithm: {self.algorithm}"):
            from hebbevo.search.evotorch_searchers import XNESSearcher
        return XNESSearcher(self, center, run_seed)


class PGPEConfig(SearchConfig):
    """Policy gradients with parameter-based exploration: mirrored sampling, ClipUp, adaptive sigma."""

    algorithm: Literal["pgpe"] = "pgpe"
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        description="length of a step of the centre; ClipUp's top speed is twice that. Null: as its authors "
        "advise, so that the top speed is a 15th of the search radius sigma * sqrt(dimension)",
    )
    sigma_learning_rate: float = Field(default=0.1, gt=0)
    sigma_max_change: float = Field(default=0.2, gt=0, description="largest relative change a generation")

    @field_validator("population")
    @classmethod
    def _population_is_even(cls, population: int) -> int:
        if population % 2:
            raise SearchError(
                f"population must be even for mirrored sampling, got {population}; use {population + 1}"
            )
        return population

    def build(self, center: NDArray[np.float32], run_seed: int) -> Searcher:
        """Make the searcher."""
        with evotorch_explained(f"search.algorithm: {self.algorithm}"):
            from hebbevo.search.evotorch_searchers import PGPESearcher
        return PGPESearcher(self, center, run_seed)


class CEMConfig(SearchConfig):
    """Cross-entropy method: the next distribution is fitted to the best of this one."""

    algorithm: Literal["cem"] = "cem"
    parenthood_ratio: float = Field(default=0.5, gt=0, le=1, description="fraction of the population")
    sigma_floor: float = Field(default=0.0, ge=0, description="smallest standard deviation of a coefficient")

    @model_validator(mode="after")
    def _two_parents(self) -> Self:
        if int(self.population * self.parenthood_ratio) < 2:
            raise SearchError(
                f"parenthood_ratio must leave two parents or more, got {self.parenthood_ratio} of "
                f"population {self.population}; use at least {2 / self.population:.3g}"
            )
        return self

    def build(self, center: NDArray[np.float32], run_seed: int) -> Searcher:
        """Make the searcher."""
        with evotorch_explained(f"search.algorithm: {self.algorithm}"):
            from hebbevo.search.evotorch_searchers import CEMSearcher
        return CEMSearcher(self, center, run_seed)


@contextmanager
def evotorch_explained(what: str) -> Iterator[None]:
    """Import EvoTorch inside, now that it is needed (about 2 s, and Ray with it); say so if it is missing."""
    try:
        yield
    except ImportError as error:
        raise SearchError(
            f"{what} needs EvoTorch, which does not import ({error}); pip install evotorch==0.6.1"
        ) from error


def refuse_matrix(what: str, dimension: int, remedy: str) -> None:
    """Refuse a d x d covariance above the stated dimension, with the memory it would take."""
    if dimension > FULL_COVARIANCE_LIMIT:
        gigabytes = 2 * 8 * dimension**2 / 1e9  # the covariance and its root, float64
        raise SearchError(
            f"{what} is limited to {FULL_COVARIANCE_LIMIT} dimensions, got {dimension}, where its two "
            f"matrices take {gigabytes:.3g} GB; {remedy}, or share coefficients to have fewer"
        )
