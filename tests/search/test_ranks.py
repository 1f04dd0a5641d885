"""Ranks against SciPy's rankdata, exactly, ties included."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from hebbevo.search.ranks import centered_ranks, standardized_ranks

FITNESSES = st.lists(
    st.one_of(st.integers(-3, 3).map(float), st.floats(-1e300, 1e300)),
    min_size=2,
    max_size=60,
)


@given(FITNESSES)
def test_centered_ranks_are_scipys_average_ranks(fitness: list[float]) -> None:
    values = np.array(fitness)
    expected = (rankdata(values, method="average") - 1) / (len(values) - 1) - 0.5
    np.testing.assert_array_equal(centered_ranks(values), expected)


@given(FITNESSES)
def test_standardised_ranks_have_deviation_one_or_are_zero(fitness: list[float]) -> None:
    values = np.array(fitness)
    ranks = standardized_ranks(values)
    if values.min() == values.max():
        assert not ranks.any()
    else:
        np.testing.assert_allclose([ranks.mean(), ranks.std()], [0, 1], atol=1e-12)
