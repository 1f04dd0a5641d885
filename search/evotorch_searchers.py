"""EvoTorch's algorithms (0.6.1) as searchers; see `evotorch_adapter` for the library, `evotorch_config` for settings.

EvoTorch samples, evaluates and learns in one `step()`. Here the evaluation happens elsewhere, between `ask`
and `tell`, so both draw the population from the same key: EvoTorch's generator is seeded anew in every
generation from (run seed, generation). Nothing of a population is kept, `ask` is repeatable, and no
generator needs saving: the state is the distribution (and ClipUp's velocity) alone.

Algorithms with a matrix compute in float64 (a Cholesky root in float32 fails long before convergence), the
others in float32. One thread computes, because sums over several give other bits. EvoTorch sees centered
ranks in place of fitnesses, which its rankings turn into the same order; if all are equal, nothing moves.
"""

import warnings
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from hebbevo.search.center import check_finite, starting_center
from hebbevo.search.config import SearchConfig
from hebbevo.search.evotorch_adapter import CEM, PGPE, SNES, LeanCMAES, LeanXNES, one_thread, problem
from hebbevo.search.evotorch_config import CEMConfig, CMAESConfig, PGPEConfig, SNESConfig, XNESConfig
from hebbevo.search.executor import Executor
from hebbevo.search.ranks import centered_ranks
from hebbevo.search.searcher import MatrixProposals, Proposals, Searcher
from hebbevo.search.state import State, check_same_seed, check_state
from hebbevo.seeding import checked_seed, population_seed


class EvoTorchSearcher(Searcher):
    """The part that all algorithms share; a subclass names tensors and says how to sample and update."""

    def __init__(
        self, config: SearchConfig, center: NDArray[np.float32], run_seed: int, matrix: bool
    ) -> None:
        self._center = starting_center(center)
        super().__init__(dimension=len(self._center), population=config.population)
        self._algorithm = config.algorithm
        self._run_seed = checked_seed(run_seed)
        self._told = torch.zeros(config.population, dtype=torch.float64)
        dtype = torch.float64 if matrix else torch.float32
        self._problem = problem(self.dimension, lambda genomes: self._told, dtype)

    @property
    def center(self) -> NDArray[np.float32]:
        """The mean of the distribution, float32 (dimension,), read-only."""
        return self._center

    def ask(self) -> MatrixProposals:
        """Draw the coming generation."""
        with one_thread(), torch.no_grad():
            self._seed()
            matrix: NDArray[np.float32] = self._sample().to(torch.float32).numpy()
        return MatrixProposals(matrix)

    def tell(self, proposals: Proposals, fitness: NDArray[np.float64], executor: Executor[object]) -> None:
        """Learn. Where all fitnesses are equal the distribution stays.

        Raises:
            SearchFailure: the distribution is no longer finite, or its covariance not positive.
        """
        values = self.check_fitness(fitness)
        if np.ptp(values) > 0:
            self._told = torch.from_numpy(centered_ranks(values))
            with one_thread(), torch.no_grad():
                self._seed()
                self._update()
            self._adopt(self._tensors())
        self.generation += 1

    def state_dict(self) -> State:
        """Return the distribution's tensors, the generation and the run seed."""
        return {
            **{name: tensor.numpy().copy() for name, tensor in self._tensors().items()},
            "generation": np.array(self.generation, dtype=np.int64),
            "run_seed": np.array(self._run_seed, dtype=np.int64),
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state of the same layout."""
        check_state(state, self.state_dict(), self._algorithm)
        check_same_seed(int(state["run_seed"]), self._run_seed)
        self.generation = int(state["generation"])
        self._adopt({name: torch.from_numpy(np.array(state[name])).clone() for name in self._tensors()})

    def diagnostics(self) -> dict[str, float]:
        """Return the step size and the smallest and largest standard deviation of a coefficient."""
        deviations = self._deviations()
        return {
            "sigma": self._sigma(),
            "sigma_min": float(deviations.min()),
            "sigma_max": float(deviations.max()),
        }

    def _seed(self) -> None:
        self._problem.manual_seed(population_seed(self._run_seed, self.generation))

    def _adopt(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take the tensors, row-major: a product's bits depend on how its matrices lie in memory."""
        self._load({name: tensor.contiguous() for name, tensor in tensors.items()})
        center: NDArray[np.float32] = self._mean().to(torch.float32).numpy().copy()
        for numbers in (center, list(self.diagnostics().values())):
            check_finite("distribution is", numbers, self._algorithm, self.generation + 1)
        center.flags.writeable = False
        self._center = center

    @abstractmethod
    def _sample(self) -> torch.Tensor:
        """Draw (population, dimension) from the problem's generator."""

    @abstractmethod
    def _update(self) -> None:
        """Draw the same again and learn from the ranks told."""

    @abstractmethod
    def _tensors(self) -> dict[str, torch.Tensor]:
        """Return all that changes from generation to generation."""

    @abstractmethod
    def _load(self, tensors: dict[str, torch.Tensor]) -> None:
        """Take tensors as `_tensors` named them."""

    @abstractmethod
    def _mean(self) -> torch.Tensor:
        """Return the mean of the distribution, (dimension,)."""

    @abstractmethod
    def _deviations(self) -> torch.Tensor:
        """Return the standard deviation of every coefficient, (dimension,)."""

    def _sigma(self) -> float:
        return float(self._deviations().mean())


class CMAESSearcher(EvoTorchSearcher):
    """CMA-ES, full or separable."""

    def __init__(self, config: CMAESConfig, center: NDArray[np.float32], run_seed: int) -> None:
        full = config.has_full_covariance(len(center))
        super().__init__(config, center, run_seed, matrix=full)
        with warnings.catch_warnings():  # its own torch.tensor(tensor), its own NumPy scalars
            warnings.simplefilter("ignore")
            self._cmaes = LeanCMAES(
                self._problem,
                stdev_init=config.sigma,
                popsize=config.population,
                center_init=self._center.copy(),
                active=config.active,
                separable=not full,
            )
        # EvoTorch starts its paths as the number 0; vectors give the state one layout from the start.
        self._cmaes.p_sigma = torch.zeros_like(self._cmaes.m)
        self._cmaes.p_c = torch.zeros_like(self._cmaes.m)

    def _sample(self) -> torch.Tensor:
        genomes: torch.Tensor = self._cmaes.sample_distribution()[2]
        return genomes

    def _update(self) -> None:
        self._cmaes.step()

    def _tensors(self) -> dict[str, torch.Tensor]:
        names = ("m", "sigma", "C", "A", "p_sigma", "p_c")
        tensors = {name: getattr(self._cmaes, name) for name in names}
        return {**tensors, "steps": torch.tensor(self._cmaes.step_count)}

    def _load(self, tensors: dict[str, torch.Tensor]) -> None:
        self._cmaes._steps_count = int(tensors.pop("steps"))
        for name, tensor in tensors.items():
            setattr(self._cmaes, name, tensor)

    def _mean(self) -> torch.Tensor:
        mean: torch.Tensor = self._cmaes.m
        return mean

    def _deviations(self) -> torch.Tensor:
        variances = self._cmaes.C if self._cmaes.separable else self._cmaes.C.diagonal()
        deviations: torch.Tensor = self._cmaes.sigma * variances.sqrt()
        return deviations

    def _sigma(self) -> float:
        return float(self._cmaes.sigma)


class GaussianSearcher(EvoTorchSearcher):
    """The algorithms that follow a gradient of a Gaussian; a subclass sets `_gaussian`."""

    _gaussian: Any  # an evotorch GaussianSearchAlgorithm

    def _sample(self) -> torch.Tensor:
        out = torch.empty((self.population, self.dimension), dtype=self._problem.dtype)
        self._gaussian._distribution.sample(out=out, generator=self._problem)
        return out

    def _update(self) -> None:
        """Do what EvoTorch's step() does with the generation before, without drawing the next one."""
        gradients = self._gaussian._distribution.compute_gradients(
            self._sample(),
            self._told,
            objective_sense="max",
            ranking_method=self._gaussian._ranking_method,
        )
        self._gaussian._update_distribution(gradients)

    def _parameters(self) -> dict[str, torch.Tensor]:
        parameters = self._gaussian._distribution.parameters
        return {name: value for name, value in parameters.items() if isinstance(value, torch.Tensor)}

    def _tensors(self) -> dict[str, torch.Tensor]:
        return self._parameters()

    def _load(self, tensors: dict[str, torch.Tensor]) -> None:
        self._gaussian._distribution = self._gaussian._distribution.modified_copy(**tensors)

    def _mean(self) -> torch.Tensor:
        return self._parameters()["mu"]

    def _deviations(self) -> torch.Tensor:
        return self._parameters()["sigma"]


class SNESSearcher(GaussianSearcher):
    """Separable NES."""

    def __init__(self, config: SNESConfig, center: NDArray[np.float32], run_seed: int) -> None:
        super().__init__(config, center, run_seed, matrix=False)
        self._gaussian = SNES(
            self._problem,
            stdev_init=config.sigma,
            popsize=config.population,
            center_init=self._center.copy(),
            center_learning_rate=config.learning_rate,
            stdev_learning_rate=config.sigma_learning_rate,
        )


class XNESSearcher(GaussianSearcher):
    """Exponential NES; `sigma` is the matrix A of N(mu, A A^T), `sigma_inv` its inverse."""

    def __init__(self, config: XNESConfig, center: NDArray[np.float32], run_seed: int) -> None:
        super().__init__(config, center, run_seed, matrix=True)
        self._gaussian = LeanXNES(
            self._problem,
            stdev_init=config.sigma,
            popsize=config.population,
            center_init=self._center.copy(),
            center_learning_rate=config.learning_rate,
            stdev_learning_rate=config.sigma_learning_rate,
        )

    def _deviations(self) -> torch.Tensor:
        deviations: torch.Tensor = torch.linalg.vector_norm(self._parameters()["sigma"], dim=1)
        return deviations


class PGPESearcher(GaussianSearcher):
    """PGPE with mirrored sampling and ClipUp."""

    def __init__(self, config: PGPEConfig, center: NDArray[np.float32], run_seed: int) -> None:
        super().__init__(config, center, run_seed, matrix=False)
        radius = config.sigma * self.dimension**0.5
        self._gaussian = PGPE(
            self._problem,
            stdev_init=config.sigma,
            popsize=config.population,
            center_init=self._center.copy(),
            center_learning_rate=config.learning_rate or radius / 15 / 2,
            stdev_learning_rate=config.sigma_learning_rate,
            stdev_max_change=config.sigma_max_change,
            optimizer="clipup",
        )

    def _tensors(self) -> dict[str, torch.Tensor]:
        return {**super()._tensors(), "velocity": self._gaussian.optimizer._velocity}

    def _load(self, tensors: dict[str, torch.Tensor]) -> None:
        self._gaussian.optimizer._velocity = tensors.pop("velocity")
        super()._load(tensors)


class CEMSearcher(GaussianSearcher):
    """Cross-entropy method with a diagonal Gaussian."""

    def __init__(self, config: CEMConfig, center: NDArray[np.float32], run_seed: int) -> None:
        super().__init__(config, center, run_seed, matrix=False)
        self._gaussian = CEM(
            self._problem,
            stdev_init=config.sigma,
            popsize=config.population,
            center_init=self._center.copy(),
            parenthood_ratio=config.parenthood_ratio,
            stdev_min=config.sigma_floor or None,
        )
