"""Evaluate a genome on fresh lifetimes of full length, beside its controls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from os import PathLike
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.checks import check_sample, checked_bodies
from hebbevo.evaluation.controls import GENOME, applicable_controls
from hebbevo.evaluation.episodes import Subject, evaluate_conditions
from hebbevo.evaluation.measures import metric_mean
from hebbevo.evaluation.statistics import paired_difference, summarise
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.genomes.genome import Genome, as_genome
from hebbevo.rollouts.result import RolloutResult
from hebbevo.seeding import SeedPurpose


@dataclass(frozen=True)
class Evaluation:
    """Results of every lifetime.

    Attributes:
        genome: that was evaluated.
        lifetimes: per morphology and condition (``genome`` or a control), arrays over episodes.
        unit: of the fitness.
    """

    genome: Genome
    lifetimes: dict[str, dict[str, RolloutResult]]
    unit: str

    def __repr__(self) -> str:
        morphologies = self.summary()["morphologies"].items()
        means = ", ".join(f"{name} {_short(part['mean'])} {self.unit}" for name, part in morphologies)
        return f"Evaluation({self.genome.name!r}: {means})"

    def progress(self, morphology: str, condition: str = GENOME) -> npt.NDArray[np.float64]:
        """Return the fitness of every lifetime, NaN where it diverged, ``(episodes,)``."""
        return self.lifetimes[morphology][condition].known_fitness

    def summary(self, lifetimes: bool = False) -> dict[str, Any]:
        """Return the statistics; `evaluate --json` writes them with `values` and `steps` of all lifetimes.

        A control's `difference` is the fitness of the genome less that of the control, lifetime by lifetime: they
        share their seeds.
        """
        morphologies = {}
        for morphology, conditions in self.lifetimes.items():
            parts = {name: self._statistics(result) for name, result in conditions.items()}
            if lifetimes:
                for name, result in conditions.items():
                    parts[name] |= {"values": _listed(result), "steps": result.steps.tolist()}
            evolved = conditions[GENOME].known_fitness
            for name in parts.keys() - {GENOME}:
                parts[name]["difference"] = paired_difference(evolved, conditions[name].known_fitness)
            morphologies[morphology] = {**parts.pop(GENOME), "controls": parts}
        return {"genome": self.genome.name, "unit": self.unit, "morphologies": morphologies}

    def _statistics(self, lifetimes: RolloutResult) -> dict[str, Any]:
        statistics = summarise(lifetimes.fitness, lifetimes.diverged)
        if statistics["mean"] is not None:
            for name, metric in self.genome.task.env.metrics.items():
                statistics[name] = metric_mean(name, metric, statistics["mean"], [lifetimes])
        return statistics


def _listed(lifetimes: RolloutResult) -> list[float | None]:
    """Return the fitness of every lifetime, None where it diverged."""
    pairs = zip(lifetimes.fitness, lifetimes.diverged, strict=True)
    return [None if diverged else float(value) for value, diverged in pairs]


def _short(mean: float | None) -> str:
    return "none" if mean is None else f"{mean:.3g}"


def evaluate(
    genome: Genome | str | PathLike[str],
    *,
    episodes: int = 64,
    seed: int = 1,
    morphologies: Sequence[str] | None = None,
    controls: bool = True,
    official: bool = False,
    execution: Execution | None = None,
) -> Evaluation:
    """Evaluate a genome on fresh lifetimes, beside its controls.

    Args:
        genome: from `load_genome`, or what that takes: a run, a file, ``zoo:NAME``.
        episodes: lifetimes per morphology and condition, full length, no early stop.
        seed: the lifetimes' seeds follow from it.
        morphologies: by default the task's own.
        controls: also the controls that apply.
        official: on the environment that ours stands for: CarRacing as Gymnasium draws it.
        execution: what the lifetimes are spread over; by default this process.

    Raises:
        InputError: not one episode, a negative seed, or an unknown morphology.
        EnvError: no official environment beside ours.
    """
    check_sample(episodes, seed)
    genome = as_genome(genome)
    if official:
        genome = replace(genome, task=replace(genome.task, env=genome.task.env.reference_environment()))
    bodies = checked_bodies(genome.task, morphologies)
    conditions = (GENOME, *(applicable_controls(genome.task, genome.values) if controls else ()))
    subject = Subject(genome.values, (seed, SeedPurpose.EVALUATION))
    resolved = (execution or Execution(workers=0)).resolve(genome.task)
    with executor_for(resolved) as executor:
        lifetimes = evaluate_conditions(executor, subject, bodies, conditions, episodes, resolved.batch_size)
    return Evaluation(genome, lifetimes, genome.task.env.unit)
