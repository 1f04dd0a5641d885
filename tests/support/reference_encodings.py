"""Coefficients of a projection from the arrays of a genome, one synapse at a time, in float64."""

import hashlib
import math
from collections.abc import Callable, Mapping

import numpy as np

from hebbevo.networks.network_spec import NetworkSpec, Projection

Arrays = Mapping[str, np.ndarray]
Synapse = Callable[[int, int], float]


def decoded(network: NetworkSpec, projection: Projection, coefficient: str, arrays: Arrays) -> np.ndarray:
    """Return a coefficient of every synapse, ``(n_out, n_in)``."""
    name, _, numbers = projection.sharing[coefficient].rstrip(")").partition("(")
    arguments = [int(number) for number in numbers.split(",") if number]
    value = READERS[name](network, projection, coefficient, arrays, arguments)
    n_out, n_in = network.shape(projection)
    return np.array([[value(i, j) for j in range(n_in)] for i in range(n_out)], np.float64)


def _neuron(network, projection, coefficient, arrays, arguments) -> Synapse:
    stem, role = coefficient.rsplit("_", 1)
    if role == "post":
        return lambda i, j: arrays[f"neuron.{projection.target}.{stem}"][i]
    return lambda i, j: arrays[f"neuron.{projection.source}.{stem}"][j]


def _low_rank(network, projection, coefficient, arrays, arguments) -> Synapse:
    post = arrays[f"{projection.name}.{coefficient}.post"]
    pre = arrays[f"{projection.name}.{coefficient}.pre"]
    return lambda i, j: sum(float(post[i, k]) * float(pre[k, j]) for k in range(arguments[0]))


def _codebook(network, projection, coefficient, arrays, arguments) -> Synapse:
    n_out, n_in = network.shape(projection)
    name = int(hashlib.sha256(projection.name.encode()).hexdigest()[:16], 16)
    bits = np.random.Philox(np.random.SeedSequence([name, arguments[0], n_out, n_in, 0x434F4445]))
    labels = [int(raw) // 2**32 * arguments[0] // 2**32 for raw in bits.random_raw(n_out * n_in)]
    values = arrays[f"{projection.name}.{coefficient}.values"]
    return lambda i, j: values[labels[i * n_in + j]]


FUNCTIONS = (lambda s: math.sin(math.pi * s), lambda s: math.exp(-s * s), math.tanh, lambda s: s, abs)


def _place(network: NetworkSpec, population: str, neuron: int) -> tuple[float, float, float]:
    """Return x, y, z of a neuron: inputs and output on a line, others on the squarest full grid."""
    size, order = network.by_name[population].size, [one.name for one in network.order]
    rows = 1
    if population in order[:-1]:
        rows = max(count for count in range(1, size + 1) if size % count == 0 and count * count <= size)
    row, column = divmod(neuron, size // rows)
    z = -1 + 2 * (order.index(population) + 1) / len(order) if population in order else -1.0
    return _spread(column, size // rows), _spread(row, rows), z


def _spread(number: int, count: int) -> float:
    return 0.0 if count == 1 else -1 + 2 * number / (count - 1)


def _cppn(network, projection, coefficient, arrays, arguments) -> Synapse:
    prefix = "cppn." + "_".join(map(str, arguments))

    def value(i: int, j: int) -> float:
        pre, post = _place(network, projection.source, j), _place(network, projection.target, i)
        values = [*pre, *post, *(b - a for a, b in zip(pre, post, strict=True)), math.dist(pre, post), 1.0]
        for layer in range(1, len(arguments) + 1):
            rows = arrays[f"{prefix}.hidden.{layer}"]
            values = [FUNCTIONS[h % 5](np.dot(row[:-1], values) + row[-1]) for h, row in enumerate(rows)]
        last = arrays[f"{prefix}.{coefficient}"]
        return (0.1 if coefficient.startswith("eta") else 1.0) * math.tanh(
            np.dot(last[:-1], values) + last[-1]
        )

    return value


def _array(owner: str | None, index: Callable[[int, int], tuple[int, int]]):
    def read(network, projection, coefficient, arrays, arguments) -> Synapse:
        array = arrays[f"{owner or projection.name}.{coefficient}"]
        return lambda i, j: array[index(i, j)]

    return read


READERS = {
    "synapse": _array(None, lambda i, j: (i, j)),
    "post": _array(None, lambda i, j: (i, 0)),
    "pre": _array(None, lambda i, j: (0, j)),
    "layer": _array(None, lambda i, j: (0, 0)),
    "network": _array("network", lambda i, j: (0, 0)),
    "neuron": _neuron,
    "low_rank": _low_rank,
    "codebook": _codebook,
    "cppn": _cppn,
}
