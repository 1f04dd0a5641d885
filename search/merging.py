"""Rules that merge during a search (Evolve & Merge, Pedersen & Risi 2021): many at first, ever fewer that many share.

Bundles of numbers, such as the coefficients of one synapse, are gathered into half as many rules again and again, by
k-means on the center; the search goes on over the rules' numbers alone. Whoever sees its proposals and its center sees
complete genomes, in which the bundles of one rule are equal.

The published schedule is not known. Here every merge halves the rules, and clusters weigh each bundle alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from hebbevo.errors import SearchError
from hebbevo.search.clusters import k_means, means
from hebbevo.search.executor import Executor
from hebbevo.search.searcher import Proposals, Searcher
from hebbevo.search.state import State
from hebbevo.seeding import merging_stream

LABELS = "merging.labels"
"""Name of the rule of each bundle in a saved state; empty before the first merge."""


@dataclass(frozen=True)
class MergeSchedule:
    """When rules merge.

    Attributes:
        to: rules at last.
        every: generations from one halving to the next.
    """

    to: int
    every: int

    def is_due(self, generation: int, rules: int) -> bool:
        """Whether so many rules merge when generation 1, 2, ... is done."""
        return generation % self.every == 0 and rules > self.to

    def after(self, rules: int) -> int:
        """Return how many rules a merge leaves at most."""
        return max(self.to, -(-rules // 2))


@dataclass(frozen=True, eq=False)
class SharedProposals:
    """Proposals for the numbers of rules, as complete genomes.

    Attributes:
        rules: proposals of the search over the rules' numbers.
        index: where each number of a genome lies in theirs, int64 ``(dimension,)``.
    """

    rules: Proposals
    index: NDArray[np.int64]

    @property
    def population(self) -> int:
        """Number of individuals."""
        return self.rules.population

    def genomes(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Return the genomes of `indices` as float32 (len(indices), dimension), in that order."""
        return self.rules.genomes(indices)[:, self.index]


class MergingSearch(Searcher):
    """A search whose bundles of numbers merge into rules.

    Args:
        search: over all numbers; it must be one that can move (`Searcher.moved`).
        bundles: positions in a genome, int64 ``(bundles, numbers)``, none twice; other numbers stay as they are.
        schedule: when rules merge.
        run_seed: all random numbers of the merges follow from it.
    """

    def __init__(
        self, search: Searcher, bundles: NDArray[np.int64], schedule: MergeSchedule, run_seed: int
    ) -> None:
        super().__init__(search.dimension, search.population)
        self._search, self._bundles, self._schedule = search, bundles, schedule
        self._run_seed = run_seed
        self._others = np.setdiff1d(np.arange(search.dimension), bundles)
        self._labels: NDArray[np.int64] = np.zeros(0, np.int64)
        self._index: NDArray[np.int64] | None = None

    @property
    def rules(self) -> int:
        """How many rules there are; before the first merge every bundle is one."""
        return int(self._labels.max()) + 1 if len(self._labels) else len(self._bundles)

    @property
    @override
    def center(self) -> NDArray[np.float32]:
        if self._index is None:
            return self._search.center
        center = self._search.center[self._index]
        center.flags.writeable = False
        return center

    @override
    def ask(self) -> Proposals:
        proposals = self._search.ask()
        return proposals if self._index is None else SharedProposals(proposals, self._index)

    @override
    def tell(self, proposals: Proposals, fitness: NDArray[np.float64], executor: Executor[object]) -> None:
        own = proposals.rules if isinstance(proposals, SharedProposals) else proposals
        self._search.tell(own, fitness, executor)
        self.generation = self._search.generation
        if self._schedule.is_due(self.generation, self.rules):
            self._merge()

    @override
    def diagnostics(self) -> dict[str, float]:
        return {**self._search.diagnostics(), "rules": self.rules}

    @override
    def state_dict(self) -> State:
        return {**self._search.state_dict(), LABELS: self._labels.copy()}

    @override
    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        labels = np.asarray(state.get(LABELS))
        fits = labels.dtype == np.int64 and labels.shape in ((0,), (len(self._bundles),))
        if not fits or not np.array_equal(np.unique(labels), np.arange(labels.max(initial=-1) + 1)):
            raise SearchError(
                f"the state holds no {LABELS} of {len(self._bundles)} bundles; resume with the settings it was saved "
                "under"
            )
        if len(labels):
            numbers = (int(labels.max()) + 1) * int(self._bundles.shape[1])
            self._share(labels, np.zeros(len(self._others) + numbers, np.float32))
        self._search.load_state_dict({name: array for name, array in state.items() if name != LABELS})
        self.generation = self._search.generation

    def _merge(self) -> None:
        """Gather the bundles into fewer rules, each the mean of its own."""
        center = self.center
        bundles = center[self._bundles].astype(np.float64)
        generator = merging_stream(self._run_seed, self.generation)
        labels = k_means(bundles, self._schedule.after(self.rules), generator)
        rules = means(bundles, labels).astype(np.float32)
        self._share(labels, np.concatenate([center[self._others], rules.ravel()]))

    def _share(self, labels: NDArray[np.int64], center: NDArray[np.float32]) -> None:
        """Go on over the numbers of rules, from `center`: numbers of no bundle first, then rule by rule."""
        width = self._bundles.shape[1]
        index = np.empty(self.dimension, np.int64)
        index[self._others] = np.arange(len(self._others))
        index[self._bundles] = len(self._others) + labels[:, None] * width + np.arange(width)
        self._labels, self._index = labels, index
        self._search = self._search.moved(center)
