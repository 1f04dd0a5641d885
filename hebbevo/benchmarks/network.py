"""The network step alone, forward pass and update: rules of the catalogue, sharings and batch sizes in turns.

All get the observations of quadrupeds of the default rule, so that rules whose weights explode can be timed as well.
The reset (coefficients multiplied out, initial weights drawn) happens once per lifetime and is reported separately.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.benchmarks.replays import FloatArray, Recorder
from hebbevo.benchmarks.timing import CPU, Effort, alternate, median, one_core, timed
from hebbevo.config.loading import load_config
from hebbevo.networks.encodings import SHARINGS
from hebbevo.networks.network import Network
from hebbevo.rules import RULES
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import CpuWorker

DEFAULT_RULE, DEFAULT_SHARING = "ABCD_lr", "synapse"
PER_GENOME = (1, 2)
"""Lifetimes of one genome: one, or one on each of two bodies as in the presets of quadrupeds."""
_STEPS = 200

Variant = tuple[str, str, int]
"""Rule, sharing, lifetimes of a genome."""


def measure(effort: Effort) -> dict[str, Any]:
    """Return microseconds per agent-step of every rule, and of the default rule with every sharing."""
    with one_core():
        observations = _observations(max(effort.batch_sizes), effort.steps or _STEPS)
        rules = _compare({rule: (rule, DEFAULT_SHARING, 1) for rule in _plain_rules()}, observations, effort)
        sharings = _compare({name: (DEFAULT_RULE, name, 1) for name in SHARINGS}, observations, effort)
        bodies = _compare(
            {str(count): (DEFAULT_RULE, DEFAULT_SHARING, count) for count in PER_GENOME}, observations, effort
        )
    us_per_step = rules[DEFAULT_RULE]["us_per_step"]
    return {"us_per_step": us_per_step, "rules": rules, "sharing": sharings, "bodies": bodies}


def _plain_rules() -> list[str]:
    """Return the rules that keep nothing but weights and read nothing but activations: those that compare."""
    return [name for name, rule in RULES.items() if rule.states == ("w",) and rule.signals <= {"pre", "post"}]


def ratios(result: dict[str, Any]) -> dict[str, float]:
    """Return how many times faster shared coefficients are than one set per synapse."""
    times = {sharing: entry["us_per_step"] for sharing, entry in result["sharing"].items()}
    unshared = times.pop(DEFAULT_SHARING)
    return {f"sharing_{sharing}": round(unshared / time, 4) for sharing, time in times.items()}


def _compare(
    variants: dict[str, Variant], observations: list[FloatArray], effort: Effort
) -> dict[str, dict[str, Any]]:
    """Return the times of variants at their best batch size."""
    networks = {
        (name, batch_size): _Networks(*variant, batch_size, observations)
        for name, variant in variants.items()
        for batch_size in effort.batch_sizes
    }
    seconds = alternate([network.steps for network in networks.values()], effort.repeats)[:, :, CPU]
    agent_steps = np.array([network.batch_size * len(observations) for network in networks.values()])
    times = dict(zip(networks, (seconds * 1e6 / agent_steps).T, strict=True))
    return {name: _entry(name, networks, times) for name in variants}


def _entry(
    name: str,
    networks: dict[tuple[str, int], _Networks],
    times: dict[tuple[str, int], npt.NDArray[np.float64]],
) -> dict[str, Any]:
    batch_sizes = {
        batch_size: median(values) for (other, batch_size), values in times.items() if other == name
    }
    best = min(batch_sizes, key=lambda batch_size: batch_sizes[batch_size])
    network = networks[name, best]
    return {
        "us_per_step": batch_sizes[best],
        "block": best,
        "birth_us": round(min(timed(network.reset)[CPU] for _ in range(3)) * 1e6 / best, 1),
        "evolved": network.task.layout.size,
        "blocks": {str(batch_size): value for batch_size, value in batch_sizes.items()},
    }


class _Networks:
    """A batch of networks of one rule and sharing, and the observations that they get."""

    def __init__(
        self, rule: str, sharing: str, per_genome: int, batch_size: int, observations: list[FloatArray]
    ) -> None:
        self.task = _task(rule, sharing, 1)
        self.batch_size = batch_size
        self._observations = [rows[:batch_size].copy() for rows in observations]
        generator = np.random.default_rng(0)
        self._genome_of = [row // per_genome for row in range(batch_size)]
        self._genomes = np.stack([self.task.first_genome(generator) for _ in set(self._genome_of)])
        self._network = self._build()
        self.reset()

    def _build(self) -> Network:
        """Return the network of a worker."""
        recorder, rows = Recorder(), range(self.batch_size)
        CpuWorker(self.task, self.batch_size).rollout(
            self._genomes,
            self._genome_of,
            rows,
            ["intact"] * self.batch_size,
            early_stop=False,
            hooks=[recorder],
        )
        return recorder.network

    def reset(self) -> None:
        """Give the networks their genomes and initial weights."""
        self._network.reset(self._genomes, self._genome_of, range(self.batch_size))

    def steps(self) -> None:
        """Run forward passes and updates."""
        network, active = self._network, np.arange(self.batch_size)
        for rows in self._observations:
            network.forward(rows, active)
            network.learn(active)


def _task(rule: str, sharing: str, steps: int) -> Task:
    preset = "quick-quadruped-static" if rule == "none" else "quick-quadruped"
    settings = {
        "plasticity.rule": rule,
        "plasticity.sharing": sharing,
        "env.steps": steps,
        "env.burn_in": 0,
        "env.morphologies": "[intact]",
    }
    return Task.of(load_config(preset, [f"{key}={value}" for key, value in settings.items()]))


def _observations(batch_size: int, steps: int) -> list[FloatArray]:
    """Return the observations of quadrupeds of the default rule, ``(batch_size, 28)`` per step."""
    task, recorder, rows = _task(DEFAULT_RULE, DEFAULT_SHARING, steps), Recorder(), range(batch_size)
    generator = np.random.default_rng(0)
    genomes = np.stack([task.first_genome(generator) for _ in rows])
    CpuWorker(task, batch_size).rollout(
        genomes, rows, rows, ["intact"] * batch_size, early_stop=False, hooks=[recorder]
    )
    return recorder.observations
