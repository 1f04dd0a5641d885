"""Keys of random streams: those of before keep their numbers, and no two seeds, however wide, share one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hebbevo.seeding import (
    SeedPurpose,
    Stream,
    batches,
    key_of,
    level_seed,
    lifetime_seed,
    on_level,
    population_seed,
    sampled_body_stream,
    stream,
)

WIDE = (2**32, 2**32 + 1, 2**33 + 1, 3 * 2**32 + 5, 63 * 2**32 + 1, 64 * 2**32 + 1, 2**62 + 7, 2**63 - 1)


def words(key: np.random.SeedSequence) -> tuple[int, ...]:
    return tuple(key.generate_state(8).tolist())


@pytest.mark.parametrize("seed", [0, 1, 7, 2**32 - 1, 2**40 + 3, 2**63 - 1])
def test_keys_are_plain_words_below_two_to_the_32_and_for_lifetime_seeds(seed: int) -> None:
    for purpose in (*SeedPurpose, *Stream):
        assert words(key_of(seed, purpose, 3, 4)) == words(np.random.SeedSequence((seed, int(purpose), 3, 4)))


def test_a_run_judged_with_one_seed_is_not_evaluated_with_its_own_lifetimes() -> None:
    """With plain words, evaluation seed 2**32 + 1 drew what run seed 1 is judged by after generation 2."""
    evaluated = [lifetime_seed(2**32 + 1, SeedPurpose.EVALUATION, episode) for episode in range(50)]
    judged = [lifetime_seed(1, SeedPurpose.CENTER_EVALUATION, 2, episode) for episode in range(50)]
    assert not set(evaluated) & set(judged)


def test_no_two_keys_are_one() -> None:
    counters = {
        SeedPurpose.TRAINING: [(a, b, c) for a in range(1, 4) for b in range(4) for c in range(2)],
        SeedPurpose.CENTER_EVALUATION: [(a, b) for a in range(1, 5) for b in range(5)],
        SeedPurpose.EVALUATION: [(a,) for a in range(8)],
        SeedPurpose.LEVEL_REPLAY: [(a,) for a in range(8)],
    }
    seeds = (*range(1, 8), *WIDE)
    keys = [(seed, purpose, *rest) for seed in seeds for purpose in counters for rest in counters[purpose]]
    assert len({words(key_of(*key)) for key in keys}) == len(keys)


@pytest.mark.parametrize("seed", [0, 7, 2**32 - 1, 5 * 2**32 + 1, 2**63 - 1])
def test_seeds_of_many_lifetimes_are_those_of_each(seed: int) -> None:
    rows = np.random.default_rng(0).integers(0, 2**32, (4, 4))
    rows[0] = 0
    for counters in range(5):
        expected = [lifetime_seed(seed, SeedPurpose.TRAINING, *row[:counters]) for row in rows.tolist()]
        assert batches.lifetime_seeds(seed, SeedPurpose.TRAINING, rows[:, :counters]) == expected
    assert batches.lifetime_seeds(seed, SeedPurpose.TRAINING, rows[:0]) == []


def test_streams_of_searchers_and_bodies_keep_their_numbers() -> None:
    plain = np.random.SeedSequence
    for run_seed in (5, 2**32 - 1, 2**32, 2**63 - 1):
        expected = [plain((run_seed, 6, pair, 0x4E4F4953)).generate_state(2, np.uint64) for pair in (7, 0)]
        np.testing.assert_array_equal(batches.noise_keys(run_seed, 6, [7, 0]), expected)
    assert population_seed(5, 6) == plain((5, 6, 0x504F5055)).generate_state(1)[0]
    expected = np.random.Generator(np.random.Philox(plain((20072686, 1, 3)))).random()
    assert sampled_body_stream("test", 3).random() == expected
    expected = np.random.Generator(np.random.Philox(plain((2**40 + 9, 1)))).random()
    assert stream(2**40 + 9, Stream.ENVIRONMENT).random() == expected


def test_a_level_is_the_lower_half_of_a_seed() -> None:
    seed = lifetime_seed(0, SeedPurpose.TRAINING, 1, 2, 0)
    assert level_seed(seed) == seed & 0xFFFFFFFF
    moved = on_level(seed, 12345)
    assert (level_seed(moved), moved >> 32) == (12345, seed >> 32)


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_a_seed_outside_its_range_is_refused(seed: int) -> None:
    with pytest.raises(ValueError, match=r"from 0 to 2\*\*63 - 1"):
        stream(seed, Stream.ENVIRONMENT)


def test_compiled_streams_are_those_of_numpy() -> None:
    draw = np.random.default_rng(0)
    seeds = [0, 1, 2**32 - 1, 2**32, 5 * 2**32 + 1, 63 * 2**32, 64 * 2**32, 2**63 - 1]
    seeds += [int(seed) for seed in draw.integers(0, 2**63, 20)]
    for purpose in Stream:
        keys = batches.stream_keys(seeds, purpose)

        def expected(
            method: Callable[[np.random.Generator], NDArray[Any]], purpose: Stream = purpose
        ) -> NDArray[Any]:
            return np.array([method(stream(seed, purpose)) for seed in seeds])

        np.testing.assert_array_equal(batches.uniforms(keys, 9), expected(lambda s: s.random(9)))
        for after, count in ((0, 1), (0, 8), (3, 9), (64, 64), (17, 0)):
            numbers = batches.singles(keys, count, after)
            assert numbers.dtype == np.float32
            np.testing.assert_array_equal(
                numbers, expected(lambda s, n=after + count: s.random(n, np.float32))[:, after:]
            )


@pytest.mark.parametrize("seed", [-1, 2**63])
def test_compiled_streams_refuse_a_seed_outside_its_range(seed: int) -> None:
    with pytest.raises(ValueError, match=r"from 0 to 2\*\*63 - 1"):
        batches.stream_keys([3, seed], Stream.ENVIRONMENT)
