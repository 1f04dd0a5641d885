"""Diverged lifetimes rank below all others whatever the scale, and no number stands for them in a mean."""

import numpy as np
import pytest

from hebbevo.evaluation.divergence import ranked_last
from hebbevo.evaluation.fitness import Fitness
from hebbevo.training.rows import population_columns

BODIES = ["intact", "damaged"]


def fitness_of(*individuals: tuple[float | None, ...]) -> Fitness:
    """Return the fitness of individuals with one lifetime on each body; None diverged."""
    lifetimes = np.array([[[-1e9 if value is None else value for value in one]] for one in individuals])
    diverged = np.array([[[value is None for value in one]] for one in individuals])
    return Fitness(lifetimes, np.arange(1.0, 1.0 + len(individuals)), diverged, 7)


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9, 1e12, 1e290])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_divergence_ranks_below_every_return(scale: float, sign: float) -> None:
    good, bad = sorted([2 * sign * scale, 3 * sign * scale], reverse=True)
    fitness = fitness_of((None, None), (good, None), (bad, bad), (None, bad), (good, good), (None, None))
    seen = fitness.penalised(0.0)
    assert np.isfinite(seen).all()
    assert np.argsort(-seen, kind="stable").tolist() == [4, 2, 1, 3, 0, 5]
    assert seen[0] == seen[5]
    assert seen[[4, 2]].tolist() == [good, bad]


def test_what_lived_keeps_its_value_and_its_penalty() -> None:
    fitness = fitness_of((1.0, 2.0), (5.0, 7.0), (None, 9.0))
    np.testing.assert_array_equal(fitness.penalised(0.5)[:2], [1.5 - 0.5 * 1, 6.0 - 0.5 * 2])
    assert fitness.mean.tolist() == [1.5, 6.0, 9.0]
    assert np.isnan(fitness_of((None, None)).mean).all()
    assert np.ptp(fitness_of((None, None), (None, None)).penalised(0.1)) == 0.0


def test_an_individual_of_an_earlier_generation_stays_above_those_that_diverge_in_a_better_one() -> None:
    survivor = fitness_of((-5e6, -5e6), (None, None)).penalised(0.0)[0]
    assert survivor > fitness_of((80.0, 90.0), (None, 100.0)).penalised(0.0)[1]


def test_a_sum_that_overflows_ranks_last_too() -> None:
    values = np.array([np.nan, 1.0, -np.inf, 2.0, 1e301, 3.0])
    ranked = ranked_last(values, np.array([0, 0, 0, 1, 0, 2]))
    assert np.isfinite(ranked).all()
    assert np.argsort(-ranked, kind="stable").tolist() == [1, 3, 5, 0, 2, 4]


def test_means_of_the_population_leave_diverged_lifetimes_out() -> None:
    row = population_columns(fitness_of((1.0, 2.0), (None, 8.0), (3.0, 4.0)), BODIES)
    assert (row["population_mean"], row["population_best"], row["diverged"]) == (2.5, 3.5, 1)
    assert row["population.intact"] == 2.0
    assert row["population.damaged"] == pytest.approx(14 / 3)
