"""The weights that lifetimes start with: part of the genome, or drawn from the lifetime's own stream."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.networks.layout import Layout
from hebbevo.rules.distribution import Distribution
from hebbevo.seeding import Stream, stream

FloatArray = npt.NDArray[np.float32]


def initial_weights(
    distribution: Distribution | None,
    layout: Layout,
    layers: Sequence[tuple[int, int]],
    genomes: FloatArray,
    genome_of: Sequence[int],
    seeds: Sequence[int],
) -> list[FloatArray]:
    """Return each layer's initial weights, ``(lifetimes, n_out, n_in)``.

    Args:
        distribution: of the weights; None where the genome holds them.
        layout: of the genomes.
        layers: ``(n_in, n_out)`` of each.
        genomes: ``(genomes, layout.size)``.
        genome_of: row of `genomes` of each lifetime, ``(lifetimes,)``.
        seeds: lifetime seeds, ``(lifetimes,)``.
    """
    if distribution is None:
        arrays = layout.split(genomes)
        return [arrays[f"layer{number}.weight"][list(genome_of)] for number in range(1, len(layers) + 1)]
    matrices = [np.empty((len(seeds), n_out, n_in), np.float32) for n_in, n_out in layers]
    for row, seed in enumerate(seeds):
        generator = stream(seed, Stream.INITIAL_WEIGHTS)
        for weights in matrices:
            distribution.fill(generator, weights[row])
    return matrices
