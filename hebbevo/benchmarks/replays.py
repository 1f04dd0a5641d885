"""A recorded batch of lifetimes of a quadruped, and the replays of its parts.

| replay | what runs |
|---|---|
| lifetime | `hebbevo.tasks.worker.CpuWorker.rollout`, as evolution calls it, without early stop |
| physics | a bare `mujoco.batch` of the same (trimmed) models: burn-in and the recorded controls, nothing bound |
| environment | reset and steps of the environment with the recorded actions |
| network | reset, forward passes and updates of the networks with the recorded observations |

observation = environment - physics; rest = lifetime - environment - network: the loop, and the cache misses that the
parts, run in turns, cause each other. No clock is read inside a replay, so nothing is distorted. The floor is the
physics, the fraction of the floor the median of physics / lifetime over the repeats.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from hebbevo.benchmarks.timing import CLOCK, CPU, alternate, median
from hebbevo.envs import BatchedEnvironment, environment_stream
from hebbevo.envs.physics import mujoco
from hebbevo.envs.robots.config import WalkerConfig
from hebbevo.errors import InputError
from hebbevo.networks.network import Network
from hebbevo.perturbations.hooks import Batch, Hook
from hebbevo.rollouts.result import RolloutResult
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

FloatArray = npt.NDArray[np.float32]

PARTS = ("us_per_step", "physics_us", "network_us", "observation_us", "rest_us", "fraction_of_floor")


class Recorder(Hook):
    """Records observations and actions of every step, and the environment and network of the batch."""

    environment: BatchedEnvironment
    network: Network

    def __init__(self) -> None:
        self.observations: list[FloatArray] = []
        self.actions: list[FloatArray] = []

    @override
    def on_action(self, batch: Batch) -> None:
        self.environment, self.network = batch.environment, batch.network
        self.observations.append(batch.environment.observations.copy())
        self.actions.append(batch.actions.copy())


class Recording:
    """Lifetimes of random genomes, each genome once on each body, and their replays.

    Attributes:
        genomes, genome_of, seeds, morphologies: as `Worker.rollout` takes them.
        recorded: observations and actions of every step.
        result: of the lifetimes.
        network, environment: those of the worker.
    """

    def __init__(self, task: Task, batch_size: int) -> None:
        bodies = task.env.morphology_names
        self.task, self.batch_size = task, batch_size
        self.genome_of = [row // len(bodies) for row in range(batch_size)]
        self.morphologies = [bodies[row % len(bodies)] for row in range(batch_size)]
        self.seeds = list(range(batch_size))
        generator = np.random.default_rng(0)
        self.genomes = np.stack([task.first_genome(generator) for _ in range(self.genome_of[-1] + 1)])
        self.worker = CpuWorker(task, batch_size)
        self.recorded = Recorder()
        self.result = self.lifetime(self.recorded)
        self.network, self.environment = self.recorded.network, self.recorded.environment
        if self.result.diverged.any() or (self.result.steps != task.env.steps).any():
            raise InputError(
                f"a lifetime of rule {task.plasticity.rule!r} ended early, so that it cannot be replayed; "
                "use another rule"
            )

    def lifetime(self, *hooks: Hook) -> RolloutResult:
        """Run the lifetimes."""
        return self.worker.rollout(
            self.genomes, self.genome_of, self.seeds, self.morphologies, early_stop=False, hooks=hooks
        )

    def environment_alone(self) -> None:
        """Step the environment with the recorded actions."""
        active = np.arange(self.batch_size)
        self.environment.reset(self.seeds, self.morphologies)
        for actions in self.recorded.actions:
            self.environment.step(actions, active)

    def reset(self) -> None:
        """Give the networks their genomes and initial weights."""
        self.network.reset(self.genomes, self.genome_of, self.seeds)

    def network_steps(self) -> None:
        """Run the networks on the recorded observations, from their current weights."""
        active = np.arange(self.batch_size)
        for observations in self.recorded.observations:
            self.network.forward(observations, active)
            self.network.learn(active)

    def network_alone(self) -> None:
        """Reset the networks and run them on the recorded observations."""
        self.reset()
        self.network_steps()


class PhysicsBaseline:
    """The physics of a recording alone."""

    def __init__(self, recording: Recording) -> None:
        env = recording.task.env
        assert isinstance(env, WalkerConfig)
        models = [env.compile(name) for name in recording.morphologies]
        self._env, self._batch = env, mujoco.batch.Batch(models[0], nsim=recording.batch_size, nthread=1)
        self._batch.set_models(models)
        self._poses = np.stack([model.numeric("init_qpos").data for model in models])
        joints, limit = len(env.anatomy.sensed_joints), env.reset_noise
        for pose, seed in zip(self._poses, recording.seeds, strict=True):
            pose[7:] += environment_stream(seed).uniform(-limit, limit, joints)
        self._controls = [actions.astype(np.float64) for actions in recording.recorded.actions]
        start = self.replay()
        progress = self._batch.bind("qpos")[:, 0] - start
        fitness = recording.result.fitness
        assert np.allclose(progress, fitness, rtol=0, atol=1e-9), (progress, fitness)

    def replay(self) -> npt.NDArray[np.float64]:
        """Step the bodies; return their positions along x after the burn-in, ``(batch_size,)``, m."""
        batch, substeps = self._batch, self._env.substeps
        batch.reset(stage=mujoco.mjtStage.mjSTAGE_NONE)
        batch.bind("qpos")[:] = self._poses
        controls = batch.bind("ctrl")
        if self._env.burn_in:
            batch.step(nstep=self._env.burn_in * substeps)
        start: npt.NDArray[np.float64] = batch.bind("qpos")[:, 0].copy()
        for control in self._controls:
            controls[:] = control
            batch.step(nstep=substeps)
        return start


def measure_parts(recording: Recording, repeats: int) -> dict[str, Any]:
    """Return microseconds per agent-step by part, in CPU time and, under `clock`, on the clock."""
    physics = PhysicsBaseline(recording)
    times = alternate(
        (recording.lifetime, physics.replay, recording.environment_alone, recording.network_alone), repeats
    )
    times *= 1e6 / (recording.batch_size * recording.task.env.steps)
    clock = parts(times[:, :, CLOCK])
    return {
        "block": recording.batch_size,
        **parts(times[:, :, CPU]),
        "agent_steps_per_s": round(1e6 / clock["us_per_step"]),
        "clock": clock,
    }


def parts(times: npt.NDArray[np.float64]) -> dict[str, float]:
    """Return medians over repeats.

    Args:
        times: ``(repeats, 4)``: of lifetime, physics, environment, network.
    """
    lifetime, physics, environment, network = times.T
    values = (
        lifetime,
        physics,
        network,
        environment - physics,
        lifetime - environment - network,
        physics / lifetime,
    )
    return {name: median(value) for name, value in zip(PARTS, values, strict=True)}


def fastest(results: list[dict[str, Any]]) -> Mapping[str, Any]:
    """Return the result of the batch size that takes the least CPU time."""
    return min(results, key=lambda result: float(result["us_per_step"]))
