"""Generate the fused GPU kernel of a network: Python text that Triton compiles, one function per projection.

A program owns one lifetime and a tile of its postsynaptic neurons, and walks along the presynaptic ones: the pending
update and the next forward pass read each synapse once. The sum over inputs is taken inside one program in an order
that the projection's size alone decides, so that neither the batch nor the grid changes a bit. The normalisers `max`
and `var` need all synapses: then one program owns all of them and walks over its tiles twice, the second time through
weights that are still in the GPU's cache.

Per projection, all float32 and contiguous: states ``(lifetimes, plan.device_width)``, constants ``(genomes, width)``,
each with the shape that its coefficients have, so that a shared one is read by stride 0; activations of all populations
``(lifetimes, spec.activation_width)``. States of neurons are read here, and updated by `TritonKernel`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from hebbevo.networks.kernel_spec import NOW, KernelSpec, ProjectionPlan, Segment, Source, aligned
from hebbevo.networks.triton.functions import LANGUAGE, functions_text
from hebbevo.rules.expression import Expression, Name, names

TILE = 1024
"""Synapses that a program holds at a time: 8 to a thread of 4 warps."""
MAXIMUM_COLUMNS = 128

_ARGUMENTS = "rows, genome_of, states, constants, older, old, new"
_BOTH = (True, True)


def source(spec: KernelSpec) -> str:
    """Return the text of the kernel module; `projection0`, `projection1`, ... with switches LEARN and FORWARD."""
    return "\n\n".join([functions_text(), *(ProjectionText(spec, plan).text() for plan in spec.plans)])


@dataclass(frozen=True)
class ProjectionText:
    """The text of one projection's kernel, and how its arrays lie."""

    spec: KernelSpec
    plan: ProjectionPlan

    @property
    def n_in(self) -> int:
        """Presynaptic neurons."""
        return self.plan.n_in

    @property
    def n_out(self) -> int:
        """Postsynaptic neurons."""
        return self.plan.n_out

    @property
    def tile(self) -> tuple[int, int]:
        """Postsynaptic and presynaptic neurons of a tile: powers of two."""
        columns = min(_power_of_two(self.n_in), MAXIMUM_COLUMNS)
        return min(_power_of_two(self.n_out), max(1, TILE // columns)), columns

    @property
    def owns_the_projection(self) -> bool:
        """Whether one program must see all synapses of a lifetime's layer when it learns."""
        return self.plan.normalisation.needs_the_layer

    def programs(self, learn: bool) -> int:
        """Return how many programs share the postsynaptic neurons of a lifetime."""
        return 1 if learn and self.owns_the_projection else -(-self.n_out // self.tile[0])

    def constant_shape(self, slot: int) -> tuple[int, int]:
        """Return the shape of a constant of one genome; it broadcasts to ``(n_out, n_in)``."""
        post, pre = self.plan.per_neuron(slot)
        return self.n_out if post else 1, self.n_in if pre else 1

    @cached_property
    def constant_starts(self) -> tuple[int, ...]:
        """Where each constant begins in a genome's row, and behind the last one the row's width."""
        starts = [0]
        for slot in range(len(self.plan.constants)):
            starts.append(starts[-1] + aligned(math.prod(self.constant_shape(slot))))
        return tuple(starts)

    def text(self) -> str:
        """Return the function's text."""
        rows, columns = self.tile
        lines = [
            "@triton.jit",
            f"def projection{self.plan.number}({_ARGUMENTS}, LEARN: tl.constexpr, FORWARD: tl.constexpr):",
            "    row = tl.load(rows + tl.program_id(0)).to(tl.int64)",
            f"    state = states + row * {self.plan.device_width}",
            f"    constant = constants + tl.load(genome_of + row).to(tl.int64) * {self.constant_starts[-1]}",
            f"    at_row = row * {self.spec.activation_width}",
            *self._loads(1, (False, False), "0"),
            *_switched(1, "LEARN", self._values("lifetime", "0", "")),
        ]
        if not self.owns_the_projection:
            return "\n".join(
                [
                    *lines,
                    f"    first = tl.program_id(1) * {rows}",
                    *self._tile_rows("LEARN", "FORWARD", False),
                ]
            )
        gathered = f"tl.zeros(({rows}, {columns}), tl.float32)"
        loop = f"for first in range(0, {self.n_out}, {rows}):"
        return "\n".join(
            [
                *lines,
                "    if LEARN:",
                f"        gathered = {gathered}",
                f"        {loop}",
                *_indented(2, self._tile_rows("True", "False", True)),
                "        tl.debug_barrier()",
                *_indented(1, self._statistics(gathered, loop)),
                f"        {loop}",
                *_indented(2, self._tile_rows("False", "FORWARD", True)),
                "    else:",
                f"        first = tl.program_id(1) * {rows}",
                *_indented(1, self._tile_rows("False", "FORWARD", False)),
            ]
        )

    def _tile_rows(self, learn: str, forward: str, normalise: bool) -> list[str]:
        """Return the walk of one tile of postsynaptic neurons, from `first` on, along the presynaptic ones."""
        rows, columns = self.tile
        return [
            f"    o = first + tl.arange(0, {rows})",
            f"    is_post = o < {self.n_out}",
            *self._loads(1, (True, False), "o", "is_post"),
            *_switched(1, learn, self._values("post", "o", "is_post")),
            *_switched(1, forward, [f"total = tl.zeros(({rows}, {columns}), tl.float32)"]),
            f"    for start in range(0, {self.n_in}, {columns}):",
            *self._tile(learn, forward, normalise),
            *_switched(1, forward, self._outputs()),
        ]

    def _tile(self, learn: str, forward: str, normalise: bool) -> list[str]:
        """Return the update and the forward pass of one tile of synapses."""
        weight, states = self.plan.weight, self.plan.synapse_states
        lines = [
            f"        i = start + tl.arange(0, {self.tile[1]})",
            f"        is_pre = i < {self.n_in}",
            "        inside = is_post[:, None] & is_pre[None, :]",
            f"        at = o[:, None] * {self.n_in} + i[None, :]",
            *self._loads(2, (False, True), "i", "is_pre"),
        ]
        updates = learn != "False"
        used = set(names(weight)) | ({"w"} if normalise else set())
        slots = [slot for slot in range(len(self.plan.constants)) if self.plan.per_neuron(slot) == _BOTH]
        early = [slot for slot in slots if f"$k{slot}" in used]
        lines += [f"        {self._constant(slot, 'at', 'inside')}" for slot in early]
        lines += [f"        v_{state} = {self._synapse(state)}" for state in states if state in used]
        if updates:
            late = [self._constant(slot, "at", "inside") for slot in slots if slot not in early]
            late += [f"v_{state} = {self._synapse(state)}" for state in states if state not in used]
            late += self._values("pre", "i", "is_pre")
            lines += _switched(2, learn, [*late, *self._update(gathers=normalise)])
        elif normalise:
            lines += ["        v_w = (v_w - shift) * scale", f"        {self._store('w')}"]
        place, delayed = self.spec.activations[self.plan.projection.source], self.plan.projection.delayed
        contribution = [
            f"signal = {_load(_at('old' if delayed else 'new', place, 'i'), 'is_pre')}[None, :]",
            f"total += tl.where(inside, {self._text(weight)} * signal, 0.0)",
        ]
        return [*lines, *_switched(2, forward, contribution)]

    def _update(self, gathers: bool) -> list[str]:
        changing = {s: e for s, e in self.plan.changing.items() if s in self.plan.synapse_states}
        lines = [f"n_{state} = {self._text(equation)}" for state, equation in changing.items()]
        if bounded := self.plan.normalisation.expressions.get("elementwise"):
            weight = "n_w" if "w" in changing else "v_w"
            lines.append(f"n_w = {LANGUAGE.expression(bounded, lambda _: weight)}")
            changing.setdefault("w", Name("w"))
        lines += [f"v_{state} = n_{state}" for state in changing]
        lines += [self._store(state) for state in changing]
        if gathers and "largest" in self.plan.normalisation.statistics:
            lines.append("gathered = tl.where(inside & (tl.abs(v_w) > gathered), tl.abs(v_w), gathered)")
        elif gathers:
            lines.append("gathered += tl.where(inside, v_w, 0.0)")
        return lines

    def _statistics(self, gathered: str, loop: str) -> list[str]:
        """Return the lines that set `shift` and `scale` from the updated weights."""
        normaliser = self.plan.normalisation
        reduction = "max" if "largest" in normaliser.statistics else "sum"
        lines = [
            f"    statistic = tl.{reduction}(tl.{reduction}(gathered, 1), 0)",
            f"    shift = {self._statistic('shift')}",
        ]
        if "squares" in normaliser.statistics:
            lines += self._squares(gathered, loop)
        return [*lines, f"    scale = {self._statistic('scale')}"]

    def _statistic(self, part: str) -> str:
        """Return the text of the normaliser's shift or scale."""
        gathered = dict.fromkeys(("largest", "total"), "statistic")
        variables = {**gathered, "squares": "squares", "count": f"{self.n_out * self.n_in}.0"}
        return LANGUAGE.expression(self.plan.normalisation.expressions[part], variables.__getitem__)

    def _squares(self, gathered: str, loop: str) -> list[str]:
        """Return the lines that sum the squared distances from `shift` into `squares`."""
        rows, columns = self.tile
        return [
            f"    gathered = {gathered}",
            f"    {loop}",
            f"        o = first + tl.arange(0, {rows})",
            f"        for start in range(0, {self.n_in}, {columns}):",
            f"            i = start + tl.arange(0, {columns})",
            f"            inside = (o < {self.n_out})[:, None] & (i < {self.n_in})[None, :]",
            f"            at = o[:, None] * {self.n_in} + i[None, :]",
            f"            centered = {self._synapse('w')} - shift",
            "            gathered += tl.where(inside, centered * centered, 0.0)",
            "    squares = tl.sum(tl.sum(gathered, 1), 0)",
        ]

    def _outputs(self) -> list[str]:
        """Return the lines that add the sums to the target's drive, and make activations of it if nothing follows."""
        spec, target = self.spec, self.plan.projection.target
        (first, last), place = spec.ends(self.plan), _at("new", spec.activations[target], "o")
        lines = ["drive = tl.sum(total, 1)"]
        if not first:
            lines.append(f"drive = {_load(place, 'is_post')} + drive")
        if last:
            if target in spec.noises:
                lines.append(f"drive += {_load(_at('new', spec.noises[target], 'o'), 'is_post')}")
            if target in spec.drives:
                lines.append(f"tl.store({_at('new', spec.drives[target], 'o')}, drive, mask=is_post)")
            function = spec.network.by_name[target].activation
            lines += [] if function == "identity" else [f"drive = _{function}(drive)"]
        return [*lines, f"tl.store({place}, drive, mask=is_post)"]

    def _values(self, axis: str, index: str, mask: str) -> list[str]:
        """Return the loads of the signals, and of the neurons' states, along an axis that the update reads."""
        plan = self.plan
        equations = [e for s, e in plan.equations.items() if s in plan.synapse_states]
        read = {name for equation in equations for name in names(equation)}
        broadcast = {"post": "[:, None]", "pre": "[None, :]"}.get(axis, "")
        sources = {
            signal: self.spec.source(plan, signal) for signal in sorted(plan.projection.rule.signals & read)
        }
        lines = [
            f"x_{signal} = {_load(_read_from(source, index), mask)}{broadcast}"
            for signal, source in sources.items()
            if source.axis == axis
        ]
        for name in plan.neuron_states:
            if name in read and plan.projection.rule.axis(name) == axis:
                place = f"state + {plan.device_states[name].start} + {index}"
                lines.append(f"v_{name} = {_load(place, mask)}{broadcast}")
        return lines

    def _loads(self, depth: int, where: tuple[bool, bool], index: str, mask: str = "") -> list[str]:
        """Return the loads of the constants that differ along these neurons only."""
        found = [slot for slot in range(len(self.plan.constants)) if self.plan.per_neuron(slot) == where]
        broadcast = {(True, False): "[:, None]", (False, True): "[None, :]"}.get(where, "")
        return ["    " * depth + self._constant(slot, index, mask) + broadcast for slot in found]

    def _constant(self, slot: int, index: str, mask: str) -> str:
        return f"k{slot} = {_load(f'constant + {self.constant_starts[slot]} + {index}', mask)}"

    def _at(self, state: str) -> str:
        return f"state + {self.plan.device_states[state].start} + at"

    def _synapse(self, state: str) -> str:
        return _load(self._at(state), "inside")

    def _text(self, expression: Expression) -> str:
        """Return an expression as kernel text."""
        return LANGUAGE.expression(expression, self._variable)

    def _variable(self, name: str) -> str:
        """Return the variable of a constant, a signal or a state."""
        if name.startswith("$"):
            return name[1:]
        return f"x_{name}" if name in self.plan.projection.rule.signals else f"v_{name}"

    def _store(self, state: str) -> str:
        return f"tl.store({self._at(state)}, v_{state}, mask=inside)"


def _load(address: str, mask: str) -> str:
    return f"tl.load({address}, mask={mask}, other=0.0)" if mask else f"tl.load({address})"


def _indented(depth: int, lines: Iterable[str]) -> list[str]:
    return ["    " * depth + line for line in lines]


def _switched(depth: int, switch: str, lines: list[str]) -> list[str]:
    """Return lines that run if a switch of the kernel is on; the text leaves out what is always off."""
    if switch == "False" or not lines:
        return []
    if switch == "True":
        return _indented(depth, lines)
    return [*_indented(depth, [f"if {switch}:"]), *_indented(depth + 1, lines)]


def _power_of_two(size: int) -> int:
    """Return the smallest power of two that is not below `size`."""
    return 1 << (size - 1).bit_length()


def _at(row: str, segment: Segment, index: str) -> str:
    """Return the address of a lifetime's activations."""
    return f"{row} + at_row + {segment.start} + {index}"


def _read_from(source: Source, index: str) -> str:
    return _at("old" if source.generation == NOW else "older", source.segment, index)
