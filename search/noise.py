"""Random perturbations as a pure function of their key, so that any worker can draw any of them.

Philox4x64-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", 2011), keyed through NumPy's
SeedSequence by (run seed, generation, pair, purpose).
"""

import numpy as np
from numpy.typing import NDArray

# Sets this use of the run seed apart from every other. Never 0: SeedSequence ignores trailing zeros.
PERTURBATION = 0x4E4F4953


def perturbation(run_seed: int, generation: int, pair: int, dimension: int) -> NDArray[np.float32]:
    """Return the standard normal perturbation, float32 (dimension,), of one mirrored pair."""
    key = np.random.SeedSequence((run_seed, generation, pair, PERTURBATION))
    return np.random.Generator(np.random.Philox(key)).standard_normal(dimension, dtype=np.float32)
