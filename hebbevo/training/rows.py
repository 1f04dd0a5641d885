"""The columns of a generation in progress.csv: of its population and of its center."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


def center_columns(
    morphologies: Sequence[str], lifetimes: Sequence[RolloutResult] | None, measured: Iterable[str] = ()
) -> Row:
    """Return the columns of the center: its mean on each morphology, without diverged lifetimes, which are counted.

    Args:
        morphologies: bodies, in order.
        lifetimes: of the center on each of them; None where it was not evaluated, which leaves all fields empty.
        measured: names of what the environment measures besides, of which there is the mean over bodies.
    """
    names, further = [f"center.{name}" for name in morphologies], [f"center_{name}" for name in measured]
    if lifetimes is None:
        return dict.fromkeys(["center_mean", *names, *further, CENTER_DIVERGED])
    means = [_mean(part.fitness[~part.diverged]) for part in lifetimes]
    return {
        "center_mean": _mean_of_all(means),
        **dict(zip(names, means, strict=True)),
        **{
            f"center_{name}": _mean_of_all([_mean(part.measures[name][~part.diverged]) for part in lifetimes])
            for name in measured
        },
        CENTER_DIVERGED: sum(int(part.diverged.sum()) for part in lifetimes),
    }


def center_measures(columns: Row) -> dict[str, float]:
    """Return what was measured of the center besides its fitness, by name, of `center_columns`."""
    others = ("center_mean", CENTER_DIVERGED)
    return {
        name.removeprefix("center_"): value
        for name, value in columns.items()
        if name.startswith("center_") and name not in others and value is not None
    }


def center_score(columns: Row) -> Score | None:
    """Return what centers are compared by, of `center_columns`: the fewest diverged lifetimes, then the highest mean.

    None where the center was not evaluated, or no lifetime is left on some body.
    """
    mean, diverged = columns["center_mean"], columns[CENTER_DIVERGED]
    return None if mean is None or diverged is None else (-int(diverged), mean)


def _mean_of_all(means: Sequence[float | None]) -> float | None:
    """Return the mean over bodies; None where one has none."""
    known = [mean for mean in means if mean is not None]
    return float(np.mean(known)) if len(known) == len(means) else None


def _mean(values: npt.NDArray[np.float64]) -> float | None:
    return float(values.mean()) if len(values) else None


def _number(value: Any) -> float | None:
    return None if value is np.ma.masked else float(value)
