"""Generate the fused CPU kernel of a rule: plain Python text that numba compiles.

One lifetime's synapses of a layer lie side by side as ``[outer, lane]``. The lane is the postsynaptic neuron
where there are at least `MINIMUM_LANES` of them, else the presynaptic one; the inner loop runs over lanes and
is elementwise, so that vectorising it reorders no sum and the bits do not depend on how it was compiled.
Update and forward pass share the loop: a step's pending update and the next forward pass stream a synapse
once.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from hebbevo.rules.errors import RuleError
from hebbevo.rules.expression import Call, Expression, Name, Number, Operation, Power, names
from hebbevo.rules.normalise import EPSILON, NORMALISERS
from hebbevo.rules.polynomial import Constants, prepare
from hebbevo.rules.rule import LOCALS, Rule

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
MINIMUM_LANES = 16
_ALIGNMENT = 16
"""Segments start at multiples of 16 floats: one cache line, one widest vector."""

_OPTIONS = 'nogil=True, fastmath={"contract", "nsz"}, error_model="numpy"'
_ENTRY = f"@njit(cache=True, no_cfunc_wrapper=True, {_OPTIONS})"
_LAYER = f"@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, {_OPTIONS})"
"""Layers are called from entries alone: without wrappers for Python they compile faster."""

_WHERE = ((False, False), (False, True), (True, False), (True, True))
"""Along which neurons a constant can differ: post, pre; see `KernelSpec.per_neuron`."""


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
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise RuleError(f"a network needs two or more layers of neurons, got {self.sizes}")
        _check_known("normaliser", self.normaliser, NORMALISERS)
        for activation in (self.activation, self.output):
            _check_known("activation", activation, ACTIVATIONS)
        if missing := [name for name in self.rule.coefficients if name not in self.sharing]:
            raise RuleError(f"no sharing is given for coefficient {missing[0]!r}; see resolve_sharing")

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
        helpers = (Path(__file__).parent / "cpu_functions.py").read_text("utf-8")
        parts = [helpers]
        for learn, forward in ((False, True), (True, False), (True, True)):
            for layer in range(len(self.layers)):
                parts.append(_LayerText(self, layer, learn, forward).text())
            parts.append(self._entry(learn, forward))
        return "\n\n".join(parts)

    def _entry(self, learn: bool, forward: bool) -> str:
        name = entry_name(learn, forward)
        first = self.neurons[0]
        states = [f"states[r, {k}]" for k in range(len(self.rule.states))]
        arguments = ", ".join([*states, "constants[g]", "old[r]", "new[r]", "lanes"])
        lines = [
            _ENTRY,
            f"def {name}(active, genome_of, states, constants, old, new, observations, lanes):",
            "    for q in range(active.shape[0]):",
            "        r = active[q]",
            "        g = genome_of[r]",
        ]
        if forward:
            lines += [
                f"        for i in range({first.size}):",
                f"            new[r, {first.start} + i] = observations[r, i]",
            ]
        lines += [f"        layer{layer}_{name}({arguments})" for layer in range(len(self.layers))]
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

    @property
    def _loops(self) -> tuple[int, int]:
        """Length of the outer loop and of the lanes."""
        n_in, n_out = self.spec.layers[self.layer]
        return (n_in, n_out) if self._post_lanes else (n_out, n_in)

    def _pre(self, index: str) -> str:
        return _at(self.spec.neurons[self.layer].start, index)

    def _post(self, index: str) -> str:
        return _at(self.spec.neurons[self.layer + 1].start, index)

    def _synapse(self) -> str:
        return _at(self.spec.synapses[self.layer].start, f"o * {self._loops[1]} + l")

    def _constant(self, slot: int, index: str) -> str:
        start = self.spec.constant_segments[self.layer][slot].start
        return f"k{slot} = constants[{_at(start, index)}]"

    def text(self) -> str:
        spec = self.spec
        states = ", ".join(f"s_{state}" for state in spec.rule.states)
        name = f"layer{self.layer}_{entry_name(self.learn, self.forward)}"
        body = [f"def {name}({states}, constants, old, new, lanes):"]
        clear = [
            f"    for l in range({spec.sizes[self.layer + 1]}):",
            f"        new[{self._post('l')}] = ZERO",
        ]
        if self.forward and self._post_lanes:
            body += clear
        two_passes = self.learn and spec.normaliser in ("max", "var") and not spec.rule.is_static
        if not two_passes:
            body += self._loop(self.learn, self.forward, normalise=False)
        else:
            body += self._loop(learn=True, forward=False, normalise=False)
            body += self._statistics()
            body += self._loop(learn=False, forward=self.forward, normalise=True)
        if self.forward:
            function = spec.output if self.layer == len(spec.layers) - 1 else spec.activation
            y = f"new[{self._post('l')}]"
            body += [f"    for l in range({spec.sizes[self.layer + 1]}):", f"        {y} = _{function}({y})"]
        return "\n".join([_LAYER, *body])

    def _loop(self, learn: bool, forward: bool, normalise: bool) -> list[str]:
        """Return one pass over the synapses."""
        spec, post_lanes = self.spec, self._post_lanes
        outer, lane = self._loops
        equations, weight, _ = spec._prepared
        used = {
            name for e in (*(equations.values() if learn else ()), *([weight] * forward)) for name in names(e)
        }
        slots = {where: [k for k in self._slots(*where) if f"$k{k}" in used] for where in _WHERE}
        gathers = learn and spec.normaliser in ("max", "var") and not spec.rule.is_static
        lines = _clear(lane) if gathers else []
        lines += [f"    {self._constant(slot, '0')}" for slot in slots[False, False]]
        lines.append(f"    for o in range({outer}):")
        lines += [f"        {self._constant(slot, 'o')}" for slot in slots[self._outer]]
        if learn:
            lines.append(
                f"        pre = old[{self._pre('o')}]"
                if post_lanes
                else f"        post = old[{self._post('o')}]"
            )
        if forward and post_lanes:
            lines.append(f"        signal = new[{self._pre('o')}]")
        lines.append(f"        for l in range({lane}):")
        full = f"o * {lane} + l"
        lines += [f"            {self._constant(slot, full)}" for slot in slots[True, True]]
        lines += [f"            {self._constant(slot, 'l')}" for slot in slots[self._lane]]
        lines += [f"            v_{state} = s_{state}[{self._synapse()}]" for state in spec.rule.states]
        if learn:
            lines.append(
                f"            post = old[{self._post('l')}]"
                if post_lanes
                else f"            pre = old[{self._pre('l')}]"
            )
            lines += self._update(equations, gathers)
        if normalise:
            lines += ["            v_w = (v_w - shift) * scale", f"            s_w[{self._synapse()}] = v_w"]
        if forward and post_lanes:
            lines.append(f"            new[{self._post('l')}] += {_text(weight)} * signal")
        elif forward:
            lines.append(f"            lanes[l] = {_text(weight)} * new[{self._pre('l')}]")
            lines.append(f"        new[{self._post('o')}] = _sum(lanes, {lane})")
        return lines

    def _update(self, equations: Mapping[str, Expression], gathers: bool) -> list[str]:
        changing = {state: e for state, e in equations.items() if e != Name(state)}
        lines = [f"            n_{state} = {_text(equation)}" for state, equation in changing.items()]
        if self.spec.normaliser == "clip" and not self.spec.rule.is_static:
            lines.append(f"            n_w = _clip({'n_w' if 'w' in changing else 'v_w'}, F(-1), F(1))")
            changing.setdefault("w", Name("w"))
        lines += [f"            v_{state} = n_{state}" for state in changing]
        lines += [f"            s_{state}[{self._synapse()}] = v_{state}" for state in changing]
        if gathers and self.spec.normaliser == "max":
            lines += [
                "            size = np.abs(v_w)",
                "            lanes[l] = size if size > lanes[l] else lanes[l]",
            ]
        elif gathers:
            lines.append("            lanes[l] += v_w")
        return lines

    def _statistics(self) -> list[str]:
        """Return the lines that set `shift` and `scale` from the updated weights."""
        outer, lane = self._loops
        if self.spec.normaliser == "max":
            return [
                "    shift = ZERO",
                f"    largest = _largest(lanes, {lane})",
                "    scale = ONE / largest if largest > ZERO else ONE",
            ]
        return [
            f"    shift = _sum(lanes, {lane}) / F({outer * lane})",
            *_clear(lane),
            f"    for o in range({outer}):",
            f"        for l in range({lane}):",
            f"            centred = s_w[{self._synapse()}] - shift",
            "            lanes[l] += centred * centred",
            f"    variance = _sum(lanes, {lane}) / F({outer * lane})",
            f"    scale = ONE / np.sqrt(variance + F({EPSILON!r}))",
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


def _check_known(what: str, name: str, known: Sequence[str]) -> None:
    if name not in known:
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        raise RuleError(f"unknown {what} {name!r}; {hint}")


def _clear(lane: int) -> list[str]:
    return [f"    for l in range({lane}):", "        lanes[l] = ZERO"]


def _at(start: int, index: str) -> str:
    """Return the text of an index into a row whose segment starts at `start`."""
    return f"{start} + {index}" if start else index


def _text(expression: Expression) -> str:
    """Return an expression as kernel text; every constant is float32."""
    match expression:
        case Number(value):
            return f"F({value!r})" if math.isfinite(value) else f"F(np.{value!r})"
        case Name(name):
            if name.startswith("$"):
                return name[1:]
            return name if name in LOCALS else f"v_{name}"
        case Operation(operator, left, right):
            return f"({_text(left)} {operator} {_text(right)})"
        case Call(function, arguments):
            return f"_{function}({', '.join(_text(argument) for argument in arguments)})"
        case Power(base, exponent):
            return f"_power{exponent}({_text(base)})"
