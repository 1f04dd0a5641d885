"""A network of populations and projections as plain NumPy, one lifetime, one neuron population at a time, in float64.

Written from the definition of a step (docs/rules.md, "One step"), without a kernel: slow and obvious.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from reference_encodings import decoded

from hebbevo.networks.network_spec import NetworkSpec, Population, Projection
from hebbevo.rules.distribution import Distribution
from hebbevo.rules.expression import evaluate

CHUNK = 64
"""Steps for which random numbers are drawn at a time."""

ACTIVATIONS: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "tanh": np.tanh,
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "identity": lambda x: x,
}
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "exp": np.exp,
    "max": np.maximum,
    "min": np.minimum,
    "relu": lambda x: np.maximum(x, 0.0),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sign": np.sign,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}


def stream(seed: int, *key: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(np.random.SeedSequence((seed, *key))))


def drawn(distribution: Distribution, generator: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    values = np.empty(shape, np.float32)
    distribution.fill(generator, values)
    return values.astype(np.float64)


def normalised(weights: np.ndarray, kind: str) -> np.ndarray:
    if kind == "max":
        largest = np.abs(weights).max()
        return weights / largest if largest > 0 else weights
    if kind == "var":
        return (weights - weights.mean()) / np.sqrt(weights.var() + 1e-5)
    return np.clip(weights, -1, 1) if kind == "clip" else weights


class ReferenceGraph:
    """One lifetime of a network.

    Args:
        spec: the network.
        arrays: of the genome, by name.
        seed: of the lifetime.
        slopes: of the actions, where the output is raw.
    """

    def __init__(
        self, spec: NetworkSpec, arrays: Mapping[str, np.ndarray], seed: int, slopes: np.ndarray | None = None
    ) -> None:
        self.spec, self.seed, self.slopes = spec, seed, slopes
        self.arrays = {name: array.astype(np.float64) for name, array in arrays.items()}
        self.states: dict[str, dict[str, np.ndarray]] = {}
        generator = stream(seed, 0)
        for projection in spec.projections:
            self.states[projection.name] = {
                state: self._first(projection, state, generator) for state in projection.rule.states
            }
        self.now = {population.name: np.zeros(population.size) for population in spec.populations}
        self.before = {name: values.copy() for name, values in self.now.items()}
        self.drive: dict[str, np.ndarray] = {}
        self.noise: dict[str, np.ndarray] = {}
        self.action = np.zeros(spec.by_name[spec.output].size)
        self.reward = 0.0
        self.step = -1
        self.history: list[dict[str, np.ndarray]] = []
        self._chunks: dict[str, np.ndarray] = {}
        self._generators: dict[str, np.random.Generator] = {}

    def _first(self, projection: Projection, state: str, generator: np.random.Generator) -> np.ndarray:
        n_out, n_in = self.spec.shape(projection)
        if state == "w":
            if projection.initial_weights is None:
                return self.arrays[f"{projection.name}.weight"]
            return drawn(projection.initial_weights, generator, (n_out, n_in))
        axis = projection.rule.axis(state)
        shape = {"synapse": (n_out, n_in), "post": (n_out, 1), "pre": (1, n_in)}[axis]
        initial = projection.rule.initial(state)
        if initial is None:
            return np.zeros(shape)
        if projection.rule.evolves(state):
            return self.arrays[f"{projection.name}.{state}"]
        return drawn(initial, generator, shape)

    def coefficients(self, projection: Projection) -> dict[str, np.ndarray]:
        return {
            name: decoded(self.spec, projection, name, self.arrays) for name in projection.rule.coefficients
        }

    def weight(self, projection: Projection) -> np.ndarray:
        values = {**self.coefficients(projection), **self.states[projection.name]}
        return np.asarray(evaluate(projection.rule.weight, values, FUNCTIONS))

    def forward(self, observation: np.ndarray) -> np.ndarray:
        """Return the action."""
        self.step += 1
        self.before, before = self.now, self.now
        world = {"observation": observation, "action": self.action, "reward": [self.reward], "one": [1.0]}
        now = {one.name: np.asarray(world[one.name], np.float64) for one in self.spec.inputs}
        self.drive, self.noise = {}, {}
        for population in self.spec.order:
            drive = np.zeros(population.size)
            for projection in self.spec.into(population.name):
                source = (before if projection.delayed else now)[projection.source]
                drive = drive + self.weight(projection) @ source
            self.noise[population.name] = self._noise(population)
            self.drive[population.name] = drive + self.noise[population.name]
            now[population.name] = ACTIVATIONS[population.activation](self.drive[population.name])
        self.now = now
        self.history.append(now)
        output = now[self.spec.output]
        self.action = output if self.slopes is None else np.tanh(self.slopes * output)
        return self.action

    def _noise(self, population: Population) -> np.ndarray:
        if population.noise is None:
            return np.zeros(population.size)
        name = population.name
        if self.step % CHUNK == 0:
            index = [one.name for one in self.spec.populations].index(name)
            generator = self._generators.setdefault(name, stream(self.seed, 6, index))
            chunk = drawn(population.noise.distribution, generator, (CHUNK, population.size))
            if population.noise.probability < 1:
                chunk *= generator.random((CHUNK, population.size), np.float32) < population.noise.probability
            self._chunks[name] = chunk
        return self._chunks[name][self.step % CHUNK]

    def learn(self, reward: float = 0.0) -> None:
        """Apply the rules that are due, then the normalisers."""
        self.reward = reward
        updated = {
            projection.name: self._next(projection)
            for projection in self.spec.projections
            if (self.step - projection.offset) % projection.every == 0 and not projection.rule.is_static
        }
        self.states |= updated

    def _next(self, projection: Projection) -> dict[str, np.ndarray]:
        rule, old = projection.rule, self.states[projection.name]
        values = {**self.coefficients(projection), **old, **self._signals(projection)}
        states = {}
        for state, equation in rule.equations.items():
            full = np.broadcast_to(evaluate(equation, values, FUNCTIONS), self.spec.shape(projection))
            rows, columns = old[state].shape
            states[state] = full[:rows, :columns].copy()
            assert (full == states[state]).all(), "a neuron's state differs between its synapses"
        states["w"] = normalised(states["w"], projection.normaliser)
        return states

    def _signals(self, projection: Projection) -> dict[str, Any]:
        source, target = projection.source, projection.target
        before_source = self.before[source] if projection.delayed else self.now[source]
        values: dict[str, Any] = {
            "pre": self._window(projection, source, before_source, late=projection.delayed)[None, :],
            "post": self._window(projection, target, self.now[target], late=False)[:, None],
            "pre_last": self.before[source][None, :],
            "post_last": self.before[target][:, None],
            "drive": self.drive[target][:, None],
            "noise": self.noise[target][:, None],
            "reward": self.reward,
        }
        for signal, population in projection.signals.items():
            activation = self.now[population]
            values[signal] = activation[0] if len(activation) == 1 else activation[:, None]
        return values

    def _window(self, projection: Projection, population: str, value: np.ndarray, late: bool) -> np.ndarray:
        if projection.window == 1:
            return value
        end = len(self.history) - late
        recent = [moment[population] for moment in self.history[max(0, end - projection.window) : end]]
        return np.mean(recent, axis=0) if recent else np.zeros_like(value)
