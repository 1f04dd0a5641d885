"""What enters compiled code is checked first: it has no bounds; environments, hooks and genomes may be anybody's."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from hebbevo.envs import BatchedEnvironment, QuadrupedConfig
from hebbevo.errors import EnvError
from hebbevo.networks.numba.arguments import Arguments, check_genomes
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rollouts.observations import ObservationStatistics
from hebbevo.rollouts.rollout import rollout


class World(BatchedEnvironment):
    """Two numbers in, one out; `change` may do to it what a subclass should not."""

    def __init__(self, change: Callable[[Any], None], when: str) -> None:
        super().__init__(3, 2, 1)
        self.change, self.when = change, when

    def reset(self, seeds, morphologies) -> None:
        self._clear_rows(self._check_reset(seeds, morphologies))
        if self.when == "reset":
            self.change(self)

    def step(self, actions, active) -> None:
        if self.when == "step":
            self.change(self)


class Silence:
    """A network that does nothing."""

    def reset(self, genomes, genome_of, seeds, *, plastic=True) -> None:
        pass

    def forward(self, observations, active) -> np.ndarray:
        return np.zeros((3, 1), np.float32)

    def learn(self, active, rewards) -> None:
        pass


def run(world: BatchedEnvironment, *hooks: Hook, **options: Any) -> None:
    genomes = np.zeros((3, 1), np.float32)
    names = ["default"] * 3
    rollout(
        world, Silence(), genomes, range(3), range(3), names, steps=2, early_stop=None, hooks=hooks, **options
    )


def replace(name: str, array: object) -> Callable[[Any], None]:
    return lambda world: setattr(world, name, array)


@pytest.mark.parametrize("when", ["reset", "step"])
@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("observations", np.zeros((3, 1), np.float32)),
        ("observations", np.zeros((3, 2))),
        ("rewards", np.zeros(2)),
        ("rewards", [0.0] * 3),
        ("done", np.zeros(3)),
        ("terminated", np.zeros(1, np.bool_)),
        ("diverged", np.zeros((3, 1), np.bool_)),
    ],
)
def test_arrays_of_an_environment_keep_their_shape_and_dtype(when: str, name: str, array: object) -> None:
    with pytest.raises(EnvError, match=rf"World\.{name} must be"):
        run(World(replace(name, array), when))


def test_an_array_may_be_replaced_by_one_like_it() -> None:
    run(World(replace("rewards", np.ones(3)), "step"))


@pytest.mark.parametrize("row", [3, -1, 2**40])
def test_a_hook_cannot_invent_rows(row: int) -> None:
    class Inventor(Hook):
        def on_step(self, batch: Batch) -> None:
            batch.active = np.array([0, row])

    with pytest.raises(IndexError, match="no lifetime"):
        run(World(lambda world: None, "never"), Inventor())


def test_statistics_are_of_as_many_numbers_as_an_observation() -> None:
    with pytest.raises(ValueError, match="statistics must be of 2 numbers"):
        run(World(lambda world: None, "never"), observations=ObservationStatistics.identity(3))


@pytest.mark.parametrize("active", [[0, 4], [-1], [0.0], [[0]]])
def test_networks_take_rows_of_their_batch(active: list) -> None:
    checked = Arguments(4, 2)
    checked.check_active(np.array([0, 3]))
    checked.check_active(np.zeros(0, np.int64))
    with pytest.raises(ValueError, match="active must be rows of a batch of 4"):
        checked.check_active(np.array(active))


@pytest.mark.parametrize(("shape", "dtype"), [((3, 2), "f4"), ((4, 3), "f4"), ((4, 2), "f8"), ((8,), "f4")])
def test_networks_take_observations_of_their_size(shape: tuple[int, ...], dtype: str) -> None:
    checked = Arguments(4, 2)
    checked.check_observations(np.zeros((4, 2), np.float32))
    with pytest.raises(ValueError, match=r"observations must be float32 of shape \(4, 2\)"):
        checked.check_observations(np.zeros(shape, dtype))


@pytest.mark.parametrize(
    ("shape", "genome_of"),
    [((2, 6), [0]), ((2,), [0]), ((5, 7), [0]), ((2, 7), [2]), ((2, 7), [-1]), ((2, 7), [0] * 5)],
)
def test_networks_take_genomes_of_their_layout(shape: tuple[int, ...], genome_of: list[int]) -> None:
    check_genomes(np.zeros((2, 7), np.float32), [0, 1, 1, 0], 7, 4)
    with pytest.raises(ValueError, match=r"genomes? must be|genome_of must be"):
        check_genomes(np.zeros(shape, np.float32), genome_of, 7, 4)


def test_robots_take_rows_and_actions_of_their_batch() -> None:
    batch = QuadrupedConfig(burn_in=0).build(2)
    batch.reset([1, 2], ["intact"] * 2)
    with pytest.raises(IndexError, match="none of the batch"):
        batch.step(np.zeros((2, 8), np.float32), np.array([0, 2]))
    with pytest.raises(EnvError, match=r"actions must have shape \(2, 8\), got \(2, 7\)"):
        batch.step(np.zeros((2, 7), np.float32), np.arange(2))
