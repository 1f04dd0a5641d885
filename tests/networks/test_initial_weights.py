"""Initial weights: of the lifetime's stream or of the genome, whichever lifetimes start beside it."""

import numpy as np

from hebbevo.networks.initial_weights import initial_weights
from hebbevo.networks.layout import Layout
from hebbevo.rules import Distribution

LAYERS = [(3, 4), (4, 2)]
LAYOUT = Layout.of({"layer1.weight": (4, 3), "layer2.weight": (2, 4)})
GENOMES = np.arange(2 * LAYOUT.size, dtype=np.float32).reshape(2, -1)


def test_evolved_weights_are_those_of_each_lifetimes_genome() -> None:
    first, second = initial_weights(None, LAYOUT, LAYERS, GENOMES, [1, 0, 1], [5, 6, 7])
    for row, genome in enumerate([1, 0, 1]):
        np.testing.assert_array_equal(first[row].ravel(), GENOMES[genome, :12])
        np.testing.assert_array_equal(second[row].ravel(), GENOMES[genome, 12:])


def test_drawn_weights_follow_from_the_seed_alone() -> None:
    distribution = Distribution.parse("uniform(-0.1, 0.1)")
    together = initial_weights(distribution, LAYOUT, LAYERS, GENOMES, [0, 1, 0], [5, 6, 5])
    alone = initial_weights(distribution, LAYOUT, LAYERS, GENOMES[:1], [0], [6])
    for weights, single in zip(together, alone, strict=True):
        np.testing.assert_array_equal(weights[1], single[0])
        np.testing.assert_array_equal(weights[0], weights[2])
        assert not np.array_equal(weights[0], weights[1])
        assert np.abs(weights).max() <= 0.1
