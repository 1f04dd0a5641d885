"""The key of every random stream, in one place: who draws from which numbers, and why no two draw from the same.

A stream is Philox, keyed through NumPy's `SeedSequence` by (seed, purpose, counters). The seed is one that a user gave
(of a run or an evaluation), or one of a lifetime, which `lifetime_seed` derived from it: 63 random-looking bits.

`SeedSequence` cuts numbers into words of 32 bits and ignores trailing zeros: (2**32 + 1, 2) and (1, 1, 2) are one key.
`key_of` keeps seeds apart whatever their width. Below 2**32 a seed is one word, with a purpose behind it; above, the
second word is the seed's upper half, which no purpose reaches; and a seed whose upper half could be read as a purpose
gets a mark that no other key has.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np

SEED_LIMIT: Final = 2**63
"""Seeds are ints in [0, SEED_LIMIT)."""

_WORD: Final = 2**32
PURPOSES: Final = 64
"""Purposes are below this."""
_WIDE: Final = 1
"""The mark of a seed whose upper half could be read as a purpose."""

PERTURBATION: Final = 0x4E4F4953
_POPULATION: Final = 0x504F5055
"""Last words of a searcher's keys, whose second word is the generation: no counter reaches them."""

_MERGING: Final = 0x4D455247
"""Last word of the keys of merges, behind the generation."""

_CODEBOOK: Final = 0x434F4445
"""Last word of the keys of a codebook's labels."""

_SAMPLER_SEED: Final = 20072686
_META_TASK_SEED: Final = 230205583
_OWN_BODY: Final = 0x424F4459
"""Last word of the keys of a user's own sampled bodies."""

_SPLITS: Final = {"train": 0, "test": 1}


class SeedPurpose(IntEnum):
    """What a lifetime seed is derived for, from the seed of a run or an evaluation."""

    TRAINING = 0
    CENTER_EVALUATION = 1
    EVALUATION = 2
    LEVEL_REPLAY = 3
    MEASURED = 4


class Stream(IntEnum):
    """What is drawn within a lifetime, or (the first center) at the start of a run."""

    INITIAL_WEIGHTS = 0
    ENVIRONMENT = 1
    SHUFFLED_GENOME = 2
    RANDOM_GENOME = 3
    FIRST_CENTER = 4
    PERTURBATION = 5
    NOISE = 6
    ACTION = 7
    BODY = 8


def key_of(seed: int, purpose: int, *counters: int) -> np.random.SeedSequence:
    """Return the key of a stream.

    Args:
        seed: in [0, 2**63).
        purpose: in [0, 64); a purpose has a fixed number of counters, but for a last one that is never 0.
        counters: each in [0, 2**32).

    Raises:
        ValueError: a seed outside its range.
    """
    checked_seed(seed)
    assert 0 <= purpose < PURPOSES
    assert all(0 <= counter < _WORD for counter in counters), counters
    words = (int(seed), int(purpose), *counters)
    ambiguous = 1 <= seed // _WORD < PURPOSES
    return _key(words, spawn_key=(_WIDE,) if ambiguous else ())


def checked_seed(seed: int) -> int:
    """Return a seed as an int.

    Raises:
        ValueError: it lies outside [0, 2**63).
    """
    if not 0 <= int(seed) < SEED_LIMIT:
        raise ValueError(f"a seed must be an integer from 0 to 2**63 - 1, got {seed}")
    return int(seed)


def lifetime_seed(seed: int, purpose: SeedPurpose, *counters: int) -> int:
    """Return the seed of a lifetime, uniform in [0, 2**63).

    Counters: TRAINING (generation, group of individuals, morphology, and from the second lifetime on its number);
    CENTER_EVALUATION (generation, episode); EVALUATION (episode); LEVEL_REPLAY, MEASURED (generation).
    """
    return int(key_of(seed, purpose, *counters).generate_state(1, "uint64")[0]) >> 1


def stream(seed: int, purpose: Stream, *counters: int) -> np.random.Generator:
    """Return a random stream of a lifetime.

    Counters: PERTURBATION (place in the list of perturbations); NOISE (place in the list of populations).
    """
    return _generator(key_of(seed, purpose, *counters))


def level_seed(seed: int) -> int:
    """Return the seed of a lifetime's level (CarRacing's track): Gymnasium's `reset(seed=...)` builds the same one.

    It is the lower half of the lifetime's seed, so that lifetimes may share a level and not their initial weights.
    """
    return seed % _WORD


def on_level(seed: int, level: int) -> int:
    """Return the lifetime seed with another level, an int in [0, 2**32)."""
    return seed - level_seed(seed) + level


def population_seed(run_seed: int, generation: int) -> int:
    """Return the seed that draws a generation where torch samples it, whose generators read 32 bits of a seed."""
    return int(_key((run_seed, generation, _POPULATION)).generate_state(1)[0])


def merging_stream(run_seed: int, generation: int) -> np.random.Generator:
    """Return the stream that starts the clusters of a merge after a generation."""
    return _generator(_key((run_seed, generation, _MERGING)))


def sampled_body_stream(split: str, number: int) -> np.random.Generator:
    """Return the stream of a sampled body: the same for everybody, digits of the paper's number for a seed."""
    return _generator(_key((_SAMPLER_SEED, _SPLITS[split], number)))


def own_body_stream(seed: int, number: int) -> np.random.Generator:
    """Return the stream of a body of a user's own split, by the split's seed in [0, 2**63)."""
    return _generator(_key((checked_seed(seed) % _WORD, checked_seed(seed) // _WORD, number, _OWN_BODY)))


def meta_task_stream(split: str, number: int) -> np.random.Generator:
    """Return the stream of a drawn meta-task: the same for everybody, digits of the paper's number for a seed."""
    return _generator(_key((_META_TASK_SEED, _SPLITS[split], number)))


def codebook_stream(projection: str, labels: int, shape: tuple[int, int]) -> np.random.Philox:
    """Return the bits of a projection's labels in a codebook: the same in every run."""
    import hashlib

    name = int.from_bytes(hashlib.sha256(projection.encode()).digest()[:8], "big")
    return _bits(_key((name, labels, *shape, _CODEBOOK)))


def _key(words: Sequence[int], spawn_key: Sequence[int] = ()) -> np.random.SeedSequence:
    import numpy as np

    return np.random.SeedSequence(words, spawn_key=spawn_key)


def _bits(key: np.random.SeedSequence) -> np.random.Philox:
    import numpy as np

    return np.random.Philox(key)


def _generator(key: np.random.SeedSequence) -> np.random.Generator:
    import numpy as np

    return np.random.Generator(_bits(key))
