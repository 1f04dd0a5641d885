"""The one door to EvoTorch (0.6.1): the only file that imports evotorch.

Problems are evaluated in this process, whatever the evaluator does with the genomes (`num_actors=0`): EvoTorch's own
Ray mode ranks anew for each part of a population, so that results depend on the number of actors.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Protocol, Self

import evotorch
import numpy as np
import torch
from evotorch.algorithms import CEM, CMAES, PGPE, SNES, XNES
from evotorch.distributions import ExpGaussian
from numpy.typing import NDArray

from hebbevo.errors import SearchFailure

__all__ = [
    "CEM",
    "PGPE",
    "SNES",
    "Evaluator",
    "LeanCMAES",
    "LeanXNES",
    "TaskProblem",
    "one_thread",
    "problem",
    "vectorised_gymnasium_problem",
]

Fitness = Callable[[torch.Tensor], torch.Tensor]  # (n, dimension) -> (n,), higher is better


def problem(dimension: int, fitness: Fitness, dtype: torch.dtype = torch.float32) -> evotorch.Problem:
    """Return a maximisation problem for any algorithm of EvoTorch, evaluated by `fitness` in batches."""
    return evotorch.Problem(
        "max", fitness, vectorized=True, dtype=dtype, store_solution_stats=False, **_settings(dimension, 0)
    )


def _settings(dimension: int, seed: int) -> dict[str, Any]:
    logging.getLogger("evotorch").setLevel(logging.WARNING)
    return {
        "solution_length": dimension,
        "initial_bounds": (-1.0, 1.0),
        "eval_dtype": torch.float64,
        "num_actors": 0,
        "seed": seed,
    }


class Evaluator(Protocol):
    """Evaluates genomes for a `TaskProblem`; implemented where networks and environments are known."""

    dimension: int
    run_seed: int
    first_center: NDArray[np.float32]  # (dimension,)

    def first_genome(self, generator: np.random.Generator) -> NDArray[np.float32]:
        """Draw a genome, (dimension,), to start from."""
        ...

    def fitness(self, genomes: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return the fitness, (n,), of genomes (n, dimension); higher is better."""
        ...

    def close(self) -> None:
        """Release threads and workers."""
        ...


class TaskProblem(evotorch.Problem):  # type: ignore[misc]  # evotorch is untyped
    """A task as a maximisation problem of EvoTorch. Close it, or use it in a `with` statement."""

    first_center: torch.Tensor
    """Where a run starts, float32 (dimension,); `center_init` of an algorithm."""

    def __init__(self, evaluator: Evaluator) -> None:
        super().__init__("max", dtype=torch.float32, **_settings(evaluator.dimension, evaluator.run_seed))
        self._evaluator = evaluator
        self.first_center = torch.from_numpy(evaluator.first_center.copy())

    def close(self) -> None:
        """Release the threads or workers that ran the lifetimes."""
        self._evaluator.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _evaluate_batch(self, batch: evotorch.SolutionBatch) -> None:
        genomes: NDArray[np.float32] = batch.values.detach().cpu().contiguous().numpy()
        batch.set_evals(torch.from_numpy(self._evaluator.fitness(genomes)))

    def _fill(self, values: torch.Tensor) -> None:
        """Draw genomes for algorithms that start from many."""
        seed = torch.randint(2**62, (1,), generator=self.generator)
        random = np.random.default_rng(int(seed))
        for row in values:
            row.copy_(torch.from_numpy(self._evaluator.first_genome(random)))


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread: the order of its sums depends on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


class LeanCMAES(CMAES):  # type: ignore[misc]  # evotorch is untyped
    """EvoTorch's CMA-ES, the rank-mu update as one product instead of a (population, d, d) tensor."""

    C: torch.Tensor

    def update_C(
        self, zs: torch.Tensor, ys: torch.Tensor, assigned_weights: torch.Tensor, h_sig: torch.Tensor
    ) -> None:
        """Update the covariance (Hansen 2016, eq. 47); without a matrix, as EvoTorch does it."""
        if self.separable:
            super().update_C(zs, ys, assigned_weights, h_sig)
            return
        weights = assigned_weights
        if self.active:  # eq. 46: w_i d / |z_i|^2 for negative w_i
            weights = torch.where(weights > 0, weights, len(self.m) * weights / zs.square().sum(dim=1))
        # the rank-one step makes up for a stalled path
        c1a = self.c_1 * (1 - (1 - h_sig) * self.c_c * (2 - self.c_c))
        shrink = 1 - c1a - self.c_mu * torch.sum(self.weights)
        # C <- (1 - c1a - c_mu sum w) C + c_1 p_c p_c^T + c_mu sum_i w_i y_i y_i^T
        self.C = shrink * self.C
        self.C.addr_(self.p_c, self.p_c, alpha=float(self.c_1))
        self.C.addmm_((ys * weights.unsqueeze(1)).T, ys, alpha=float(self.c_mu))

    def decompose_C(self) -> None:
        """Find A with A A^T = C. Raises SearchFailure where C is not positive definite."""
        if self.separable:
            super().decompose_C()
            return
        self.A, info = torch.linalg.cholesky_ex(self.C)
        if int(info):
            raise SearchFailure(
                f"the covariance of cma_es is not positive definite in generation {self.step_count + 1}; "
                "use covariance: diagonal, another search.sigma or a larger population"
            )


class LeanExpGaussian(ExpGaussian):  # type: ignore[misc]  # evotorch is untyped
    """EvoTorch's distribution, the gradient as one product instead of a (population, d, d) tensor."""

    def _compute_gradients(
        self, samples: torch.Tensor, weights: torch.Tensor, ranking_used: str | None
    ) -> dict[str, torch.Tensor]:
        local = self.to_local_coordinates(samples)
        if ranking_used not in ("centered", "normalized"):
            weights = weights - torch.mean(weights)
        # sum_i u_i z_i  and  sum_i u_i (z_i z_i^T - I)
        return {
            "d": weights @ local,
            "M": (local * weights.unsqueeze(1)).T @ local - torch.sum(weights) * self.eye,
        }


class LeanXNES(XNES):  # type: ignore[misc]  # evotorch is untyped
    """EvoTorch's XNES on the lean distribution."""

    DISTRIBUTION_TYPE = LeanExpGaussian


def vectorised_gymnasium_problem(name: str, policy: torch.nn.Module, options: Mapping[str, Any]) -> Any:
    """Return EvoTorch's `VecGymNE`, for a comparison: it steps Gymnasium environments side by side.

    Args:
        name: Gymnasium id.
        policy: whose parameters are a genome; with state if its `forward` takes and returns one.
        options: of `gymnasium.make`.
    """
    from evotorch.neuroevolution import VecGymNE

    logging.getLogger("evotorch").setLevel(logging.WARNING)
    return VecGymNE(name, policy, env_config=dict(options), num_actors=0)
