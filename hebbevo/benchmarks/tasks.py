"""Whole lifetimes of a learning task with a plastic network of 500 synapses, beside scripts that do the same.

The task is `association`, the network 8-50-2 under a reward-modulated rule, its answers sampled; each lifetime has a
genome of its own. The scripts are those of `hebbevo.benchmarks.tasks_peers`: world and network as tensors over the
batch, and the world as a Gymnasium vector environment with the same network. Beforehand their network gets what ours
saw, did and earned, and must reach our weights.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from hebbevo.benchmarks.plain_parts import difference
from hebbevo.benchmarks.replays import FloatArray, Recording
from hebbevo.benchmarks.tasks_peers import TorchNetwork, gymnasium_lifetimes, torch_lifetimes
from hebbevo.benchmarks.timing import CPU, Effort, alternate, median, one_core
from hebbevo.config.loading import load_config
from hebbevo.tasks.task import Task

BATCH_SIZES = (64, 256, 1024)
BESIDE = 256
"""Lifetimes side by side of all that is compared."""
TOLERANCE = 1e-4
TORCH, GYMNASIUM = "torch_over_the_batch", "gymnasium_vector"


def association_task(steps: int | None = None) -> Task:
    """Return association with 500 plastic synapses."""
    overrides: dict[str, Any] = {"network.hidden": [50]} | ({} if steps is None else {"env.steps": steps})
    return Task.of(load_config("quick-association", overrides))


def measure(effort: Effort) -> dict[str, Any]:
    """Return microseconds per agent-step of lifetimes and of their world alone, and of the peers beside them."""
    task = association_task(effort.steps)
    with one_core():
        recordings = {size: Recording(task, size) for size in BATCH_SIZES}
        beside = recordings[BESIDE]
        checks = check(beside)
        network = TorchNetwork(beside)
        replays: list[Callable[[], object]] = [
            lambda: torch_lifetimes(network, task.env.steps),
            lambda: gymnasium_lifetimes(network, task.env.steps),
        ]
        for recording in recordings.values():
            replays += [recording.lifetime, recording.environment_alone]
        times = alternate(replays, effort.repeats)
    lifetimes = np.array([BESIDE, BESIDE, *np.repeat(BATCH_SIZES, 2)])
    times *= 1e6 / (task.env.steps * lifetimes[:, None])
    entries = {size: _entry(size, times[:, 2 + 2 * i : 4 + 2 * i]) for i, size in enumerate(BATCH_SIZES)}
    ours = times[:, 2 + 2 * BATCH_SIZES.index(BESIDE), CPU]
    return {
        **min(entries.values(), key=lambda entry: float(entry["us_per_step"])),
        "synapses": sum(plan.n_out * plan.n_in for plan in task.kernel_spec.plans),
        "blocks": list(entries.values()),
        "beside": BESIDE,
        **{
            name: {
                "us_per_step": median(times[:, column, CPU]),
                "ratio": median(times[:, column, CPU] / ours),
            }
            for column, name in enumerate((TORCH, GYMNASIUM))
        },
        "steps": task.env.steps,
        "checks": checks,
    }


def _entry(batch_size: int, times: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    """Return the numbers of a batch size from its times ``(repeats, lifetime or world, ...)``."""
    return {
        "block": batch_size,
        "us_per_step": median(times[:, 0, CPU]),
        "world_us": median(times[:, 1, CPU]),
        "world_share": median(times[:, 1, CPU] / times[:, 0, CPU]),
        "agent_steps_per_cpu_s": round(1e6 / float(np.median(times[:, 0, CPU]))),
    }


def ratios(result: dict[str, Any]) -> dict[str, float]:
    """Return how many times longer each peer takes."""
    return {f"association_{name}": result[name]["ratio"] for name in (TORCH, GYMNASIUM)}


def check(recording: Recording) -> dict[str, Any]:
    """Return how far the peers' network comes from our weights, given our observations, actions and rewards."""
    peer, recorded = TorchNetwork(recording), recording.recorded
    peer.reset()
    rewards = _rewards(recording)
    # no update follows a lifetime's last step
    for observed, actions, reward in zip(recorded.observations[:-1], recorded.actions, rewards, strict=False):
        peer.forward(observed)
        peer.learn(actions, reward)
    recording.lifetime()
    ours = [recording.network.weights(layer).copy() for layer in (1, 2)]
    found = difference([weights.numpy() for weights in peer.weights], ours)
    return {"weights": found, "same": found < TOLERANCE, "steps": len(rewards)}


def _rewards(recording: Recording) -> list[FloatArray]:
    """Return the rewards of every step of the recorded actions, ``(batch_size,)``."""
    environment, active, rewards = recording.environment, np.arange(recording.batch_size), []
    environment.reset(recording.seeds, recording.morphologies)
    for actions in recording.recorded.actions:
        environment.step(actions, active)
        rewards.append(environment.rewards.astype(np.float32))
    return rewards
