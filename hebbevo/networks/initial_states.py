"""What the states of synapses and neurons are at the start of a lifetime: zero, drawn, or part of the genome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from hebbevo.networks.layout import Layout
from hebbevo.networks.network_spec import NetworkSpec, Projection
from hebbevo.rules.distribution import Distribution
from hebbevo.seeding import Stream, stream

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
    drawn = [(projection, state) for projection in network.projections for state in projection.drawn_states]
    for projection, state in drawn:
        shape = network.state_shape(projection, state)
        states[projection.name][state] = np.empty((len(seeds), *shape), np.float32)
    for row, seed in enumerate(seeds if drawn else ()):
        generator = stream(seed, Stream.INITIAL_WEIGHTS)
        for projection, state in drawn:
            _distribution(projection, state).fill(generator, states[projection.name][state][row])
    return states


def _distribution(projection: Projection, state: str) -> Distribution:
    found = projection.drawn_states[state]
    assert isinstance(found, Distribution)
    return found
