"""Where neurons lie, for encodings by geometry: x, y and z in [-1, 1] (HyperNEAT's substrate).

z is the population's place in the order of the forward pass, -1 for inputs and 1 for the last. Inputs and the output
lie evenly on the line y = 0; other neurons on a grid, as square as their number divides: 128 neurons are 16 along x and
8 along y. A population's own places come before these.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from hebbevo.networks.network_spec import INPUTS, NetworkSpec, Projection

FloatArray = npt.NDArray[np.float32]


def coordinates(network: NetworkSpec, population: str) -> FloatArray:
    """Return x, y and z of a population's neurons, ``(3, neurons)``."""
    size, places = network.by_name[population].size, network.by_name[population].places
    on_a_line = population in INPUTS or population == network.output
    rows = 1 if on_a_line else max(n for n in range(1, math.isqrt(size) + 1) if size % n == 0)
    columns = size // rows
    x = np.tile(_evenly(columns), rows)
    y = np.repeat(_evenly(rows), columns)
    order = [one.name for one in network.order]
    depth = 0 if population in INPUTS else 1 + order.index(population)
    z = np.full(size, 2 * depth / len(order) - 1, np.float32)
    if places is None:
        return np.stack([x, y, z])
    return np.array([(*place, z[0])[:3] for place in places], np.float32).T


def synapse_inputs(network: NetworkSpec, projection: Projection) -> FloatArray:
    """Return what a network over coordinates sees of each synapse, ``(11, n_out, n_in)``.

    They are x, y, z of the presynaptic and of the postsynaptic neuron, the differences (post - pre), the distance, 1.
    """
    source, target = coordinates(network, projection.source), coordinates(network, projection.target)
    shape = (3, *network.shape(projection))
    pre = np.broadcast_to(source[:, None, :], shape)
    post = np.broadcast_to(target[:, :, None], shape)
    dx, dy, dz = post - pre
    distance = np.sqrt(dx * dx + dy * dy + dz * dz)
    return np.concatenate([pre, post, post - pre, distance[None], np.ones((1, *shape[1:]), np.float32)])


def _evenly(count: int) -> FloatArray:
    """Return numbers from -1 to 1, symmetric to the bit; 0 for one."""
    steps = np.arange(count, dtype=np.float32) * 2 - np.float32(count - 1)
    return steps / np.float32(max(count - 1, 1))
