"""The text of one projection's function: its update, and its part of the forward pass.

The inner loop runs over lanes and is elementwise, so that vectorising it reorders no sum. Names in the text: ``s`` a
row of states, ``older``, ``old`` and ``new`` rows of activations (an update reads ``old``, and ``older`` for what was
a step before it; the forward pass writes ``new``), ``x_NAME`` a signal, ``v_NAME`` a state, ``n_NAME`` its next value,
``k0``, ``k1``, ... constants. Names end in the number of their lifetime.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hebbevo.networks.kernel_spec import NOW, KernelSpec, ProjectionPlan
from hebbevo.networks.network_spec import Population
from hebbevo.networks.numba.functions import LANGUAGE
from hebbevo.networks.numba.lines import at, each, folded, indented
from hebbevo.rules.expression import Expression, Name, names

OPTIONS = 'nogil=True, error_model="numpy"'
_PART = f"@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, {OPTIONS})"
"""Parts are called from entries alone: without wrappers for Python they compile faster."""
_SUM = "lanes#[l] += lanes#[l + half]"
_LARGEST = "lanes#[l] = lanes#[l] if lanes#[l] > lanes#[l + half] else lanes#[l + half]"


def entry_name(learn: bool, forward: bool) -> str:
    """Return the name of an entry point."""
    return "_".join(name for name, wanted in (("learn", learn), ("forward", forward)) if wanted)


def rows_of(spec: KernelSpec) -> dict[str, str]:
    """Return the rows of a lifetime that parts take, with the arrays that they are of: no more than are read."""
    rows = {
        "s#": "states",
        "older#": "older",
        "old#": "old",
        "new#": "new",
        "noise#": "noise",
        "lanes#": "lanes",
    }
    unread = ([] if spec.reads_before else ["older#"]) + ([] if spec.noises else ["noise#"])
    return {name: array for name, array in rows.items() if name not in unread}


def means_text(spec: KernelSpec, population: str, states: str, new: str) -> list[str]:
    """Return the lines that put a population's activations into its rings, and take their means."""
    lines: list[str] = []
    for (name, window), mean in spec.means.items():
        if name == population:
            ring, size = spec.rings[name, window], mean.size
            latest = f"{ring.start} + (step % {window}) * {size} + l"
            lines += [
                f"count_of_mean = F(min(step + 1, {window}))",
                f"for l in range({size}):",
                f"    {states}[{latest}] = {new}[{at(spec.activations[name], 'l')}]",
                "    sum_of_mean = ZERO",
                f"    for k in range({window}):",
                f"        sum_of_mean += {states}[{ring.start} + k * {size} + l]",
                f"    {new}[{at(mean, 'l')}] = sum_of_mean / count_of_mean",
            ]
    return lines


@dataclass(frozen=True)
class _Pass:
    """What a pass over synapses does: update, gather what the normaliser asks for, normalise, forward."""

    learn: bool
    forward: bool
    gathers: bool = False
    normalises: bool = False


@dataclass(frozen=True)
class _Neuron:
    """A value that is read once per neuron: a signal or a neuron's state."""

    name: str
    axis: str
    address: str
    """With ``@`` where the neuron's number stands."""


@dataclass(frozen=True)
class ProjectionText:
    """The text of one projection's function, for lifetimes that share a genome: its constants are read once.

    Attributes:
        population: the target.
        first, last: among the projections onto the target: the first clears its sums, the last applies the activation.
    """

    spec: KernelSpec
    plan: ProjectionPlan
    population: Population
    learn: bool
    forward: bool
    together: int
    first: bool
    last: bool

    @property
    def name(self) -> str:
        """Name of the function."""
        return f"projection{self.plan.number}_{entry_name(self.learn, self.forward)}_{self.together}"

    @property
    def without_learning(self) -> str:
        """Name of the function that makes the forward pass alone."""
        return f"projection{self.plan.number}_{entry_name(False, True)}_{self.together}"

    @property
    def _post_lanes(self) -> bool:
        return self.plan.lanes_are_post

    @property
    def _loops(self) -> tuple[int, int]:
        """Length of the outer loop and of the lanes."""
        plan = self.plan
        return (plan.n_in, plan.n_out) if self._post_lanes else (plan.n_out, plan.n_in)

    @property
    def _axes(self) -> tuple[str, str]:
        """Axis of the outer loop and of the lanes."""
        return ("pre", "post") if self._post_lanes else ("post", "pre")

    def _post(self, index: str) -> str:
        return at(self.spec.activations[self.population.name], index)

    def _signal(self, index: str) -> str:
        """Return the source's activation that the forward pass reads."""
        row = "old#" if self.plan.projection.delayed else "new#"
        return f"{row}[{at(self.spec.activations[self.plan.projection.source], index)}]"

    def _constant(self, slot: int, index: str) -> str:
        return f"constants[{at(self.plan.constant_segments[slot], index)}]"

    def _text(self, expression: Expression) -> str:
        return LANGUAGE.expression(expression, self._variable)

    def _variable(self, name: str) -> str:
        """Return the variable of a constant, a state or a signal."""
        if name.startswith("$"):
            return name[1:]
        return f"v_{name}#" if name in self.plan.projection.rule.states else f"x_{name}#"

    def _all(self, *lines: str) -> list[str]:
        """Return the lines for each lifetime in turn."""
        return each(self.together, lines)

    def text(self) -> str:
        """Return the function."""
        rows = self._all(*rows_of(self.spec))
        outputs, new = f"for l in range({self.plan.n_out}):", f"new#[{self._post('l')}]"
        body: list[str] = []
        if self.forward and self._post_lanes and self.first:
            body += [outputs, *indented(self._all(f"{new} = ZERO"))]
        learn = self.learn and self.plan.learns
        if learn and self.plan.normalisation.needs_the_layer:
            body += self._pass(_Pass(learn=True, forward=False, gathers=True))
            body += self._all(*self._statistics())
            body += self._pass(_Pass(learn=False, forward=self.forward, normalises=True))
        else:
            body += self._pass(_Pass(learn, self.forward))
        if learn:
            body += self._neuron_updates()
        if self.forward and self.last:
            body += self._all(*self._activation(new))
        header = f"def {self.name}(constants, {', '.join(rows)}, step):"
        return "\n".join([_PART, header, *indented(body or ["pass"])])

    def _activation(self, new: str) -> list[str]:
        """Return the lines that turn the target's sums into activations."""
        population, spec = self.population, self.spec
        lines = []
        if population.noise is not None:
            drawn = f"noise#[{at(spec.drawn_noises[population.name], 'l')}]"
            lines += [f"new#[{at(spec.noises[population.name], 'l')}] = {drawn}", f"{new} += {drawn}"]
        if population.name in spec.drives:
            lines.append(f"new#[{at(spec.drives[population.name], 'l')}] = {new}")
        if population.activation != "identity":
            lines.append(f"{new} = _{population.activation}({new})")
        means = means_text(spec, population.name, "s#", "new#")
        loop = [f"for l in range({self.plan.n_out}):", *indented(lines)] if lines else []
        return [*loop, *means]

    def _pass(self, over: _Pass) -> list[str]:
        """Return one pass over the synapses."""
        outer, _ = self._loops
        lines = self._clear() if over.gathers else []
        lines += [f"k{slot} = {self._constant(slot, '0')}" for slot in self._slots(over, (False, False))]
        for neuron in self._neurons(over, "lifetime"):
            lines += self._all(f"{neuron.name}# = {neuron.address.replace('@', '0')}")
        whole = outer - outer % self._at_once
        for start, stop, count in ((0, whole, self._at_once), (whole, outer, outer - whole)):
            if start < stop:
                lines.append(f"for o in range({start}, {stop}, {count}):")
                lines += indented(self._outer_rows(over, count))
        return lines

    @property
    def _at_once(self) -> int:
        """How many outer neurons are done in one go, so that sums are loaded and stored less often.

        What streams in from the cache bounds constants of single synapses: more streams would be slower.
        """
        if not self._post_lanes:
            return 1
        return 2 if self.plan.streams else 4

    def _outer_rows(self, over: _Pass, count: int) -> list[str]:
        """Return the lines for outer neurons `o` to `o + count - 1`, whose lanes are updated together."""
        (_, lane), post_lanes = self._loops, self._post_lanes
        outer_axis, lane_axis = self._axes
        slots, neurons = self._slots(over, self._outer), self._neurons(over, outer_axis)
        lines, inner = [], []
        for i in range(count):
            lines += [f"k{slot}_{i} = {self._constant(slot, f'o + {i}')}" for slot in slots]
            for neuron in neurons:
                lines += self._all(f"{neuron.name}#_{i} = {neuron.address.replace('@', f'o + {i}')}")
            if over.forward and post_lanes:
                lines += self._all(f"signal#_{i} = {self._signal(f'o + {i}')}")
        for neuron in self._neurons(over, lane_axis):
            inner += self._all(f"{neuron.name}# = {neuron.address.replace('@', 'l')}")
        inner += [f"k{slot} = {self._constant(slot, 'l')}" for slot in self._slots(over, self._lane)]
        if over.gathers:
            inner += self._all("seen# = lanes#[l]")
        if over.forward and post_lanes:
            inner += self._all(f"total# = new#[{self._post('l')}]")
        for i in range(count):
            inner += [f"k{slot} = k{slot}_{i}" for slot in slots]
            index = f"(o + {i}) * {lane} + l"
            inner += [f"k{slot} = {self._constant(slot, index)}" for slot in self._slots(over, (True, True))]
            for neuron in neurons:
                inner += self._all(f"{neuron.name}# = {neuron.name}#_{i}")
            inner += self._all(*self._at_synapse(over, i, index))
        if over.gathers:
            inner += self._all("lanes#[l] = seen#")
        if over.forward and post_lanes:
            inner += self._all(f"new#[{self._post('l')}] = total#")
        lines += [f"for l in range({lane}):", *indented(inner)]
        if over.forward and not post_lanes:
            sums = "=" if self.first else "+="
            lines += self._all(*folded(lane, _SUM), f"new#[{self._post('o')}] {sums} lanes#[0]")
        return lines

    def _at_synapse(self, over: _Pass, i: int, index: str) -> list[str]:
        """Return the lines for the synapse between outer neuron ``o + i`` and lane ``l``."""
        plan = self.plan
        places = {state: f"s#[{at(plan.states[state], index)}]" for state in plan.synapse_states}
        lines = [f"v_{state}# = {place}" for state, place in places.items()]
        if over.learn:
            changing = {s: e for s, e in plan.changing.items() if s in plan.synapse_states}
            lines += [f"n_{state}# = {self._text(equation)}" for state, equation in changing.items()]
            if bounded := plan.normalisation.expressions.get("elementwise"):
                weight = "n_w#" if "w" in changing else "v_w#"
                lines.append(f"n_w# = {LANGUAGE.expression(bounded, lambda _: weight)}")
                changing.setdefault("w", Name("w"))
            for state in changing:
                lines += [f"v_{state}# = n_{state}#", f"{places[state]} = v_{state}#"]
        if over.gathers and "largest" in plan.normalisation.statistics:
            lines += ["size# = np.abs(v_w#)", "seen# = size# if size# > seen# else seen#"]
        elif over.gathers:
            lines.append("seen# += v_w#")
        if over.normalises:
            lines += ["v_w# = (v_w# - shift#) * scale#", f"{places['w']} = v_w#"]
        if over.forward and self._post_lanes:
            lines.append(f"total# = _fma({self._text(plan.weight)}, signal#_{i}, total#)")
        elif over.forward:
            lines.append(f"lanes#[l] = {self._text(plan.weight)} * {self._signal('l')}")
        return lines

    def _neuron_updates(self) -> list[str]:
        """Return the loops over neurons that update their states, after the synapses have read the old ones."""
        plan, lines = self.plan, []
        for axis, count in (("post", plan.n_out), ("pre", plan.n_in)):
            changing = {s: e for s, e in plan.changing.items() if plan.projection.rule.axis(s) == axis}
            if not changing:
                continue
            read, inner = _read(changing.values()), []
            for slot in range(len(plan.constants)):
                if f"$k{slot}" in read:
                    inner.append(
                        f"k{slot} = {self._constant(slot, 'l' if any(plan.per_neuron(slot)) else '0')}"
                    )
            for neuron in self._values(read | set(changing)):
                place = neuron.address.replace("@", "0" if neuron.axis == "lifetime" else "l")
                inner += self._all(f"{neuron.name}# = {place}")
            inner += self._all(*(f"n_{s}# = {self._text(e)}" for s, e in changing.items()))
            inner += self._all(*(f"s#[{at(plan.states[s], 'l')}] = n_{s}#" for s in changing))
            lines += [f"for l in range({count}):", *indented(inner)]
        return lines

    def _statistics(self) -> list[str]:
        """Return the lines that set `shift` and `scale` from the updated weights."""
        (_, lane), normaliser = self._loops, self.plan.normalisation
        fold = _LARGEST if "largest" in normaliser.statistics else _SUM
        lines = [*folded(lane, fold), "gathered# = lanes#[0]", f"shift# = {self._statistic('shift')}"]
        if "squares" in normaliser.statistics:
            lines += self._squares()
        return [*lines, f"scale# = {self._statistic('scale')}"]

    def _statistic(self, part: str) -> str:
        """Return the text of the normaliser's shift or scale."""
        outer, lane = self._loops
        gathered = dict.fromkeys(("largest", "total"), "gathered#")
        variables = {**gathered, "squares": "lanes#[0]", "count": f"F({outer * lane})"}
        return LANGUAGE.expression(self.plan.normalisation.expressions[part], variables.__getitem__)

    def _squares(self) -> list[str]:
        """Return the lines that sum the squared distances from `shift` into ``lanes#[0]``."""
        outer, lane = self._loops
        weight = at(self.plan.states["w"], f"o * {lane} + l")
        return [
            f"for l in range({lane}):",
            "    lanes#[l] = ZERO",
            f"for o in range({outer}):",
            f"    for l in range({lane}):",
            f"        centered = s#[{weight}] - shift#",
            "        lanes#[l] = _fma(centered, centered, lanes#[l])",
            *folded(lane, _SUM),
        ]

    def _clear(self) -> list[str]:
        return [f"for l in range({self._loops[1]}):", *indented(self._all("lanes#[l] = ZERO"))]

    @property
    def _outer(self) -> tuple[bool, bool]:
        """How `ProjectionPlan.per_neuron` reads for constants that differ along the outer loop only."""
        return (False, True) if self._post_lanes else (True, False)

    @property
    def _lane(self) -> tuple[bool, bool]:
        return (True, False) if self._post_lanes else (False, True)

    def _expressions(self, over: _Pass) -> tuple[Expression, ...]:
        """Return what a pass computes at each synapse."""
        plan = self.plan
        update = [e for s, e in plan.equations.items() if s in plan.synapse_states] if over.learn else []
        return (*update, *([plan.weight] * over.forward))

    def _slots(self, over: _Pass, where: tuple[bool, bool]) -> list[int]:
        """Return the constants that a pass reads and that differ along these neurons: post, pre."""
        read = _read(self._expressions(over))
        slots = range(len(self.plan.constants))
        return [slot for slot in slots if f"$k{slot}" in read and self.plan.per_neuron(slot) == where]

    def _neurons(self, over: _Pass, axis: str) -> list[_Neuron]:
        """Return the signals and neurons' states along an axis that a pass reads."""
        return [neuron for neuron in self._values(_read(self._expressions(over))) if neuron.axis == axis]

    def _values(self, read: set[str]) -> Iterator[_Neuron]:
        """Yield what is read per neuron or per lifetime, of the names read."""
        plan, rule = self.plan, self.plan.projection.rule
        for signal in sorted(rule.signals & read):
            source = self.spec.source(plan, signal)
            row = "old#" if source.generation == NOW else "older#"
            yield _Neuron(f"x_{signal}", source.axis, f"{row}[{at(source.segment, '@')}]")
        for state in plan.neuron_states:
            if state in read:
                yield _Neuron(f"v_{state}", rule.axis(state), f"s#[{at(plan.states[state], '@')}]")


def _read(expressions: Iterable[Expression]) -> set[str]:
    return {name for expression in expressions for name in names(expression)}
