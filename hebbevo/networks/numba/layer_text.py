"""Generate the function of one layer of a CPU kernel: its update, its normaliser, its forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.numba.functions import LANGUAGE
from hebbevo.rules.expression import Expression, Name, names
from hebbevo.rules.rule import LOCALS

OPTIONS = 'nogil=True, error_model="numpy"'
"""Of everything that is compiled."""
_LAYER = f"@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, {OPTIONS})"
"""Layers are called from entries alone: without wrappers for Python they compile faster."""

_SUM = "lanes#[l] += lanes#[l + half]"
_LARGEST = "lanes#[l] = lanes#[l] if lanes#[l] > lanes#[l + half] else lanes#[l + half]"


def entry_name(learn: bool, forward: bool) -> str:
    """Return the name of an entry point."""
    return "_".join(name for name, wanted in (("learn", learn), ("forward", forward)) if wanted)


@dataclass(frozen=True)
class _Pass:
    """The parts of a pass over a layer's synapses: update, gather statistics for the normaliser, normalise, forward."""

    learn: bool
    forward: bool
    gathers: bool = False
    normalises: bool = False


@dataclass(frozen=True)
class LayerText:
    """The text of one layer's function, for lifetimes 0, 1, ... that share a genome: its constants are read once.

    Names end in the number of their lifetime.
    """

    spec: KernelSpec
    layer: int
    learn: bool
    forward: bool
    together: int

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

    def _synapse(self, index: str) -> str:
        return _at(self.spec.synapses[self.layer].start, index)

    def _constant(self, slot: int, index: str) -> str:
        return f"constants[{_at(self.spec.constant_segments[self.layer][slot].start, index)}]"

    def _all(self, *lines: str) -> list[str]:
        """Return the lines for each lifetime in turn."""
        return each(self.together, lines)

    def text(self) -> str:
        """Return the text of the function."""
        spec = self.spec
        rows = self._all(*(f"s_{state}#" for state in spec.rule.states), "old#", "new#", "lanes#")
        name = f"layer{self.layer}_{entry_name(self.learn, self.forward)}_{self.together}"
        outputs = f"for l in range({spec.sizes[self.layer + 1]}):"
        new = f"new#[{self._post('l')}]"
        body: list[str] = []
        if self.forward and self._post_lanes:
            body += [outputs, *indented(self._all(f"{new} = ZERO"))]
        if self.learn and spec.normalisation.needs_the_layer:
            body += self._pass(_Pass(learn=True, forward=False, gathers=True))
            body += self._all(*self._statistics())
            body += self._pass(_Pass(learn=False, forward=self.forward, normalises=True))
        else:
            body += self._pass(_Pass(self.learn, self.forward))
        if self.forward:
            function = spec.output if self.layer == len(spec.layers) - 1 else spec.activation
            if function != "identity":
                body += self._all(outputs, f"    {new} = _{function}({new})")
        return "\n".join([_LAYER, f"def {name}(constants, {', '.join(rows)}):", *indented(body)])

    def _pass(self, over: _Pass) -> list[str]:
        """Return one pass over the synapses."""
        outer, _ = self._loops
        lines = self._clear() if over.gathers else []
        lines += [f"k{slot} = {self._constant(slot, '0')}" for slot in self._slots(over, (False, False))]
        grouped = outer - outer % self._at_once
        for start, stop, count in ((0, grouped, self._at_once), (grouped, outer, outer - grouped)):
            if start < stop:
                lines.append(f"for o in range({start}, {stop}, {count}):")
                lines += indented(self._rows(over, count))
        return lines

    @property
    def _at_once(self) -> int:
        """How many outer neurons are done in one go, so that sums are loaded and stored less often.

        Constants of single synapses are bound by the bandwidth of the cache: more streams would be slower.
        """
        if not self._post_lanes:
            return 1
        return 2 if self.spec.streams else 4

    def _rows(self, over: _Pass, count: int) -> list[str]:
        """Return the lines for outer neurons `o` to `o + count - 1`, whose lanes are updated together."""
        (_, lane), post_lanes = self._loops, self._post_lanes
        slots = self._slots(over, self._outer)
        outer_name, lane_name = ("pre", "post") if post_lanes else ("post", "pre")
        outer_at, lane_at = (self._pre, self._post) if post_lanes else (self._post, self._pre)
        lines, inner = [], []
        for i in range(count):
            lines += [f"k{slot}_{i} = {self._constant(slot, f'o + {i}')}" for slot in slots]
            if over.learn:
                lines += self._all(f"{outer_name}#_{i} = old#[{outer_at(f'o + {i}')}]")
            if over.forward and post_lanes:
                lines += self._all(f"signal#_{i} = new#[{self._pre(f'o + {i}')}]")
        if over.learn:
            inner += self._all(f"{lane_name}# = old#[{lane_at('l')}]")
        inner += [f"k{slot} = {self._constant(slot, 'l')}" for slot in self._slots(over, self._lane)]
        if over.gathers:
            inner += self._all("seen# = lanes#[l]")
        if over.forward and post_lanes:
            inner += self._all(f"total# = new#[{self._post('l')}]")
        for i in range(count):
            inner += [f"k{slot} = k{slot}_{i}" for slot in slots]
            index = f"(o + {i}) * {lane} + l"
            inner += [f"k{slot} = {self._constant(slot, index)}" for slot in self._slots(over, (True, True))]
            if over.learn:
                inner += self._all(f"{outer_name}# = {outer_name}#_{i}")
            inner += self._all(*self._at_synapse(over, i, self._synapse(index)))
        if over.gathers:
            inner += self._all("lanes#[l] = seen#")
        if over.forward and post_lanes:
            inner += self._all(f"new#[{self._post('l')}] = total#")
        lines += [f"for l in range({lane}):", *indented(inner)]
        if over.forward and not post_lanes:
            lines += self._all(*_folded(lane, _SUM), f"new#[{self._post('o')}] = lanes#[0]")
        return lines

    def _at_synapse(self, over: _Pass, i: int, index: str) -> list[str]:
        """Return the lines for the synapse between outer neuron ``o + i`` and lane ``l``."""
        spec = self.spec
        lines = [f"v_{state}# = s_{state}#[{index}]" for state in spec.rule.states]
        if over.learn:
            changing = {state: e for state, e in spec.equations.items() if e != Name(state)}
            lines += [f"n_{state}# = {_text(equation)}" for state, equation in changing.items()]
            if bounded := spec.normalisation.expressions.get("elementwise"):
                weight = "n_w#" if "w" in changing else "v_w#"
                lines.append(f"n_w# = {LANGUAGE.expression(bounded, lambda _: weight)}")
                changing.setdefault("w", Name("w"))
            for state in changing:
                lines += [f"v_{state}# = n_{state}#", f"s_{state}#[{index}] = v_{state}#"]
        if over.gathers and "largest" in spec.normalisation.statistics:
            lines += ["size# = np.abs(v_w#)", "seen# = size# if size# > seen# else seen#"]
        elif over.gathers:
            lines.append("seen# += v_w#")
        if over.normalises:
            lines += ["v_w# = (v_w# - shift#) * scale#", f"s_w#[{index}] = v_w#"]
        if over.forward and self._post_lanes:
            lines.append(f"total# = _fma({_text(spec.weight)}, signal#_{i}, total#)")
        elif over.forward:
            lines.append(f"lanes#[l] = {_text(spec.weight)} * new#[{self._pre('l')}]")
        return lines

    def _statistics(self) -> list[str]:
        """Return the lines that set `shift` and `scale` from the updated weights."""
        (_, lane), normaliser = self._loops, self.spec.normalisation
        fold = _LARGEST if "largest" in normaliser.statistics else _SUM
        lines = [*_folded(lane, fold), "gathered# = lanes#[0]", f"shift# = {self._statistic('shift')}"]
        if "squares" in normaliser.statistics:
            lines += self._squares()
        return [*lines, f"scale# = {self._statistic('scale')}"]

    def _statistic(self, part: str) -> str:
        """Return the text of the normaliser's shift or scale."""
        outer, lane = self._loops
        gathered = dict.fromkeys(("largest", "total"), "gathered#")
        variables = {**gathered, "squares": "lanes#[0]", "count": f"F({outer * lane})"}
        return LANGUAGE.expression(self.spec.normalisation.expressions[part], variables.__getitem__)

    def _squares(self) -> list[str]:
        """Return the lines that sum the squared distances from `shift` into ``lanes#[0]``."""
        outer, lane = self._loops
        return [
            f"for l in range({lane}):",
            "    lanes#[l] = ZERO",
            f"for o in range({outer}):",
            f"    for l in range({lane}):",
            f"        centered = s_w#[{self._synapse(f'o * {lane} + l')}] - shift#",
            "        lanes#[l] = _fma(centered, centered, lanes#[l])",
            *_folded(lane, _SUM),
        ]

    def _clear(self) -> list[str]:
        return [f"for l in range({self._loops[1]}):", *indented(self._all("lanes#[l] = ZERO"))]

    @property
    def _outer(self) -> tuple[bool, bool]:
        """How `KernelSpec.per_neuron` reads for constants that differ along the outer loop only."""
        return (False, True) if self._post_lanes else (True, False)

    @property
    def _lane(self) -> tuple[bool, bool]:
        return (True, False) if self._post_lanes else (False, True)

    def _slots(self, over: _Pass, where: tuple[bool, bool]) -> list[int]:
        """Return the constants that a pass reads and that differ along these neurons: post, pre."""
        spec = self.spec
        read = (*(spec.equations.values() if over.learn else ()), *([spec.weight] * over.forward))
        used = {name for expression in read for name in names(expression)}
        return [
            slot
            for slot in range(len(spec.constants))
            if f"$k{slot}" in used and spec.per_neuron(slot) == where
        ]


def _folded(size: int, line: str) -> list[str]:
    """Return the lines that reduce ``lanes[:size]`` to ``lanes[0]`` by halves: a fixed order that vectorises."""
    lines = []
    while size > 1:
        half = (size + 1) // 2
        lines += [f"for l in range({size - half}):", f"    {line.replace('half', str(half))}"]
        size = half
    return lines


def each(together: int, lines: Sequence[str]) -> list[str]:
    """Return the lines for lifetimes 0, 1, ..., whose number stands for ``#``."""
    return [line.replace("#", str(j)) for j in range(together) for line in lines]


def indented(lines: Sequence[str]) -> list[str]:
    """Return the lines one level deeper."""
    return [f"    {line}" for line in lines]


def _at(start: int, index: str) -> str:
    """Return the text of an index into a row whose segment starts at `start`."""
    return f"{start} + {index}" if start else index


def _text(expression: Expression) -> str:
    """Return an expression as kernel text."""
    return LANGUAGE.expression(expression, _variable)


def _variable(name: str) -> str:
    """Return the variable of a constant, a local quantity or a state."""
    if name.startswith("$"):
        return name[1:]
    return f"{name}#" if name in LOCALS else f"v_{name}#"
