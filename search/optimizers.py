"""Gradient ascent on the center: plain steps, and Adam (Kingma & Ba 2015, algorithm 1). All in float64."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbevo.search.state import State

Vector = NDArray[np.float64]


class Optimizer(ABC):
    """Turns gradients into steps uphill and remembers what it needs between them."""

    @abstractmethod
    def step(self, gradient: Vector, learning_rate: float) -> Vector:
        """Return the displacement of the center, float64 (dimension,)."""

    @abstractmethod
    def state_dict(self) -> State:
        """Return everything remembered between steps."""

    @abstractmethod
    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Continue from a state of the same layout."""


class Sgd(Optimizer):
    """Steps along the gradient; remembers nothing."""

    def step(self, gradient: Vector, learning_rate: float) -> Vector:
        """Return learning_rate * gradient."""
        return learning_rate * gradient

    def state_dict(self) -> State:
        """Return nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take nothing."""


class Adam(Optimizer):
    """Steps scaled, per coefficient, by running means of the gradient and of its square."""

    def __init__(self, dimension: int, beta1: float, beta2: float, epsilon: float) -> None:
        self._beta1, self._beta2, self._epsilon = beta1, beta2, epsilon
        self._first_moment = np.zeros(dimension)
        self._second_moment = np.zeros(dimension)
        self._steps = 0

    def step(self, gradient: Vector, learning_rate: float) -> Vector:
        """Return learning_rate * m / (sqrt(v) + epsilon), both moments corrected for their start at 0."""
        self._steps += 1
        # m <- beta1 m + (1 - beta1) g;  v <- beta2 v + (1 - beta2) g^2
        self._first_moment = self._beta1 * self._first_moment + (1 - self._beta1) * gradient
        self._second_moment = self._beta2 * self._second_moment + (1 - self._beta2) * gradient**2
        mean = self._first_moment / (1 - self._beta1**self._steps)
        square = self._second_moment / (1 - self._beta2**self._steps)
        return learning_rate * mean / (np.sqrt(square) + self._epsilon)

    def state_dict(self) -> State:
        """Return both moments and the number of steps."""
        return {
            "adam.first_moment": self._first_moment.copy(),
            "adam.second_moment": self._second_moment.copy(),
            "adam.steps": np.array(self._steps, dtype=np.int64),
        }

    def load_state_dict(self, state: Mapping[str, NDArray[Any]]) -> None:
        """Take both moments and the number of steps."""
        self._first_moment = state["adam.first_moment"].copy()
        self._second_moment = state["adam.second_moment"].copy()
        self._steps = int(state["adam.steps"])
