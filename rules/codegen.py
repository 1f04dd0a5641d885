"""Generate the fused CPU kernel of a rule: plain Python text that numba compiles.

One lifetime's synapses of a layer lie side by side as ``[outer, lane]``. The lane is the postsynaptic neuron
where there are at least `MINIMUM_LANES` of them, else the presynaptic one; the inner loop runs over lanes and
is elementwise, so that vectorising it reorders no sum and the bits do not depend on how it was compiled.
Update and forward pass share the loop: a step's pending update and the next forward pass stream a synapse
once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hebbevo.rules.errors import RuleError
from hebbevo.rules.expression import Call, Expression, Name, Number, Operation, Power, names
from hebbevo.rules.normalise import EPSILON
from hebbevo.rules.polynomial import Constants, prepare
from hebbevo.rules.rule import LOCALS, Rule

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
MINIMUM_LANES = 16
_ALIGNMENT = 16
"""Segments start at multiples of 16 floats: one cache line, one widest vector."""

_DECORATOR = '@njit(nogil=True, cache=True, fastmath={"contract", "nsz"}, error_model="numpy")'


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
        sharing: who shares each coefficient (see `hebbevo.rules.layout`).
        normaliser: one of `hebbevo.rules.normalise.NORMALISERS`.
        activation: of the hidden layers; `output` of the last.
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

    def source(self) -> str:
        """Return the text of the kernel module; entry points `forward`, `learn` and `learn_forward`."""
        helpers = (Path(__file__).parent / "cpu_functions.py").read_text()
        parts = [helpers]
        for learn, forward in ((False, True), (True, False), (True, True)):
            for layer in range(len(self.layers)):
                parts.append(_LayerText(self, layer, learn, forward).text())
            parts.append(self._entry(learn, forward))
        return "\n\n".join(parts)

    def _entry(self, learn: bool, forward: bool) -> str:
        name = entry_name(learn, forward)
        first = self.neurons[0]
        lines = [
            _DECORATOR,
            f"def {name}(active, genome_of, states, constants, old, new, observations, lanes):",
            "    for q in range(active.shape[0]):",
            "        r = active[q]",
            "        g = genome_of[r]",
        ]
        if forward:
            lines.append(f"        new[r, {first.start}:{first.stop}] = observations[r]")
        for layer, segment in enumerate(self.synapses):
            pre, post = self.neurons[layer], self.neurons[layer + 1]
            arguments = [
                f"states[r, {k}, {segment.start}:{segment.stop}]" for k in range(len(self.rule.states))
            ]
            arguments += [f"constants[g, {k.start}:{k.stop}]" for k in self.constant_segments[layer]]
            for buffer in ("old", "new"):
                arguments += [
                    f"{buffer}[r, {pre.start}:{pre.stop}]",
                    f"{buffer}[r, {post.start}:{post.stop}]",
                ]
            lines.append(f"        layer{layer}_{name}({', '.join(arguments)}, lanes)")
        return "\n".join(lines)


def aligned(size: int) -> int:
    """Round up to whole cache lines of float32."""
    return -(-size // _ALIGNMENT) * _ALIGNMENT


def entry_name(learn: bool, forward: bool) -> str:
    """Return the name of an entry point."""
    return "_".join(name for name, wanted in (("learn", learn), ("forward", forward)) if wanted)


@dataclass(frozen=True)
class _LayerText:
    """The text of one layer's function."""

    spec: KernelSpec
    layer: int
    learn: bool
    forward: bool

    @property
    def _post_lanes(self) -> bool:
        return self.spec.lanes_are_post(self.layer)

    def text(self) -> str:
        spec = self.spec
        _, n_out = spec.layers[self.layer]
        arrays = [f"s_{state}" for state in spec.rule.states]
        arrays += [f"k{slot}" for slot in range(len(spec.constants))]
        head = f"def layer{self.layer}_{entry_name(self.learn, self.forward)}"
        body = [f"{head}({', '.join(arrays)}, old_x, old_y, x, y, lanes):"]
        if self.forward and self._post_lanes:
            body += [f"    for l in range({n_out}):", "        y[l] = F(0)"]
        two_passes = self.learn and spec.normaliser in ("max", "var") and not spec.rule.is_static
        if not two_passes:
            body += self._loop(self.learn, self.forward, normalise=False)
        else:
            body += self._loop(learn=True, forward=False, normalise=False)
            body += self._statistics()
            body += self._loop(learn=False, forward=self.forward, normalise=True)
        if self.forward:
            last = self.layer == len(spec.layers) - 1
            activation = spec.output if last else spec.activation
            body += [f"    for l in range({n_out}):", f"        y[l] = _{activation}(y[l])"]
        return "\n".join([_DECORATOR, *body])

    def _loop(self, learn: bool, forward: bool, normalise: bool) -> list[str]:
        """Return one pass over the synapses."""
        spec, post_lanes = self.spec, self._post_lanes
        n_in, n_out = spec.layers[self.layer]
        outer, lane = (n_in, n_out) if post_lanes else (n_out, n_in)
        equations, weight, _ = spec._prepared
        used = {name for e in (*(equations.values() if learn else ()), weight) for name in names(e)}
        tracks_maximum = learn and spec.normaliser == "max" and not spec.rule.is_static
        lines = [f"    for l in range({lane}):", "        lanes[l] = F(0)"] if tracks_maximum else []
        lines += [f"    k{slot}_ = k{slot}[0]" for slot in self._slots(False, False) if f"$k{slot}" in used]
        lines.append(f"    for o in range({outer}):")
        lines += [
            f"        k{slot}_ = k{slot}[o]" for slot in self._slots(*self._outer) if f"$k{slot}" in used
        ]
        if learn:
            lines.append("        pre = old_x[o]" if post_lanes else "        post = old_y[o]")
        if forward and post_lanes:
            lines.append("        signal = x[o]")
        lines += [f"        for l in range({lane}):", f"            s = o * {lane} + l"]
        lines += [
            f"            k{slot}_ = k{slot}[s]" for slot in self._slots(True, True) if f"$k{slot}" in used
        ]
        lines += [
            f"            k{slot}_ = k{slot}[l]" for slot in self._slots(*self._lane) if f"$k{slot}" in used
        ]
        lines += [f"            v_{state} = s_{state}[s]" for state in spec.rule.states]
        if learn:
            lines.append("            post = old_y[l]" if post_lanes else "            pre = old_x[l]")
            lines += self._update(equations, tracks_maximum)
        if normalise:
            lines += ["            v_w = (v_w - shift) * scale", "            s_w[s] = v_w"]
        if forward:
            product = f"{_text(weight)} * {'signal' if post_lanes else 'x[l]'}"
            lines.append(f"            {'y[l] +=' if post_lanes else 'lanes[l] ='} {product}")
            if not post_lanes:
                lines += ["        " + line for line in _fold("lanes", lane, "+")] + [
                    "        y[o] = lanes[0]"
                ]
        return lines

    def _update(self, equations: Mapping[str, Expression], tracks_maximum: bool) -> list[str]:
        changing = {state: e for state, e in equations.items() if e != Name(state)}
        lines = [f"            n_{state} = {_text(equation)}" for state, equation in changing.items()]
        if self.spec.normaliser == "clip" and not self.spec.rule.is_static:
            lines.append(f"            n_w = _clip({'n_w' if 'w' in changing else 'v_w'}, F(-1), F(1))")
            changing.setdefault("w", Name("w"))
        lines += [f"            v_{state} = n_{state}" for state in changing]
        lines += [f"            s_{state}[s] = v_{state}" for state in changing]
        if tracks_maximum:
            lines += [
                "            size = np.abs(v_w)",
                "            lanes[l] = size if size > lanes[l] else lanes[l]",
            ]
        return lines

    def _statistics(self) -> list[str]:
        """Return the lines that set `shift` and `scale` from the updated weights."""
        n_in, n_out = self.spec.layers[self.layer]
        outer, lane = (n_in, n_out) if self._post_lanes else (n_out, n_in)
        if self.spec.normaliser == "max":
            return [
                *("    " + line for line in _fold("lanes", lane, "max")),
                "    shift = F(0)",
                "    scale = F(1) / lanes[0] if lanes[0] > F(0) else F(1)",
            ]

        def total(term: str) -> list[str]:
            return [
                f"    for l in range({lane}):",
                "        lanes[l] = F(0)",
                f"    for o in range({outer}):",
                f"        for l in range({lane}):",
                f"            lanes[l] += {term}",
                *("    " + line for line in _fold("lanes", lane, "+")),
            ]

        size = n_in * n_out
        return [
            *total(f"s_w[o * {lane} + l]"),
            f"    shift = lanes[0] / F({size})",
            *total(f"(s_w[o * {lane} + l] - shift) * (s_w[o * {lane} + l] - shift)"),
            f"    scale = F(1) / np.sqrt(lanes[0] / F({size}) + F({EPSILON!r}))",
        ]

    @property
    def _outer(self) -> tuple[bool, bool]:
        """How `KernelSpec.per_neuron` reads for constants that differ along the outer loop only."""
        return (False, True) if self._post_lanes else (True, False)

    @property
    def _lane(self) -> tuple[bool, bool]:
        return (True, False) if self._post_lanes else (False, True)

    def _slots(self, post: bool, pre: bool) -> list[int]:
        return [k for k in range(len(self.spec.constants)) if self.spec.per_neuron(k) == (post, pre)]


def _fold(array: str, size: int, operator: str) -> list[str]:
    """Reduce ``array[:size]`` into ``array[0]`` by halves: a fixed order that vectorises."""
    lines = []
    while size > 1:
        half = (size + 1) // 2
        left, right = f"{array}[l]", f"{array}[l + {half}]"
        result = f"{left} + {right}" if operator == "+" else f"{left} if {left} > {right} else {right}"
        lines += [f"for l in range({size - half}):", f"    {left} = {result}"]
        size = half
    return lines


def _text(expression: Expression) -> str:
    """Return an expression as kernel text; every constant is float32."""
    match expression:
        case Number(value):
            return f"F({value!r})"
        case Name(name):
            if name.startswith("$"):
                return f"{name[1:]}_"
            return name if name in LOCALS else f"v_{name}"
        case Operation(operator, left, right):
            return f"({_text(left)} {operator} {_text(right)})"
        case Call(function, arguments):
            return f"_{function}({', '.join(_text(argument) for argument in arguments)})"
        case Power(base, exponent):
            return f"({' * '.join([_text(base)] * exponent)})"
