"""One agent-step of CarRacing on one core, beside the original style; and the environment's step alone.

*The lifetime*: one of quick-carracing's task, resets included, and the same genome in the plain loop of
`hebbevo.benchmarks.car_racing_loop` on Gymnasium's environment. That is slow, so a few steps, after the first second
in which the camera zooms in, stand for a lifetime, over which the reset is spread. Beforehand both get the same frames
and must reach the same weights.

*The environment*: Gymnasium's CarRacing, `FastCarRacing`, and Gymnasium's with no drawing at all take turns, a new
track in each round, with a scripted driver, whose time is not counted; nor is the first second. Medians over all
steps; resets are reported separately, also those that keep the track. drawing = fast - physics.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any

import numpy as np
import torch
from gymnasium.envs.box2d.car_racing import CarRacing

from hebbevo.benchmarks.car_racing_loop import PlainPolicy, rollout
from hebbevo.benchmarks.gymnasium_loop import PlainNetwork
from hebbevo.benchmarks.plain_parts import difference, plain_parts
from hebbevo.benchmarks.replays import Recording
from hebbevo.benchmarks.timing import CPU, Effort, median, one_core, timed
from hebbevo.config.loading import load_config
from hebbevo.envs.car_racing.driver import drive
from hebbevo.envs.car_racing.environment import FastCarRacing
from hebbevo.tasks.task import Task

STEPS = 1000
CHECKED_STEPS, TOLERANCE = 10, 1e-4
ZOOM_STEPS = 50
FAST_STEPS, OFFICIAL_STEPS = 600, 60
"""Steps of a round; those of Gymnasium's environment take forty times as long."""


class PhysicsOnly(CarRacing):
    """Gymnasium's CarRacing without a picture."""

    def _render(self, mode: str) -> None:
        """Draw nothing."""


def measure(effort: Effort) -> dict[str, Any]:
    """Return microseconds a step and milliseconds a reset, in CPU time."""
    with one_core(), torch.no_grad():
        lifetime, environments = lifetime_steps(effort), environment_steps(effort)
    return {
        "steps_per_s": round(1e6 / lifetime["us_per_step"], 1),
        "ratio_to_original_style": round(lifetime["original_us"] / lifetime["us_per_step"], 2),
        **lifetime,
        **environments,
    }


def ratios(result: dict[str, Any]) -> dict[str, float]:
    """Return how many times longer the original style takes, and Gymnasium's environment alone."""
    return {
        "car_racing_original_style": result["ratio_to_original_style"],
        "car_racing_environment": round(result["official_us"] / result["fast_us"], 4),
    }


def lifetime_steps(effort: Effort) -> dict[str, Any]:
    """Return microseconds per agent-step: ours, its environment and its network, and the original style."""
    steps = effort.steps or STEPS
    recording = Recording(Task.of(load_config("quick-carracing", [f"env.steps={steps}"])), 1)
    reference, rounds = CarRacing(), []
    for _ in range(effort.repeats):
        replays = (recording.lifetime, recording.environment_alone, recording.network_alone)
        ours = [timed(replay)[CPU] / steps for replay in replays]
        rounds.append([*ours, original_step(reference, plain_policy(recording), min(steps, OFFICIAL_STEPS))])
    names = ("us_per_step", "environment_us", "network_us", "original_us")
    times = dict(zip(names, np.array(rounds).T * 1e6, strict=True))
    return {**{name: median(values) for name, values in times.items()}, "checks": checks(recording)}


def original_step(environment: CarRacing, policy: PlainPolicy, steps: int) -> float:
    """Return the seconds of a step of the original style, with its share of the reset of a full lifetime."""
    frame: Any = None

    def reset() -> None:
        nonlocal frame
        frame, _ = environment.reset(seed=0)

    share = timed(reset)[CPU] / STEPS
    frame, _ = rollout(environment, policy, frame, ZOOM_STEPS)
    begin = time.thread_time()
    _, taken = rollout(environment, policy, frame, steps)
    return share + (time.thread_time() - begin) / taken


def plain_policy(recording: Recording) -> PlainPolicy:
    """Return the recording's genome as a plain policy with its initial weights."""
    sizes, tables, weights = plain_parts(recording, 0, recording.task.sizes[0])
    arrays = recording.task.layout.split(recording.genomes[0])
    convolutions = [arrays[name] for name in ("conv1.weight", "conv2.weight")]
    return PlainPolicy(convolutions, PlainNetwork(sizes, tables, weights, raw_output=True, normalise=True))


def checks(recording: Recording) -> dict[str, Any]:
    """Return the relative difference of the weights that both networks reach on the same frames."""
    frames = recording.recorded.observations[:CHECKED_STEPS]
    policy, network, active = plain_policy(recording), recording.network, np.arange(1)
    recording.reset()
    for planes in frames:
        policy.network.forward(policy.features(torch.from_numpy(planes[0].reshape(3, 96, 96))))
        policy.network.learn()
        network.forward(planes, active)
        network.learn(active)
    ours = [network.weights(layer)[0] for layer in range(1, len(recording.task.sizes))]
    relative = difference(ours, policy.network.weights)
    return {"steps": len(frames), "weights": relative, "same": relative <= TOLERANCE}


def environment_steps(effort: Effort) -> dict[str, float]:
    """Run the environments in turns and return the medians of their steps and resets."""
    fast, shared = FastCarRacing(), FastCarRacing(track_seed=0)
    count = effort.steps or FAST_STEPS
    environments: dict[str, tuple[CarRacing, int]] = {
        "official": (CarRacing(), min(count, OFFICIAL_STEPS)),
        "fast": (fast, count),
        "physics": (PhysicsOnly(), count),
        "shared": (shared, 1),
    }
    steps: dict[str, list[float]] = {name: [] for name in environments}
    resets: dict[str, list[float]] = {name: [] for name in environments}
    for drawn in (fast, shared):
        drawn.reset(seed=0)  # compiles the kernels
    for seed in range(effort.repeats):
        for name, (env, number) in environments.items():
            reset, seconds = timed_episode(env, seed, number)
            resets[name].append(reset)
            steps[name] += seconds
    us = {name: float(np.median(seconds)) * 1e6 for name, seconds in steps.items()}
    result = {
        "official_us": us["official"],
        "fast_us": us["fast"],
        "physics_us": us["physics"],
        "drawing_us": us["fast"] - us["physics"],
        **{
            f"{name}_reset_ms": float(np.median(resets[name])) * 1e3
            for name in ("official", "fast", "shared")
        },
    }
    return {name: round(value, 4) for name, value in result.items()}


def timed_episode(env: CarRacing, seed: int, steps: int) -> tuple[float, list[float]]:
    """Return the seconds of the reset and of each of `steps` steps after the zoom, in CPU time."""
    reset, seconds = timed(partial(env.reset, seed=seed))[CPU], []
    for step in range(ZOOM_STEPS + steps):
        action = drive(env)
        begin = time.thread_time()
        terminated = env.step(action)[2]
        if step >= ZOOM_STEPS:
            seconds.append(time.thread_time() - begin)
        if terminated:
            break
    return reset, seconds
