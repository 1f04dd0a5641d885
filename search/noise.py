"""Random perturbations as a pure function of their key, so that any worker can draw any part of any of them.

Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), keyed through NumPy's
SeedSequence by (run seed, generation, pair, purpose). The ziggurat takes a number of draws per normal that depends on
the draws, so no stream can be skipped into; instead, every segment of a perturbation has a stream: the counter
starts at (0, 0, segment, 0), 2^128 blocks from the next.
"""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from hebbevo.seeding.batches import noise_keys

SEGMENT = 4096  # coefficients that share a stream; a change changes every run


def perturbation(run_seed: int, generation: int, pair: int, stop: int, start: int = 0) -> NDArray[np.float32]:
    """Return coefficients `start` to `stop` of the standard normal perturbation of one mirrored pair."""
    return next(perturbations(run_seed, generation, [pair], stop, start))


def perturbations(
    run_seed: int, generation: int, pairs: Sequence[int], stop: int, start: int = 0
) -> Iterator[NDArray[np.float32]]:
    """Yield the perturbation of each pair, in an array that the next one overwrites.

    `start` is a multiple of SEGMENT. Coefficients before it are not drawn.
    """
    assert start % SEGMENT == 0, start
    philox = np.random.Philox(0)  # one generator, set to the beginning of each stream: new ones take longer
    generator, state = np.random.Generator(philox), philox.state
    noise = np.empty(stop - start, np.float32)
    for key in noise_keys(run_seed, generation, pairs):
        state["state"]["key"] = key
        for first in range(start, stop, SEGMENT):
            state["state"]["counter"][2] = first // SEGMENT
            philox.state = state
            part = noise[first - start : first - start + SEGMENT]
            generator.standard_normal(out=part, dtype=np.float32)
        yield noise
