"""The columns of a generation in progress.csv: of its population and of its center."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from hebbevo.evaluation.fitness import Fitness
from hebbevo.rollouts.result import RolloutResult
from hebbevo.training.records import Row

CENTER_DIVERGED: Final = "center_diverged"
Score = tuple[int, float]


def population_columns(fitness: Fitness, morphologies: Sequence[str]) -> Row:
    """Return the columns of the population; diverged lifetimes are counted and left out of the means."""
    means = np.ma.masked_array(fitness.mean, fitness.diverged.any(axis=(1, 2)))
    lifetimes = np.ma.masked_array(fitness.per_lifetime, fitness.diverged)
    per_morphology = lifetimes.reshape(-1, len(morphologies)).mean(axis=0)
    return {
        "population_mean": _number(means.mean()),
        "population_best": _number(means.max()),
        "population_sd": _number(means.std()),
        **{
            f"population.{name}": _number(mean)
            for name, mean in zip(morphologies, per_morphology, strict=True)
        },
        "genome_rms": float(np.sqrt(fitness.mean_square.mean())),
        "agent_steps": fitness.steps,
        "diverged": int(fitness.diverged.sum()),
    }


def center_columns(morphologies: Sequence[str], lifetimes: Sequence[RolloutResult] | None) -> Row:
    """Return the columns of the center: its mean on each morphology, without diverged lifetimes, which are counted.

    Args:
        morphologies: bodies, in order.
        lifetimes: of the center on each of them; None where it was not evaluated, which leaves all fields empty.
    """
    names = [f"center.{name}" for name in morphologies]
    if lifetimes is None:
        return dict.fromkeys(["center_mean", *names, CENTER_DIVERGED])
    means = [_mean(part.fitness[~part.diverged]) for part in lifetimes]
    known = [mean for mean in means if mean is not None]
    complete = len(known) == len(means)
    return {
        "center_mean": float(np.mean(known)) if complete else None,
        **dict(zip(names, means, strict=True)),
        CENTER_DIVERGED: sum(int(part.diverged.sum()) for part in lifetimes),
    }


def center_score(columns: Row) -> Score | None:
    """Return what centers are compared by, of `center_columns`: the fewest diverged lifetimes, then the highest mean.

    None where the center was not evaluated, or no lifetime is left on some body.
    """
    mean, diverged = columns["center_mean"], columns[CENTER_DIVERGED]
    return None if mean is None or diverged is None else (-int(diverged), mean)


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None


def _number(value: Any) -> float | None:
    return None if value is np.ma.masked else float(value)
