"""What the kernels of a network depend on: its rules made ready, and where every number lies in a row.

One lifetime's synapses of a projection lie side by side as ``[outer, lane]``. The lane is the postsynaptic neuron where
there are at least `MINIMUM_LANES` of them, else the presynaptic one.

Rows of a lifetime: states (of synapses and neurons, and the last activations where a rule reads their mean), and three
generations of activations, which take turns: those of this step, of the step before, and of the one before that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from hebbevo.errors import RuleError
from hebbevo.networks.encodings import encoding
from hebbevo.networks.network_spec import NetworkSpec, Population, Projection
from hebbevo.networks.normalisers import NORMALISERS, Normaliser
from hebbevo.networks.polynomial import Constants, prepare
from hebbevo.rules.expression import Expression, Name, names
from hebbevo.rules.signals import SIGNALS

MOST_NUMBERS = 1 << 28
"""A lifetime takes no more than 1 GiB."""

MINIMUM_LANES = 16
_ALIGNMENT = 16
"""Segments start at multiples of 16 floats: one cache line, one widest vector."""

NOW, BEFORE = "now", "before"
"""Generations of activations that an update reads: of the step that it belongs to, or of the one before."""


@dataclass(frozen=True)
class Segment:
    """Where an array lies in a row, and how: transposed or not."""

    start: int
    size: int
    shape: tuple[int, int]
    transposed: bool = False

    @property
    def stop(self) -> int:
        """First index behind it."""
        return self.start + self.size


class RowLayout:
    """Segments one after the other, each from a new cache line on, or without gaps."""

    def __init__(self, *, gaps: bool = True) -> None:
        self.width, self._gaps = 0, gaps

    def add(self, rows: int, columns: int, transposed: bool = False) -> Segment:
        """Append an array."""
        segment = Segment(self.width, rows * columns, (rows, columns), transposed)
        self.width += aligned(segment.size) if self._gaps else segment.size
        return segment


@dataclass(frozen=True)
class Source:
    """Where an update reads a signal: from a segment of a generation of activations, along an axis."""

    axis: str
    generation: str
    segment: Segment


class ProjectionPlan:
    """A projection as kernels see it.

    Attributes:
        number: 0, 1, ... in the order of the network's projections.
        n_out, n_in: neurons of target and source.
        states: segment of each state, in a row of states.
        constants: expressions of coefficients alone, computed once per lifetime, in slot order.
        constant_segments: where each constant lies in a genome's row.
        equations: next value of each state, over states, signals and the constants ``$k0``, ``$k1``, ...
        weight: that of the forward pass, over states and constants.
    """

    def __init__(self, number: int, projection: Projection, shape: tuple[int, int]) -> None:
        self.number, self.projection = number, projection
        self.n_out, self.n_in = shape
        rule, constants = projection.rule, Constants()
        extra = sorted(rule.signals - {"pre", "post"})
        variables = (*reversed(rule.states), *extra, "post", "pre")
        self.equations: Mapping[str, Expression] = {
            state: prepare(equation, variables, constants) for state, equation in rule.equations.items()
        }
        self.weight = prepare(rule.weight, variables, constants)
        self.constants = tuple(constants.expressions)
        self.states: dict[str, Segment] = {}
        self.constant_segments: tuple[Segment, ...] = ()

    @property
    def lanes_are_post(self) -> bool:
        """Whether the inner loop runs over postsynaptic neurons."""
        return self.n_out >= MINIMUM_LANES

    @cached_property
    def synapse_states(self) -> tuple[str, ...]:
        """States that every synapse has."""
        return tuple(s for s in self.projection.rule.states if self.projection.rule.axis(s) == "synapse")

    @cached_property
    def neuron_states(self) -> tuple[str, ...]:
        """States that a neuron has, of the source or of the target."""
        return tuple(s for s in self.projection.rule.states if self.projection.rule.axis(s) != "synapse")

    def state_shape(self, state: str) -> tuple[int, int]:
        """Return the shape of a state, which broadcasts against ``(n_out, n_in)``."""
        return self.projection.state_shape(state, self.n_out, self.n_in)

    @cached_property
    def device_states(self) -> Mapping[str, Segment]:
        """Where each state lies in a row of this projection alone, without gaps, as devices hold it."""
        row, rule = RowLayout(gaps=False), self.projection.rule
        return {state: row.add(*self.state_shape(state)) for state in rule.states}

    @property
    def device_width(self) -> int:
        """Numbers in such a row."""
        return sum(segment.size for segment in self.device_states.values())

    def per_neuron(self, slot: int) -> tuple[bool, bool]:
        """Whether a constant differs between postsynaptic, and between presynaptic neurons."""
        sharing = self.projection.sharing
        axes = [encoding(sharing[name]).axes(name) for name in names(self.constants[slot])]
        return any(post for post, _ in axes), any(pre for _, pre in axes)

    @cached_property
    def streams(self) -> bool:
        """Whether there are constants of single synapses, so many that memory bounds the speed."""
        return any(self.per_neuron(slot) == (True, True) for slot in range(len(self.constants)))

    @cached_property
    def changing(self) -> Mapping[str, Expression]:
        """Equations of the states that change."""
        return {state: equation for state, equation in self.equations.items() if equation != Name(state)}

    @cached_property
    def learns(self) -> bool:
        """Whether a lifetime changes anything."""
        return not self.projection.rule.is_static

    @property
    def normalisation(self) -> Normaliser:
        """The normaliser of updates: none where the rule changes nothing."""
        return NORMALISERS[self.projection.normaliser if self.learns else "none"]


class KernelSpec:
    """All that the text of a network's kernel depends on."""

    def __init__(self, network: NetworkSpec) -> None:
        self.network = network
        shapes = map(network.shape, network.projections)
        self.plans = tuple(
            ProjectionPlan(number, projection, shape)
            for number, (projection, shape) in enumerate(zip(network.projections, shapes, strict=True))
        )
        self._lay_out_constants()
        self._lay_out_activations()
        self._lay_out_states()
        if self.numbers > MOST_NUMBERS:
            raise RuleError(
                f"a lifetime of this network would keep {self.numbers:,} numbers, more than {MOST_NUMBERS:,}; "
                "use smaller populations, shorter windows, or a rule with fewer states and coefficients"
            )

    @property
    def numbers(self) -> int:
        """How many numbers a lifetime keeps: states, coefficients, and activations of three steps."""
        return self.state_width + self.constant_width + 3 * self.activation_width

    def __eq__(self, other: object) -> bool:
        return self.network == other.network if isinstance(other, KernelSpec) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.network)

    @cached_property
    def ordered(self) -> tuple[tuple[Population, tuple[ProjectionPlan, ...]], ...]:
        """Populations in the order of the forward pass, each with the projections onto it."""
        return tuple(
            (population, tuple(plan for plan in self.plans if plan.projection.target == population.name))
            for population in self.network.order
        )

    def ends(self, plan: ProjectionPlan) -> tuple[bool, bool]:
        """Whether a projection is the first, and whether it is the last, that its target sums."""
        return self._ends[plan.number]

    @cached_property
    def _ends(self) -> Mapping[int, tuple[bool, bool]]:
        onto = (plans for _, plans in self.ordered)
        return {plan.number: (plan is plans[0], plan is plans[-1]) for plans in onto for plan in plans}

    @cached_property
    def learns(self) -> bool:
        """Whether a lifetime changes any projection."""
        return any(plan.learns for plan in self.plans)

    @cached_property
    def uses_reward(self) -> bool:
        """Whether a rule or an input reads the reward."""
        inputs = any(population.name == "reward" for population in self.network.inputs)
        return inputs or any("reward" in plan.projection.rule.signals for plan in self.plans)

    @cached_property
    def reads_before(self) -> bool:
        """Whether an update reads activations of the step before its own."""
        sources = (
            self.source(plan, signal) for plan in self.plans for signal in plan.projection.rule.signals
        )
        return any(source.generation == BEFORE for source in sources)

    def due(self, step: int) -> int:
        """Return which projections change after step 0, 1, ...: a bit each."""
        due = self._always_due
        for plan in self._sometimes_due:
            due |= plan.projection.is_due(step) << plan.number
        return due

    @cached_property
    def _always_due(self) -> int:
        return sum(1 << plan.number for plan in self.plans if plan.learns and plan.projection.every == 1)

    @cached_property
    def _sometimes_due(self) -> tuple[ProjectionPlan, ...]:
        return tuple(plan for plan in self.plans if plan.learns and plan.projection.every > 1)

    @cached_property
    def longest(self) -> int:
        """Neurons of the largest population."""
        return max(population.size for population in self.network.populations)

    def source(self, plan: ProjectionPlan, signal: str) -> Source:
        """Return where the update of a projection reads a signal."""
        projection = plan.projection
        population = {"pre": projection.source, "pre_last": projection.source}.get(signal, projection.target)
        if signal in projection.signals:
            population = projection.signals[signal]
            segment = self.activations[population]
            return Source("lifetime" if segment.size == 1 else "post", NOW, segment)
        axis = SIGNALS[signal].axis
        if signal == "reward":
            return Source(axis, NOW, self.reward)
        if signal in ("drive", "noise"):
            return Source(axis, NOW, (self.drives if signal == "drive" else self.noises)[population])
        late = signal in ("pre_last", "post_last") or (signal == "pre" and projection.delayed)
        if projection.window > 1 and signal in ("pre", "post"):
            return Source(axis, BEFORE if late else NOW, self.means[population, projection.window])
        return Source(axis, BEFORE if late else NOW, self.activations[population])

    def _lay_out_constants(self) -> None:
        row = RowLayout()
        for plan in self.plans:
            plan.constant_segments = tuple(
                row.add(plan.n_out if post else 1, plan.n_in if pre else 1, plan.lanes_are_post)
                for post, pre in map(plan.per_neuron, range(len(plan.constants)))
            )
        self.constant_width = max(1, row.width)

    def _lay_out_activations(self) -> None:
        """Place activations, and besides them what updates read of the same step."""
        row, populations = RowLayout(), self.network.populations
        self.activations = {one.name: row.add(1, one.size) for one in populations}
        read = {(plan.projection.target, s) for plan in self.plans for s in plan.projection.rule.signals}
        self.drives = {one.name: row.add(1, one.size) for one in populations if (one.name, "drive") in read}
        self.noises = {one.name: row.add(1, one.size) for one in populations if one.noise is not None}
        self.means = {key: row.add(1, self.network.by_name[key[0]].size) for key in self._windows()}
        self.reward = row.add(1, 1)
        self.activation_width = row.width
        drawn = RowLayout()
        self.drawn_noises = {one.name: drawn.add(1, one.size) for one in populations if one.noise is not None}
        self.noise_width = max(1, drawn.width)

    def _lay_out_states(self) -> None:
        row = RowLayout()
        for plan in self.plans:
            plan.states = {
                state: row.add(*plan.state_shape(state), plan.lanes_are_post)
                for state in plan.projection.rule.states
            }
        self.rings = {
            (name, window): row.add(window, self.network.by_name[name].size) for name, window in self.means
        }
        self.state_width = row.width

    def _windows(self) -> Iterator[tuple[str, int]]:
        """Yield each population whose mean activation some rule reads, with the number of steps."""
        ends = {
            (end, plan.projection.window)
            for plan in self.plans
            if plan.projection.window > 1 and plan.learns
            for end in (plan.projection.source, plan.projection.target)
        }
        yield from sorted(ends)


def aligned(size: int) -> int:
    """Round up to whole cache lines of float32."""
    return -(-size // _ALIGNMENT) * _ALIGNMENT
