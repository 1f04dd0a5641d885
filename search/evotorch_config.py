"""Settings of the searchers that come from EvoTorch; the library itself is imported when one is built.

CMA-ES: Hansen 2016 (arXiv 1604.00772), separable: Ros & Hansen 2008. SNES and XNES: Wierstra et al. 2014.
PGPE: Sehnke et al. 2010, with ClipUp, Toklu et al. 2020 (arXiv 2008.02387). CEM: Rubinstein 1999.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, ClassVar, Literal, Self

from pydantic import Field, model_validator
from typing_extensions import override

from hebbevo.errors import SearchError
from hebbevo.search.config import EvenPopulation, SearchConfig

if TYPE_CHECKING:
    from hebbevo.search.config import MakeSearcher

FULL_COVARIANCE_LIMIT = 5000  # dimensions: two float64 matrices of 0.2 GB, a second an update


class EvoTorchConfig(SearchConfig):
    """Settings of a searcher that needs EvoTorch."""

    @override
    def load_searcher(self) -> MakeSearcher:
        with evotorch_explained(f"search.algorithm: {self.algorithm}"):
            return super().load_searcher()


class CMAESConfig(EvoTorchConfig):
    """CMA-ES, with the learning rates of the literature."""

    searcher: ClassVar[str] = "hebbevo.search.evotorch_searchers:CMAESSearcher"

    algorithm: Literal["cma_es"] = "cma_es"
    covariance: Literal["auto", "diagonal", "full"] = Field(
        default="auto",
        description=f"auto: full up to {FULL_COVARIANCE_LIMIT} dimensions, diagonal (separable) above",
    )
    active: bool = Field(default=True, description="learn from the worse half too")

    @override
    def check_dimension(self, dimension: int) -> None:
        if dimension < 2:  # EvoTorch's has no covariance of one number
            raise SearchError(
                f"search.algorithm: cma_es needs two coefficients or more, got {dimension}; use snes, "
                "or share less"
            )
        if self.covariance == "full":
            refuse_matrix("search.covariance: full", dimension, "use auto or diagonal")

    def has_full_covariance(self, dimension: int) -> bool:
        """Return whether a search over so many dimensions adapts a matrix."""
        small = dimension <= FULL_COVARIANCE_LIMIT
        return self.covariance == "full" or (self.covariance == "auto" and small)


class SNESConfig(EvoTorchConfig):
    """Separable natural evolution strategy."""

    searcher: ClassVar[str] = "hebbevo.search.evotorch_searchers:SNESSearcher"

    algorithm: Literal["snes"] = "snes"
    learning_rate: float = Field(default=1.0, gt=0, le=1e6, description="of the center")
    sigma_learning_rate: float = Field(default=1.0, gt=0, le=1e6, description="times the literature's")


class XNESConfig(EvoTorchConfig):
    """Exponential natural evolution strategy: a full covariance, learnt along the natural gradient."""

    searcher: ClassVar[str] = "hebbevo.search.evotorch_searchers:XNESSearcher"

    algorithm: Literal["xnes"] = "xnes"
    learning_rate: float = Field(default=1.0, gt=0, le=1e6, description="of the center")
    sigma_learning_rate: float = Field(default=1.0, gt=0, le=1e6, description="times the literature's")

    @override
    def check_dimension(self, dimension: int) -> None:
        refuse_matrix("search.algorithm: xnes (full covariance)", dimension, "use snes")


class PGPEConfig(EvoTorchConfig):
    """Policy gradients with parameter-based exploration: mirrored sampling, ClipUp, adaptive sigma."""

    searcher: ClassVar[str] = "hebbevo.search.evotorch_searchers:PGPESearcher"

    algorithm: Literal["pgpe"] = "pgpe"
    population: EvenPopulation
    learning_rate: float | None = Field(
        default=None,
        gt=0,
        le=1e6,
        description="length of a step of the center; ClipUp's top speed is twice that. Null: as its authors "
        "advise, so that the top speed is a 15th of the search radius sigma * sqrt(dimension)",
    )
    sigma_learning_rate: float = Field(default=0.1, gt=0, le=1e6)
    sigma_max_change: float = Field(
        default=0.2, gt=0, le=1e6, description="largest relative change a generation"
    )


class CEMConfig(EvoTorchConfig):
    """Cross-entropy method: the next distribution is fitted to the best of this one."""

    searcher: ClassVar[str] = "hebbevo.search.evotorch_searchers:CEMSearcher"

    algorithm: Literal["cem"] = "cem"
    parenthood_ratio: float = Field(default=0.5, gt=0, le=1, description="fraction of the population")
    sigma_floor: float = Field(
        default=0.0, ge=0, le=1e6, description="smallest standard deviation of a coefficient"
    )

    @model_validator(mode="after")
    def _two_parents(self) -> Self:
        if int(self.population * self.parenthood_ratio) < 2:
            raise SearchError(
                f"parenthood_ratio must leave two parents or more, got {self.parenthood_ratio} of "
                f"population {self.population}; use at least {2 / self.population:.3g}"
            )
        return self


@contextmanager
def evotorch_explained(user: str) -> Iterator[None]:
    """Import EvoTorch inside, now that it is needed (about 2 s, and Ray with it); say so if it is missing."""
    try:
        yield
    except ImportError as error:
        raise SearchError(
            f"{user} needs EvoTorch, which does not import ({error}); pip install evotorch==0.6.1"
        ) from error


def refuse_matrix(key: str, dimension: int, remedy: str) -> None:
    """Refuse a d x d covariance above the stated dimension, with the memory it would take."""
    if dimension > FULL_COVARIANCE_LIMIT:
        gigabytes = 2 * 8 * dimension**2 / 1e9  # the covariance and its root, float64
        raise SearchError(
            f"{key} is limited to {FULL_COVARIANCE_LIMIT} dimensions, got {dimension}, where its two "
            f"matrices take {gigabytes:.3g} GB; {remedy}, or share coefficients to have fewer"
        )
