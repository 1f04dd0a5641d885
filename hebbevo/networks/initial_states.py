"""What the states of synapses and neurons are at the start of a lifetime: zero, drawn, or part of the genome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.networks.layout import Layout
from hebbevo.networks.network_spec import NetworkSpec
from hebbevo.rules.distribution import Distribution
from hebbevo.seeding import Stream, stream
from hebbevo.seeding.batches import fill_singles, stream_keys

FloatArray = npt.NDArray[np.float32]
States = dict[str, FloatArray]


def initial_states(
    network: NetworkSpec,
    layout: Layout,
    genomes: FloatArray,
    genome_of: Sequence[int],
    seeds: Sequence[int],
) -> dict[str, States]:
    """Return by projection and state what does not start at zero, ``(lifetimes, n_out or 1, n_in or 1)``.

    What is drawn comes from one stream of the lifetime, projection by projection, weights before other states.

    Args:
        network: whose states they are.
        layout: of the genomes.
        genomes: ``(genomes, layout.size)``.
        genome_of: row of `genomes` of each lifetime, ``(lifetimes,)``.
        seeds: lifetime seeds, ``(lifetimes,)``.
    """
    arrays, states = layout.split(genomes), {}
    for projection in network.projections:
        states[projection.name] = {
            state: arrays[f"{projection.name}.{entry}"][list(genome_of)]
            for state, entry in projection.evolved_states.items()
        }
    drawn: list[tuple[Distribution, FloatArray]] = []
    for projection in network.projections:
        for state, distribution in projection.drawn_states.items():
            values = np.empty((len(seeds), *network.state_shape(projection, state)), np.float32)
            states[projection.name][state] = values
            drawn.append((distribution, values))
    _draw(drawn, seeds)
    return states


def _draw(drawn: Sequence[tuple[Distribution, FloatArray]], seeds: Sequence[int]) -> None:
    """Fill each lifetime's rows from its stream; NumPy's generators alone know how normal numbers are drawn."""
    if all(distribution.kind == "uniform" for distribution, _ in drawn):
        keys, after = stream_keys(seeds, Stream.INITIAL_WEIGHTS), 0
        for distribution, values in drawn:
            rows = values.reshape(len(seeds), -1)
            fill_singles(keys, rows, after)
            distribution.scale(rows)
            after += rows.shape[1]
        return
    for row, seed in enumerate(seeds):
        generator = stream(seed, Stream.INITIAL_WEIGHTS)
        for distribution, values in drawn:
            distribution.fill(generator, values[row])
