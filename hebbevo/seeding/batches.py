"""The random streams of many lifetimes at once: the numbers that `stream(seed, purpose)` draws, compiled.

Making a NumPy generator takes longer than many a short lifetime. Here NumPy's `SeedSequence` (O'Neill's
`seed_seq_fe128`) and Philox4x64-10 (Salmon et al. 2011) run over an array of seeds, with the keys of
`hebbevo.seeding.key_of`; numbers are made of their words as NumPy's `Generator` makes them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from hebbevo.compilation import compiled
from hebbevo.seeding import PERTURBATION, PURPOSES, SeedPurpose, Stream, checked_seed, key_of, lifetime_seed

Words = npt.NDArray[np.uint64]

Block = tuple[np.uint64, np.uint64, np.uint64, np.uint64]

_LOW: Final = np.uint64(0xFFFFFFFF)
_HALF, _BYTE = np.uint64(32), np.uint64(8)

_POOL = 4
_INIT_A, _MULT_A = np.uint64(0x43B0D7E5), np.uint64(0x931E8875)
_INIT_B, _MULT_B = np.uint64(0x8B51F9DD), np.uint64(0x58F38DED)
_MIX_LEFT, _MIX_RIGHT = np.uint64(0xCA01F9DD), np.uint64(0x4973F715)
_SHIFT = np.uint64(16)

_WIDE: Final = ir.IntType(128)
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
    low, high = numbers & _LOW, numbers >> _HALF
    words = np.zeros((len(seeds), 3), np.uint64)
    words[:, 0] = low
    words[:, 1] = np.where(high, high, np.uint64(purpose))
    words[:, 2] = np.where(high, np.uint64(purpose), np.uint64(0))
    keys = _keys(words)
    for row in np.flatnonzero((high > 0) & (high < PURPOSES)).tolist():
        # the marked keys of `key_of`: one seed in 2**25
        keys[row] = key_of(seeds[row], purpose).generate_state(2, np.uint64)
    return keys


def lifetime_seeds(seed: int, purpose: SeedPurpose, counters: npt.NDArray[np.int64]) -> list[int]:
    """Return ``lifetime_seed(seed, purpose, *row)`` of each row of counters ``(lifetimes, counters)``."""
    if 0 < seed >> 32 < PURPOSES:  # the marked keys of `key_of`
        return [lifetime_seed(seed, purpose, *row) for row in counters.tolist()]
    before = [*_words(checked_seed(seed)), int(purpose)]
    words = np.empty((len(counters), len(before) + counters.shape[1]), np.uint64)
    words[:, : len(before)], words[:, len(before) :] = before, counters
    seeds: list[int] = (_keys(words)[:, 0] >> np.uint64(1)).tolist()
    return seeds


def noise_keys(run_seed: int, generation: int, pairs: Sequence[int]) -> Words:
    """Return the keys of the perturbations of mirrored pairs in evolution strategies, uint64 ``(pairs, 2)``."""
    before = [*_words(run_seed), generation]
    words = np.empty((len(pairs), len(before) + 2), np.uint64)
    words[:, :-2] = before
    words[:, -2], words[:, -1] = pairs, PERTURBATION
    return _keys(words)


def uniforms(keys: Words, count: int) -> npt.NDArray[np.float64]:
    """Return ``Generator.random(count)`` of each stream, ``(streams, count)``."""
    drawn = halves(keys, 2 * count).view(np.uint64) >> np.uint64(11)
    numbers: npt.NDArray[np.float64] = drawn * np.float64(2.0**-53)
    return numbers


def singles(keys: Words, count: int, after: int = 0) -> npt.NDArray[np.float32]:
    """Return ``Generator.random(count, float32)`` of each stream, behind the first `after` of such numbers."""
    drawn = np.empty((len(keys), count), np.float32)
    fill_singles(keys, drawn, after)
    return drawn


def fill_singles(keys: Words, rows: npt.NDArray[np.float32], after: int = 0) -> None:
    """Fill rows ``(streams, count)`` with these numbers."""
    _draw_singles(keys, after, rows)


def halves(keys: Words, count: int, after: int = 0) -> npt.NDArray[np.uint32]:
    """Return words of 32 bits of each stream, the lower half of one of 64 first, behind the first `after` of them."""
    drawn = np.empty((len(keys), count), np.uint32)
    _draw(keys, after, drawn)
    return drawn


def _words(number: int) -> list[int]:
    """Return a number below 2**64 as `SeedSequence` cuts it."""
    return [number & 0xFFFFFFFF, number >> 32] if number >> 32 else [number]


def _keys(words: Words) -> Words:
    """Return ``SeedSequence(row).generate_state(2, uint64)`` of each row of numbers below 2**32, ``(rows, 2)``."""
    keys = np.empty((len(words), 2), np.uint64)
    _derive_keys(words, keys)
    return keys


@compiled
def _derive_keys(words: Words, keys: Words) -> None:
    """Set the keys; sums of 32 bits in words of 64."""
    pool = np.empty(_POOL, np.uint64)
    state = np.empty(_POOL, np.uint64)
    count = words.shape[1]
    for row in range(words.shape[0]):
        constant = _INIT_A
        for i in range(_POOL):
            value = (words[row, i] if i < count else np.uint64(0)) ^ constant
            constant = (constant * _MULT_A) & _LOW
            value = (value * constant) & _LOW
            pool[i] = value ^ (value >> _SHIFT)
        for source in range(max(_POOL, count)):
            for target in range(_POOL):
                if source != target:
                    value = (pool[source] if source < _POOL else words[row, source]) ^ constant
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


def _upper_half(context: Any, x: Any, y: Any) -> Any:
    """Return the upper half of the product of two words, 128 bits wide."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, y = (builder.zext(argument, _WIDE) for argument in arguments)
        product = builder.mul(x, y)
        return builder.trunc(builder.lshr(product, ir.Constant(_WIDE, 64)), arguments[0].type)

    return types.uint64(types.uint64, types.uint64), generate


_upper: Any = intrinsic(_upper_half)


@compiled
def _block(key0: np.uint64, key1: np.uint64, block: int) -> Block:
    """Return the words of a block of Philox4x64-10; the counter starts at 1, as NumPy's does."""
    a, b, c, d = np.uint64(block + 1), np.uint64(0), np.uint64(0), np.uint64(0)
    m, n = _MULTIPLIERS
    for _ in range(_ROUNDS):
        a, b, c, d = _upper(c, n) ^ b ^ key0, c * n, _upper(a, m) ^ d ^ key1, a * m
        key0 += _WEYL[0]
        key1 += _WEYL[1]
    return a, b, c, d


@compiled
def _draw(keys: Words, after: int, drawn: npt.NDArray[np.uint32]) -> None:
    """Fill each row with halves of the words of its stream."""
    count = drawn.shape[1]
    for row in range(len(keys)):
        for block in range(after // BLOCK, (after + count + BLOCK - 1) // BLOCK):
            at = BLOCK * block - after
            for word in _block(keys[row, 0], keys[row, 1], block):
                if 0 <= at < count:
                    drawn[row, at] = word & _LOW
                if 0 <= at + 1 < count:
                    drawn[row, at + 1] = word >> _HALF
                at += 2


@compiled
def _draw_singles(keys: Words, after: int, drawn: npt.NDArray[np.float32]) -> None:
    """Fill each row with the upper 24 bits of these halves, as parts of 1."""
    count, unit = drawn.shape[1], np.float32(2.0**-24)
    for row in range(len(keys)):
        for block in range(after // BLOCK, (after + count + BLOCK - 1) // BLOCK):
            at = BLOCK * block - after
            for word in _block(keys[row, 0], keys[row, 1], block):
                if 0 <= at < count:
                    drawn[row, at] = np.float32((word & _LOW) >> _BYTE) * unit
                if 0 <= at + 1 < count:
                    drawn[row, at + 1] = np.float32(word >> _HALF + _BYTE) * unit
                at += 2
