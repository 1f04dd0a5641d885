"""The numbers that the environment streams of many lifetimes draw: those of `environment_stream(seed)`."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.seeding import Stream, batches


def uniforms(seeds: Sequence[int], count: int) -> npt.NDArray[np.float64]:
    """Return ``environment_stream(seed).random(count)`` of each seed, ``(seeds, count)``."""
    return batches.uniforms(batches.stream_keys(seeds, Stream.ENVIRONMENT), count)


def halves(seeds: Sequence[int], count: int) -> npt.NDArray[np.uint32]:
    """Return words of 32 bits of the environment stream of each seed, ``(seeds, count)``."""
    return batches.halves(batches.stream_keys(seeds, Stream.ENVIRONMENT), count)
