"""hebbevo beside a plain Gymnasium loop and EvoTorch's `VecGymNE`: the same physics, rule and network, in turns.

The physics is that of Gymnasium's Ant-v5 as its XML has it: RK4, five substeps of 0.01 s, gear 150. Our quadruped
observes its 28 numbers, the others Ant's own 27 (positions and velocities, which Gymnasium copies; contact forces
left out), so that their networks are 27-128-64-8, 1 % smaller than ours, and their observation costs less than ours.
Episodes have the same length and never end early, one for each individual: 8 of ours in a batch, 8 one after the
other, and `VecGymNE`'s 32 side by side, where it is fastest per step within the memory of a laptop.

Beforehand, all three get the same observations and must reach the weights of the plain loop in float64; and
Gymnasium's simulation gets our start and controls and must reach the same positions. The steps are few, because
differences in the last bits grow in weights that are not normalised.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from typing_extensions import override

from hebbevo.benchmarks.evotorch_peer import PlasticPolicy, Population
from hebbevo.benchmarks.gymnasium_loop import PlainNetwork, make_ant, rollout
from hebbevo.benchmarks.plain_parts import difference, plain_parts
from hebbevo.benchmarks.replays import FloatArray, PhysicsBaseline, Recording
from hebbevo.benchmarks.timing import CLOCK, CPU, Effort, alternate, median, one_core
from hebbevo.config.loading import load_config
from hebbevo.envs.physics import mujoco
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.tasks.task import Task

STEPS, BATCH_SIZE, SIDE_BY_SIDE = 250, 8, 32
CHECKED_STEPS = 10
TOLERANCE = 1e-4
ANT_INPUTS = 27
LOOP, EVOTORCH = "gymnasium_loop", "evotorch_vecgymne"


def measure(effort: Effort) -> dict[str, Any]:
    """Return microseconds per agent-step of all three, their ratios to ours, and the checks."""
    steps = effort.steps or STEPS
    with one_core(), torch.no_grad():
        recording = Recording(ant_task(steps), BATCH_SIZE)
        physics, checks = PhysicsBaseline(recording), _checks(recording)
        peers = {LOOP: (_loop(recording), BATCH_SIZE)}
        if has_evotorch():
            peers[EVOTORCH] = (_population(recording), SIDE_BY_SIDE)
        replays: list[Callable[[], object]] = [recording.lifetime, physics.replay]
        replays += [replay for replay, _ in peers.values()]
        times = alternate(replays, effort.repeats)
    lifetimes = np.array([BATCH_SIZE, BATCH_SIZE, *(count for _, count in peers.values())])
    times *= 1e6 / (steps * lifetimes[:, None])
    ours = times[:, 0]
    return {
        "us_per_step": median(ours[:, CPU]),
        "physics_us": median(times[:, 1, CPU]),
        "fraction_of_floor": median(times[:, 1, CPU] / ours[:, CPU]),
        "clock_us_per_step": median(ours[:, CLOCK]),
        **{
            name: {
                "us_per_step": median(times[:, column, CPU]),
                "clock_us_per_step": median(times[:, column, CLOCK]),
                "ratio": median(times[:, column, CPU] / ours[:, CPU]),
            }
            for column, name in enumerate(peers, start=2)
        },
        "steps": steps,
        "checks": checks,
    }


def ratios(result: dict[str, Any]) -> dict[str, float]:
    """Return how many times longer each peer takes."""
    return {name: result[name]["ratio"] for name in (LOOP, EVOTORCH) if name in result}


def has_evotorch() -> bool:
    """Whether EvoTorch is installed."""
    return importlib.util.find_spec("evotorch") is not None


def ant_task(steps: int) -> Task:
    """Return our quadruped with the physics of Ant-v5."""
    env = ("gear=150", "integrator=RK4", "timestep=0.01", "substeps=5", "burn_in=0", "morphologies=[intact]")
    overrides = [f"env.{setting}" for setting in (*env, f"steps={steps}")]
    return Task.of(load_config("quick-quadruped", overrides))


def _loop(recording: Recording) -> Callable[[], object]:
    """Return a replay of the plain loop: one episode of each genome of the recording."""
    environment = make_ant(recording.task.env.steps)
    parts = [plain_parts(recording, row, ANT_INPUTS) for row in range(recording.batch_size)]

    def replay() -> None:
        for row, (sizes, tables, weights) in enumerate(parts):
            network = PlainNetwork(sizes, tables, [matrix.copy() for matrix in weights])
            rollout(environment, network, seed=row)

    return replay


def _population(recording: Recording) -> Callable[[], object]:
    """Return a replay of `VecGymNE`: the genomes of the recording, several times over."""
    sizes, _, weights = plain_parts(recording, 0, ANT_INPUTS)
    genomes = torch.stack(
        [policy_genome(recording, row % recording.batch_size, ANT_INPUTS) for row in range(SIDE_BY_SIDE)]
    )
    policy = PlasticPolicy(sizes, [torch.from_numpy(matrix) for matrix in weights])
    return Population(policy, genomes, recording.task.env.steps).evaluate


def policy_genome(recording: Recording, row: int, inputs: int) -> torch.Tensor:
    """Return the genome of a lifetime in the order of `PlasticPolicy`."""
    _, tables, _ = plain_parts(recording, row, inputs)
    return torch.cat([torch.from_numpy(np.moveaxis(table, -1, 0).ravel()) for table in tables])


def _checks(recording: Recording) -> dict[str, Any]:
    """Return relative differences: the largest absolute one over the largest absolute value of a layer."""
    steps = min(CHECKED_STEPS, recording.task.env.steps)
    weights = {"hebbevo": our_weights(recording, steps), LOOP: plain_weights(recording, steps)}
    if has_evotorch():
        weights[EVOTORCH] = policy_weights(recording, steps)
    exact = plain_weights(recording, steps, np.float64)
    differences = {f"weights_{name}": difference(layers, exact) for name, layers in weights.items()}
    differences["positions_gymnasium"] = _position_difference(recording)
    return {"steps": steps, **differences, "same": max(differences.values()) <= TOLERANCE}


def our_weights(recording: Recording, steps: int) -> list[FloatArray]:
    """Return the weights of the first lifetime's layers after so many recorded steps."""
    network, active = recording.network, np.arange(recording.batch_size)
    recording.reset()
    for observations in recording.recorded.observations[:steps]:
        network.forward(observations, active)
        network.learn(active)
    return [network.weights(layer)[0].copy() for layer in range(1, len(recording.task.sizes))]


def plain_weights(recording: Recording, steps: int, dtype: type[np.floating[Any]] = np.float32) -> list[Any]:
    """Return the weights of the plain loop's network after so many recorded steps."""
    sizes, tables, weights = plain_parts(recording, 0, recording.task.sizes[0])
    network = PlainNetwork(
        sizes, [table.astype(dtype) for table in tables], [matrix.astype(dtype) for matrix in weights]
    )
    for observations in recording.recorded.observations[:steps]:
        network.forward(observations[0].astype(dtype))
        network.learn()
    return network.weights


def policy_weights(recording: Recording, steps: int) -> list[Any]:
    """Return the weights of EvoTorch's policy after so many recorded steps."""
    sizes, _, weights = plain_parts(recording, 0, recording.task.sizes[0])
    genome = policy_genome(recording, 0, sizes[0])
    policy = PlasticPolicy(sizes, [torch.from_numpy(matrix) for matrix in weights])
    module, state = Population(policy, genome[None], 1).module(genome), None
    for observations in recording.recorded.observations[:steps]:
        _, state = module(torch.from_numpy(observations[0]), state)
    assert state is not None
    return [matrix.numpy() for matrix in state]


class _Positions(Hook):
    """Records the positions of the first lifetime's body, ``(nq,)``, before every step."""

    def __init__(self) -> None:
        self.positions: list[Any] = []

    @override
    def on_observation(self, batch: Batch) -> None:
        self.positions.append(batch.environment.position(0).copy())  # type: ignore[attr-defined]


def _position_difference(recording: Recording) -> float:
    """Return the largest difference between our positions and those of Gymnasium's simulation from our start."""
    ours = _Positions()
    recording.lifetime(ours)
    ant = make_ant(len(ours.positions)).unwrapped
    mujoco.mj_resetData(ant.model, ant.data)
    ant.data.qpos[:] = ours.positions[0]
    distance = 0.0
    for actions, position in zip(recording.recorded.actions[:-1], ours.positions[1:], strict=True):
        ant.do_simulation(actions[0].astype(np.float64), ant.frame_skip)
        distance = max(distance, float(np.abs(ant.data.qpos - position).max()))
    ant.close()
    return distance
