"""The evaluation of a finished run, evaluation.json in its directory: every lifetime, and of what it was one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.evaluation import evaluate
from hebbevo.execution.execution import Execution
from hebbevo.experiments.evaluation import Evaluation, read_evaluation
from hebbevo.genomes.genome import Genome
from hebbevo.io.atomic import write_atomically
from hebbevo.rollouts.result import RolloutResult


@dataclass(frozen=True)
class RunEvaluation:
    """The lifetimes of a run's last center.

    Attributes:
        settings: episodes, seed, bodies and length of the lifetimes.
        perturbed: whether they met the perturbations that the genome evolved with.
        generation: of the center.
        fitness: of every lifetime by body, float64 ``(episodes,)``; NaN where it diverged.
    """

    settings: Evaluation
    perturbed: bool
    generation: int
    fitness: Mapping[str, npt.NDArray[np.float64]]


def evaluation_path(run: Path) -> Path:
    """Return the file of a run."""
    return run / "evaluation.json"


def write_evaluation(
    run: Path, genome: Genome, settings: Evaluation, perturbed: bool, execution: Execution
) -> None:
    """Evaluate the center of a finished run, and write every lifetime; equal runs give equal bytes."""
    evaluated = evaluate(
        genome.lasting(settings.steps),
        episodes=settings.episodes,
        seed=settings.seed,
        morphologies=settings.morphologies,
        controls=False,
        execution=execution,
    )
    data = {
        "settings": settings.model_dump(mode="json"),
        "perturbed": perturbed,
        "generation": genome.provenance["generation"],
        "lifetimes": {body: _columns(parts[GENOME]) for body, parts in evaluated.lifetimes.items()},
    }
    write_atomically(evaluation_path(run), (json.dumps(data) + "\n").encode())


def read_evaluation_file(run: Path) -> RunEvaluation | None:
    """Return the evaluation of a run; None where there is none that can be read, and it must be made again."""
    try:
        data = json.loads(evaluation_path(run).read_text(encoding="utf-8"))
        fitness = {str(body): _fitness(columns) for body, columns in data["lifetimes"].items()}
        return RunEvaluation(
            read_evaluation(data["settings"]), bool(data["perturbed"]), int(data["generation"]), fitness
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _columns(lifetimes: RolloutResult) -> dict[str, list[Any]]:
    return {
        "fitness": [
            None if diverged else value
            for value, diverged in zip(lifetimes.fitness.tolist(), lifetimes.diverged, strict=True)
        ],
        "steps": lifetimes.steps.tolist(),
        "diverged": lifetimes.diverged.tolist(),
    }


def _fitness(columns: Mapping[str, Any]) -> npt.NDArray[np.float64]:
    fitness = np.array(columns["fitness"], np.float64)
    return np.where(np.array(columns["diverged"], np.bool_), np.nan, fitness)
