"""The contract of searchers: proposals out, fitness in. Subclass `Searcher` to bring one of your own.

A searcher sees vectors and numbers, nothing of networks, environments or clusters. The loop around it is

    proposals = searcher.ask()                          # genomes to try in this generation
    fitness = ...                                       # float64 (population,), by whoever evaluates
    searcher.tell(proposals, fitness, executor)         # higher is better

A searcher of your own is one class, its config (`hebbevo.search.SearchConfig`) and one entry in
`hebbevo.search.SEARCHERS`: docs/searchers.md has a complete example.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hebbevo.errors import SearchError
from hebbevo.search.executor import Executor
from hebbevo.search.state import State


class Proposals(Protocol):
    """The genomes of one generation, made when and where they are asked for.

    Workers call `genomes` on a copy, so an implementation must survive pickling and return the same
    bits for an index whatever else is asked for beside it.
    """

    @property
    def population(self) -> int:
        """Number of individuals; their indices are 0 to population - 1."""
        ...

    def genomes(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Return the genomes of `indices` as float32 (len(indices), dimension), in that order."""
        ...


@dataclass(frozen=True, eq=False)
class MatrixProposals:
    """Proposals that exist as a matrix, one genome a row.

    Ship `genomes(indices)` to a worker rather than the object, which holds the complete population.
    """

    matrix: NDArray[np.float32]  # (population, dimension)

    @property
    def population(self) -> int:
        """Number of rows."""
        return len(self.matrix)

    def genomes(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Return the rows `indices`; consecutive indices are a view, nothing is copied."""
        first, count = (indices[0], len(indices)) if len(indices) else (0, 0)
        if count and list(indices) == list(range(first, first + count)):
            return self.matrix[first : first + count]
        return self.matrix[list(indices)]


class Searcher(ABC):
    """A search algorithm over float32 vectors; higher fitness is better.

    Two rules make runs reproducible. `ask` changes nothing: called twice, or after a resume, it proposes
    the same bits. And `state_dict` holds everything that `tell` changes, so that a searcher built from
    the same config and seed continues, after `load_state_dict`, bit for bit.
    """

    dimension: int  # length of a genome
    population: int  # individuals per generation
    generation: int  # completed generations; `tell` counts it up

    def __init__(self, dimension: int, population: int) -> None:
        self.dimension = dimension
        self.population = population
        self.generation = 0

    @property
    @abstractmethod
    def center(self) -> NDArray[np.float32]:
        """The current best guess, float32 (dimension,); treat it as read-only."""

    @abstractmethod
    def ask(self) -> Proposals:
        """Propose the genomes of the coming generation."""

    @abstractmethod
    def tell(self, proposals: Proposals, fitness: NDArray[np.float64], executor: Executor[object]) -> None:
        """Learn from the fitness, float64 (population,), of the proposals that `ask` just made.

        The executor is there for searchers whose update is worth spreading over workers; most ignore it.

        Raises:
            SearchError: the fitness has another length or holds NaN or infinity.
        """

    @abstractmethod
    def state_dict(self) -> State:
        """Return all that an exact resume needs, as arrays; scalars are 0-d arrays."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state that `state_dict` returned.

        Raises:
            SearchError: the state belongs to another algorithm, dimension or optimizer.
        """

    def moved(self, center: NDArray[np.float32]) -> "Searcher":
        """Return the search at another center, of any length, with its generation and its widths.

        What it remembers of single numbers is forgotten. Its config has `can_move`.

        Raises:
            SearchError: this algorithm cannot.
        """
        raise SearchError(f"{type(self).__name__} cannot go on with another number of coefficients")

    def diagnostics(self) -> dict[str, float]:
        """Return numbers worth a column each in progress.csv; the names never change during a run."""
        return {}

    def check_fitness(self, fitness: ArrayLike) -> NDArray[np.float64]:
        """Return the fitness as float64 (population,).

        Raises:
            SearchError: another length, or a value that is not finite: a lifetime that failed must come
                with the task's worst fitness, never with a number that ranks by accident.
        """
        values = np.asarray(fitness, dtype=np.float64)
        if values.shape != (self.population,):
            raise SearchError(
                f"fitness must have shape ({self.population},), one number an individual, got {values.shape}"
            )
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            raise SearchError(
                f"fitness must be finite, got {values[bad[0]]} for individual {bad[0]} ({bad.size} such of "
                f"{self.population}); give failed lifetimes the worst fitness"
            )
        return values
