"""The perturbations: a pure function of their key, and standard normal (SciPy's Kolmogorov-Smirnov test)."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import kstest

from hebbevo.search.noise import SEGMENT, perturbation


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**63 - 1), st.integers(0, 10**6), st.integers(0, 10**5))
def test_same_key_same_bits_and_a_shorter_draw_is_its_beginning(
    seed: int, generation: int, pair: int
) -> None:
    first = perturbation(seed, generation, pair, 33)
    np.random.seed(1)  # noqa: NPY002  (global state must not matter)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, perturbation(seed, generation, pair, 33))
    np.testing.assert_array_equal(first[:7], perturbation(seed, generation, pair, 7))


@pytest.mark.parametrize("length", [1, SEGMENT, SEGMENT + 1, 3 * SEGMENT + 7])
def test_a_part_of_a_perturbation_is_that_of_the_whole(length: int) -> None:
    whole = perturbation(1, 2, 3, length)
    assert whole.shape == (length,)
    for start in range(0, length, SEGMENT):
        for stop in {start + 1, min(start + SEGMENT, length), length}:
            np.testing.assert_array_equal(perturbation(1, 2, 3, stop, start), whole[start:stop])


def test_each_segment_is_a_stream_of_philox_of_its_own() -> None:
    key = np.random.SeedSequence((1, 2, 3, 0x4E4F4953)).generate_state(2, np.uint64)
    streams = [
        np.random.Generator(np.random.Philox(key=key, counter=segment << 128)).standard_normal(
            SEGMENT, dtype=np.float32
        )
        for segment in range(4)
    ]
    np.testing.assert_array_equal(perturbation(1, 2, 3, 4 * SEGMENT), np.concatenate(streams))
    off_diagonal = np.asarray(np.corrcoef(streams))[~np.eye(4, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(SEGMENT)


def test_every_key_has_its_own_noise() -> None:
    seeds = (0, 1, 2, 2**32, 2**32 + 1, 2**63 - 1)
    keys = list(itertools.product(seeds, range(4), range(4)))
    assert len({perturbation(*key, 8).tobytes() for key in keys}) == len(keys)


@pytest.mark.parametrize("along", ["dimension", "pair", "generation", "run seed"])
def test_noise_is_standard_normal_along_every_part_of_its_key(along: str) -> None:
    draws: dict[str, Callable[[int], NDArray[np.float32]]] = {
        "dimension": lambda i: perturbation(3, 5, i, 2000),
        "pair": lambda i: perturbation(3, 5, i, 10),
        "generation": lambda i: perturbation(3, i, 5, 10),
        "run seed": lambda i: perturbation(i, 3, 5, 10),
    }
    draw = draws[along]
    sample = np.concatenate([draw(i) for i in range(10 if along == "dimension" else 2000)]).astype(np.float64)
    assert abs(sample.mean()) < 4 / np.sqrt(sample.size)
    assert abs(sample.var() - 1) < 4 * np.sqrt(2 / sample.size)
    assert kstest(sample, "norm").pvalue > 1e-3


def test_neighbouring_pairs_are_uncorrelated() -> None:
    rows = np.stack([perturbation(1, 2, pair, 4000) for pair in range(20)])
    off_diagonal = np.asarray(np.corrcoef(rows))[~np.eye(20, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(4000)
