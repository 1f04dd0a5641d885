"""OpenAI-ES with mirrored sampling, as published with evolved Hebbian rules.

Salimans et al. 2017 (arXiv 1703.03864), in the variant of Najarro & Risi 2020 (arXiv 2007.02686):

    theta <- theta + learning_rate / (n sigma) * sum_i R_i eps_i

with R the centered ranks divided by their standard deviation, and both sigma and the learning rate
shrinking by a constant factor each generation until they reach their floors. Individual k is
theta + sigma eps_(k//2) for even k and theta - sigma eps_(k//2) for odd k. The eps are never sent nor
kept: where one is needed, or a few of its coefficients, it is drawn again from its key (`noise`).

The update is split over coefficients, not over pairs: every worker adds up all pairs for its own coefficients and
returns those of the sum, so that all workers together send one vector, and each number's additions have one order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbevo.errors import SearchError
from hebbevo.search.center import check_finite, starting_center
from hebbevo.search.executor import Executor
from hebbevo.search.noise import SEGMENT, perturbations
from hebbevo.search.openai_es_config import OpenAIESConfig
from hebbevo.search.optimizers import Adam, Optimizer, Sgd
from hebbevo.search.ranks import standardized_ranks
from hebbevo.search.searcher import Proposals, Searcher
from hebbevo.search.state import State, check_same_seed, check_state
from hebbevo.seeding import checked_seed

SPANS_PER_WORKER = 4  # pieces of an update: the last ones should not leave the others idle


@dataclass(frozen=True, eq=False)
class MirroredProposals:
    """The individuals of one generation: a center and the key of its noise."""

    center: NDArray[np.float32]  # (dimension,), read-only
    sigma: float
    run_seed: int
    generation: int
    population: int

    def genomes(self, indices: Sequence[int]) -> NDArray[np.float32]:
        """Return center +- sigma eps, float32 (len(indices), dimension)."""
        genomes = np.empty((len(indices), len(self.center)), dtype=np.float32)
        pairs = [
            pair for pair, _ in groupby(indices, lambda index: index // 2)
        ]  # one draw serves both neighbours
        noises, drawn = perturbations(self.run_seed, self.generation, pairs, len(self.center)), -1
        # a run ends with genomes that are not finite
        with np.errstate(over="ignore", invalid="ignore"):
            for row, index in zip(genomes, indices, strict=True):
                if index // 2 != drawn:
                    drawn, noise = index // 2, next(noises)
                    noise *= np.float32(self.sigma)
                (np.subtract if index % 2 else np.add)(self.center, noise, out=row)
        return genomes


@dataclass(frozen=True, eq=False)
class WeightedNoise:
    """A sum of perturbations to make: the noise's key and a weight for each pair."""

    run_seed: int
    generation: int
    weights: NDArray[np.float64]  # (pairs,)


def weighted_sum(worker: object, noise: WeightedNoise, span: tuple[int, int]) -> NDArray[np.float64]:
    """Return coefficients `start` to `stop` of sum(weight * eps), float64, the pairs one after the other.

    No BLAS: the order of the additions, and so the bits, must not depend on threads.
    """
    start, stop = span
    total, product = np.zeros(stop - start), np.empty(stop - start)
    pairs = perturbations(noise.run_seed, noise.generation, range(len(noise.weights)), stop, start)
    for drawn, weight in zip(pairs, noise.weights, strict=True):
        np.multiply(drawn, weight, out=product)
        total += product
    return total


def spans(dimension: int, workers: int) -> list[tuple[int, int]]:
    """Cut the coefficients into spans of complete segments of noise, a few for each worker."""
    segments = -(-dimension // SEGMENT)
    width = SEGMENT * -(-segments // (SPANS_PER_WORKER * workers))
    return [(start, min(start + width, dimension)) for start in range(0, dimension, width)]


class OpenAIES(Searcher):
    """The searcher; see the top of the file."""

    def __init__(self, config: OpenAIESConfig, center: NDArray[np.float32], run_seed: int) -> None:
        self._center = starting_center(center)
        super().__init__(dimension=len(self._center), population=config.population)
        self._config = config
        self._run_seed = checked_seed(run_seed)
        self._sigma = config.sigma
        self._learning_rate = config.learning_rate
        self._optimizer: Optimizer = Sgd()
        if config.optimizer == "adam":
            self._optimizer = Adam(self.dimension, config.beta1, config.beta2, config.epsilon)

    @property
    def center(self) -> NDArray[np.float32]:
        """The mean of the proposals, float32 (dimension,), read-only."""
        return self._center

    def ask(self) -> MirroredProposals:
        """Propose the coming generation; its genomes are made where they are needed."""
        return MirroredProposals(self._center, self._sigma, self._run_seed, self.generation, self.population)

    def tell(self, proposals: Proposals, fitness: NDArray[np.float64], executor: Executor[object]) -> None:
        """Move the center uphill. Where all fitnesses are equal neither it nor the optimizer moves.

        Raises:
            SearchFailure: the center is no longer finite.
        """
        if not isinstance(proposals, MirroredProposals) or proposals.generation != self.generation:
            raise SearchError(f"tell() expects the proposals of generation {self.generation}, from ask()")
        ranks = standardized_ranks(self.check_fitness(fitness))
        if ranks.any():
            gradient = self._gradient(ranks, executor)
            with np.errstate(over="ignore", invalid="ignore"):
                self._move(self._optimizer.step(gradient, self._learning_rate))
        self._decay()
        self.generation += 1

    def moved(self, center: NDArray[np.float32]) -> "OpenAIES":
        """Return the search at another center: its sigma, learning rate and generation, the optimizer anew."""
        moved = OpenAIES(self._config, center, self._run_seed)
        moved._sigma, moved._learning_rate = self._sigma, self._learning_rate
        moved.generation = self.generation
        return moved

    def state_dict(self) -> State:
        """Return center, sigma, learning rate, generation, run seed and the optimizer's state."""
        return {
            "center": self._center.copy(),
            "sigma": np.array(self._sigma, dtype=np.float64),
            "learning_rate": np.array(self._learning_rate, dtype=np.float64),
            "generation": np.array(self.generation, dtype=np.int64),
            "run_seed": np.array(self._run_seed, dtype=np.int64),
            **self._optimizer.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state of the same layout."""
        check_state(state, self.state_dict(), f"openai_es with {self._config.optimizer}")
        check_same_seed(int(state["run_seed"]), self._run_seed)
        self._center = starting_center(state["center"])
        self._sigma = float(state["sigma"])
        self._learning_rate = float(state["learning_rate"])
        self.generation = int(state["generation"])
        self._optimizer.load_state_dict(state)

    def diagnostics(self) -> dict[str, float]:
        """Return sigma and learning rate of the coming generation."""
        return {"sigma": self._sigma, "learning_rate": self._learning_rate}

    def _gradient(self, ranks: NDArray[np.float64], executor: Executor[object]) -> NDArray[np.float64]:
        """Return sum(R eps) / (n sigma), each worker making a few coefficients of it."""
        weights = ranks[0::2] - ranks[1::2]  # R_(2p) eps - R_(2p+1) eps
        noise = WeightedNoise(self._run_seed, self.generation, weights)
        parts = executor.map(weighted_sum, noise, spans(self.dimension, executor.workers))
        return np.concatenate(parts) / (self.population * self._sigma)

    def _move(self, displacement: NDArray[np.float64]) -> None:
        """Add in float64 and round once."""
        center = (self._center.astype(np.float64) + displacement).astype(np.float32)
        check_finite("center is", center, self._config.algorithm, self.generation + 1)
        center.flags.writeable = False
        self._center = center

    def _decay(self) -> None:
        config = self._config
        if self._sigma > config.sigma_floor:
            self._sigma *= config.sigma_decay
        if self._learning_rate > config.learning_rate_floor:
            self._learning_rate *= config.learning_rate_decay
