"""The random streams of many lifetimes at once: the numbers that `stream(seed, purpose)` draws, compiled.

Making a NumPy generator takes longer than many a short lifetime. Here NumPy's `SeedSequence` (O'Neill's
`seed_seq_fe128`) and Philox4x64-10 (Salmon et al. 2011) run over an array of seeds, with the keys of
`hebbevo.seeding.key_of`; numbers are made of their words as NumPy's `Generator` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from hebbevo.compilation import compiled
from hebbevo.seeding import Stream, checked_seed, key_of

Words = npt.NDArray[np.uint64]

_LOW: Final = np.uint64(0xFFFFFFFF)
_HALF: Final = np.uint64(32)
_WIDE_SEED: Final = 2**32

_POOL = 4
_INIT_A, _MULT_A = np.uint64(0x43B0D7E5), np.uint64(0x931E8875)
_INIT_B, _MULT_B = np.uint64(0x8B51F9DD), np.uint64(0x58F38DED)
_MIX_LEFT, _MIX_RIGHT = np.uint64(0xCA01F9DD), np.uint64(0x4973F715)
_SHIFT = np.uint64(16)

_ROUNDS = 10
_MULTIPLIERS = (np.uint64(0xD2E7470EE14C6C93), np.uint64(0xCA5A826395121157))
_WEYL = (np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBB67AE8584CAA73B))

BLOCK = 8
"""Halves of words, of 32 bits, that Philox makes at a time."""


def stream_keys(seeds: Sequence[int], purpose: Stream) -> Words:
    """Return the keys of streams without counters, uint64 ``(seeds, 2)``.

    Raises:
        ValueError: a seed outside its range.
    """
    for extreme in (min, max):
        checked_seed(extreme(seeds, default=0))
    numbers = np.fromiter(seeds, np.uint64, len(seeds))
    keys = np.empty((len(seeds), 2), np.uint64)
    _derive_keys(numbers, np.uint64(purpose), keys)
    for row in np.flatnonzero((numbers >= _WIDE_SEED) & (numbers < 64 * _WIDE_SEED)).tolist():
        # the marked keys of `key_of`: one seed in 2**25
        keys[row] = key_of(seeds[row], purpose).generate_state(2, np.uint64)
    return keys


def uniforms(keys: Words, count: int) -> npt.NDArray[np.float64]:
    """Return ``Generator.random(count)`` of each stream, ``(streams, count)``."""
    drawn = halves(keys, 2 * count).view(np.uint64) >> np.uint64(11)
    numbers: npt.NDArray[np.float64] = drawn * np.float64(2.0**-53)
    return numbers


def singles(keys: Words, count: int, after: int = 0) -> npt.NDArray[np.float32]:
    """Return ``Generator.random(count, float32)`` of each stream, behind the first `after` of such numbers."""
    numbers = (halves(keys, count, after) >> np.uint32(8)).astype(np.float32)  # 24 bits: exact
    numbers *= np.float32(2.0**-24)
    return numbers


def halves(keys: Words, count: int, after: int = 0) -> npt.NDArray[np.uint32]:
    """Return words of 32 bits of each stream, the lower half of one of 64 first, behind the first `after` of them."""
    drawn = np.empty((len(keys), count), np.uint32)
    _draw(keys, after, drawn)
    return drawn


@compiled
def _derive_keys(seeds: Words, purpose: np.uint64, keys: Words) -> None:
    """Set ``SeedSequence((seed, purpose)).generate_state(2, uint64)`` of each seed; 32-bit sums in 64-bit words."""
    pool = np.empty(_POOL, np.uint64)
    state = np.empty(_POOL, np.uint64)
    for row in range(len(seeds)):
        high = seeds[row] >> _HALF
        pool[0] = seeds[row] & _LOW
        pool[1] = high if high else purpose
        pool[2] = purpose if high else np.uint64(0)
        pool[3] = np.uint64(0)
        constant = _INIT_A
        for i in range(_POOL):
            value = pool[i] ^ constant
            constant = (constant * _MULT_A) & _LOW
            value = (value * constant) & _LOW
            pool[i] = value ^ (value >> _SHIFT)
        for source in range(_POOL):
            for target in range(_POOL):
                if source != target:
                    value = pool[source] ^ constant
                    constant = (constant * _MULT_A) & _LOW
                    value = (value * constant) & _LOW
                    value ^= value >> _SHIFT
                    mixed = (_MIX_LEFT * pool[target] - _MIX_RIGHT * value) & _LOW
                    pool[target] = mixed ^ (mixed >> _SHIFT)
        constant = _INIT_B
        for i in range(_POOL):
            value = pool[i] ^ constant
            constant = (constant * _MULT_B) & _LOW
            value = (value * constant) & _LOW
            state[i] = value ^ (value >> _SHIFT)
        keys[row, 0] = state[0] | state[1] << _HALF
        keys[row, 1] = state[2] | state[3] << _HALF


@compiled
def _draw(keys: Words, after: int, drawn: npt.NDArray[np.uint32]) -> None:
    """Fill each row with halves of the words of Philox4x64-10 under its key; the counter starts at 1, as NumPy's."""
    count = drawn.shape[1]
    for row in range(len(keys)):
        for block in range(after // BLOCK, (after + count + BLOCK - 1) // BLOCK):
            a, b, c, d = np.uint64(block + 1), np.uint64(0), np.uint64(0), np.uint64(0)
            key0, key1 = keys[row, 0], keys[row, 1]
            for _ in range(_ROUNDS):
                m, n = _MULTIPLIERS
                cross = (a & _LOW) * (m >> _HALF) + ((a & _LOW) * (m & _LOW) >> _HALF)
                other = (a >> _HALF) * (m & _LOW) + (cross & _LOW)
                high0 = (a >> _HALF) * (m >> _HALF) + (cross >> _HALF) + (other >> _HALF)
                cross = (c & _LOW) * (n >> _HALF) + ((c & _LOW) * (n & _LOW) >> _HALF)
                other = (c >> _HALF) * (n & _LOW) + (cross & _LOW)
                high1 = (c >> _HALF) * (n >> _HALF) + (cross >> _HALF) + (other >> _HALF)
                low0, low1 = a * m, c * n
                a, b, c, d = high1 ^ b ^ key0, low1, high0 ^ d ^ key1, low0
                key0 += _WEYL[0]
                key1 += _WEYL[1]
            at = BLOCK * block - after
            for word in (a, b, c, d):
                if 0 <= at < count:
                    drawn[row, at] = np.uint32(word & _LOW)
                if 0 <= at + 1 < count:
                    drawn[row, at + 1] = np.uint32(word >> _HALF)
                at += 2
