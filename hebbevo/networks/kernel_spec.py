"""What the kernels of a rule depend on: prepared equations, the network, and the position of every number in a row.

One lifetime's synapses of a layer lie side by side as ``[outer, lane]``. The lane is the postsynaptic neuron where
there are at least `MINIMUM_LANES` of them, else the presynaptic one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from hebbevo.errors import RuleError, unknown
from hebbevo.networks.normalisers import NORMALISERS, Normaliser
from hebbevo.networks.polynomial import Constants, prepare
from hebbevo.rules.expression import Expression, names
from hebbevo.rules.rule import Rule

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
MINIMUM_LANES = 16
_ALIGNMENT = 16
"""Segments start at multiples of 16 floats: one cache line, one widest vector."""


@dataclass(frozen=True)
class Segment:
    """Where an array of one layer lies in a lifetime's or genome's row, and how: transposed or not."""

    start: int
    size: int
    shape: tuple[int, int]
    transposed: bool

    @property
    def stop(self) -> int:
        """First index behind it."""
        return self.start + self.size


@dataclass(frozen=True)
class KernelSpec:
    """All that a kernel's text depends on.

    Attributes:
        sizes: neurons per layer, input first.
        sharing: who shares each coefficient (see `hebbevo.networks.layout`).
        normaliser: name of one of `hebbevo.networks.normalisers.NORMALISERS`.
        activation: of the hidden layers, one of `ACTIVATIONS`.
        output: of the last layer, likewise.
    """

    rule: Rule
    sizes: tuple[int, ...]
    sharing: Mapping[str, str]
    normaliser: str = "none"
    activation: str = "tanh"
    output: str = "tanh"

    def __post_init__(self) -> None:
        if self.rule.uses_modulator:
            raise RuleError(
                f"rule {self.rule.name!r} uses the modulator m, which no network here provides yet"
            )
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise RuleError(f"a network needs two or more layers of neurons, got {self.sizes}")
        _check_known("normaliser", self.normaliser, NORMALISERS)
        for activation in (self.activation, self.output):
            _check_known("activation", activation, ACTIVATIONS)
        if missing := [name for name in self.rule.coefficients if name not in self.sharing]:
            raise RuleError(f"no sharing is given for coefficient {missing[0]!r}; see resolve_sharing")

    @property
    def normalisation(self) -> Normaliser:
        """The normaliser of updates: none where the rule changes nothing."""
        return NORMALISERS["none" if self.rule.is_static else self.normaliser]

    @property
    def layers(self) -> tuple[tuple[int, int], ...]:
        """``(n_in, n_out)`` per layer."""
        return tuple(zip(self.sizes, self.sizes[1:], strict=False))

    @cached_property
    def _prepared(self) -> tuple[dict[str, Expression], Expression, tuple[Expression, ...]]:
        constants = Constants()
        variables = (*reversed(self.rule.states), "post", "pre")
        equations = {
            state: prepare(equation, variables, constants) for state, equation in self.rule.equations.items()
        }
        weight = prepare(self.rule.weight, variables, constants)
        return equations, weight, tuple(constants.expressions)

    @property
    def equations(self) -> Mapping[str, Expression]:
        """Next value of each state, over the states, `post`, `pre` and the constants ``$k0``, ``$k1``, ..."""
        return self._prepared[0]

    @property
    def weight(self) -> Expression:
        """Weight of the forward pass, over the states and the constants."""
        return self._prepared[1]

    @property
    def constants(self) -> tuple[Expression, ...]:
        """Expressions of coefficients alone, computed once per lifetime, in slot order."""
        return self._prepared[2]

    def lanes_are_post(self, layer: int) -> bool:
        """Whether the inner loop of layer 0, 1, ... runs over postsynaptic neurons."""
        return self.layers[layer][1] >= MINIMUM_LANES

    def per_neuron(self, slot: int) -> tuple[bool, bool]:
        """Whether a constant differs between postsynaptic, and between presynaptic neurons of a layer."""
        shared = [self.sharing[name] for name in names(self.constants[slot])]
        return any(s in ("synapse", "post") for s in shared), any(s in ("synapse", "pre") for s in shared)

    @property
    def streams(self) -> bool:
        """Whether there are constants of single synapses, so many that memory bounds the speed."""
        return any(self.per_neuron(slot) == (True, True) for slot in range(len(self.constants)))

    @cached_property
    def synapses(self) -> tuple[Segment, ...]:
        """Segment of each layer's synapses in a row of states."""
        return tuple(self._segments([(n_out, n_in, i) for i, (n_in, n_out) in enumerate(self.layers)]))

    @cached_property
    def constant_segments(self) -> tuple[tuple[Segment, ...], ...]:
        """Per layer and constant, its segment in a row of constants."""
        shapes = []
        for layer, (n_in, n_out) in enumerate(self.layers):
            for slot in range(len(self.constants)):
                post, pre = self.per_neuron(slot)
                shapes.append((n_out if post else 1, n_in if pre else 1, layer))
        flat, width = tuple(self._segments(shapes)), len(self.constants)
        return tuple(flat[width * layer : width * (layer + 1)] for layer in range(len(self.layers)))

    @cached_property
    def neurons(self) -> tuple[Segment, ...]:
        """Segment of each layer's activations in a row, the input first."""
        return tuple(self._segments([(1, size, 0) for size in self.sizes]))

    def _segments(self, shapes: Sequence[tuple[int, int, int]]) -> Iterator[Segment]:
        start = 0
        for rows, columns, layer in shapes:
            yield Segment(start, rows * columns, (rows, columns), self.lanes_are_post(layer))
            start += aligned(rows * columns)


def aligned(size: int) -> int:
    """Round up to whole cache lines of float32."""
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def _check_known(kind: str, name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise RuleError(unknown(kind, name, known))
