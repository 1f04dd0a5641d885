"""Rules and normalisers as float64 loops over single synapses, from the papers and not from our texts.

`x` is the presynaptic, `y` the postsynaptic activation, as in Najarro & Risi 2020, table 1.
"""

import math
from collections.abc import Callable, Mapping

import numpy as np

Coefficients = Mapping[str, float]
NextWeight = Callable[[Coefficients, float, float, float], float]

NEXT_WEIGHT: dict[str, NextWeight] = {
    "A": lambda k, x, y, w: w + k["A"] * x * y,
    "AD": lambda k, x, y, w: w + k["A"] * x * y + k["D"],
    "AD_lr": lambda k, x, y, w: w + k["eta"] * (k["A"] * x * y + k["D"]),
    "ABC": lambda k, x, y, w: w + k["A"] * x * y + k["B"] * x + k["C"] * y,
    "ABC_lr": lambda k, x, y, w: w + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y),
    "ABCD": lambda k, x, y, w: w + k["A"] * x * y + k["B"] * x + k["C"] * y + k["D"],
    "ABCD_lr": lambda k, x, y, w: w + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y + k["D"]),
    "ABCD_lr_D_out": lambda k, x, y, w: w + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y) + k["D"],
    "ABCD_lr_D_in_and_out": lambda k, x, y, w: (
        w + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y + k["D1"]) + k["D2"]
    ),
    "ABCD_decay": lambda k, x, y, w: (
        w - w / 20 + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y + k["D"])
    ),
    "ABCD_oja": lambda k, x, y, w: (
        w + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y + k["D"] - y**2 * w)
    ),
    "HAN": lambda k, x, y, w: w + k["eta"] * (k["A"] * x * y + k["B"] * x + k["C"] * y + k["D"]),
    "hebb": lambda k, x, y, w: w + k["eta"] * x * y,
    "oja": lambda k, x, y, w: w + k["eta"] * y * (x - y * w),
    "oja_decay": lambda k, x, y, w: w - w / 20 + k["eta"] * y * (x - y * w),
    "instar": lambda k, x, y, w: w + k["eta"] * y * (x - w),
}


def update(name: str, weights: np.ndarray, coefficients: Mapping[str, np.ndarray], x, y) -> np.ndarray:
    """Return the next weights ``(n_out, n_in)``; coefficients broadcast to that shape."""
    full = {c: np.broadcast_to(array, weights.shape).tolist() for c, array in coefficients.items()}
    old, x, y = weights.tolist(), np.asarray(x, float).tolist(), np.asarray(y, float).tolist()
    rule = NEXT_WEIGHT[name]
    return np.array(
        [
            [rule({c: full[c][i][j] for c in full}, x[j], y[i], old[i][j]) for j in range(weights.shape[1])]
            for i in range(weights.shape[0])
        ]
    )


def normalised(weights: np.ndarray, kind: str) -> np.ndarray:
    """Return normalised weights: Leung et al. 2025; ``max``: Najarro & Risi 2020."""
    flat = [w for row in weights.tolist() for w in row]
    if kind == "max":
        largest = max(abs(w) for w in flat)
        flat = [w / largest for w in flat] if largest > 0 else flat
    elif kind == "var":
        mean = math.fsum(flat) / len(flat)
        variance = math.fsum((w - mean) ** 2 for w in flat) / len(flat)
        flat = [(w - mean) / math.sqrt(variance + 1e-5) for w in flat]
    elif kind == "clip":
        flat = [min(max(w, -1.0), 1.0) for w in flat]
    return np.array(flat).reshape(weights.shape)


def forward(weights: list[np.ndarray], observation: np.ndarray) -> list[np.ndarray]:
    """Return the activations of a tanh network without biases, the observation first."""
    activations = [np.asarray(observation, float)]
    for matrix in weights:
        sums = [math.fsum(w * x for w, x in zip(row, activations[-1], strict=True)) for row in matrix]
        activations.append(np.array([math.tanh(s) for s in sums]))
    return activations


def error(result: np.ndarray, reference: np.ndarray) -> float:
    """Return the largest difference over the largest reference."""
    return float(np.abs(np.asarray(result, float) - reference).max() / np.abs(reference).max())
