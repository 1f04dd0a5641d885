"""What a network is: populations of neurons, and the projections between them.

A *population* is neurons with one activation function; a *projection* is the synapses from one population to another,
with a rule, an encoding of its coefficients, a normaliser and initial weights of its own. A *delayed* projection reads
its source's activation of the step before. Inputs are populations without synapses of their own: the observation, the
action and the reward of the step before, and the constant one, whose projections are biases.

A multilayer perceptron is a chain of populations; `multilayer_perceptron` builds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType

from hebbevo.errors import RuleError, unknown
from hebbevo.networks.normalisers import NORMALISERS
from hebbevo.rules.distribution import Distribution
from hebbevo.rules.expression import names
from hebbevo.rules.rule import Rule
from hebbevo.rules.signals import PRE, SIGNALS

ACTIVATIONS = ("tanh", "relu", "sigmoid", "identity")
INPUTS = ("observation", "action", "reward", "one")
"""Populations that the world fills: what it shows, what was done and earned in the step before (0 at first), and 1."""

MOST_PROJECTIONS = 60
"""A kernel compiles for a second per projection, and a step's `due` has one bit of an int64 for each."""
MOST_SYNAPSES = 1 << 25
"""A lifetime's step passes them in a tenth of a second."""


@dataclass(frozen=True)
class Noise:
    """Exploration noise, added to the drive of each neuron with a probability, new in every step of a lifetime."""

    distribution: Distribution
    probability: float = 1.0


@dataclass(frozen=True)
class Population:
    """Neurons that share an activation function.

    Attributes:
        places: x and y, or x, y and z, of every neuron, for encodings by geometry; None leaves them to
            `hebbevo.networks.encodings.coordinates`.
    """

    name: str
    size: int
    activation: str = "tanh"
    noise: Noise | None = None
    places: tuple[tuple[float, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.size < 1:
            raise RuleError(f"population {self.name!r} must have 1 neuron or more, got {self.size}")
        if self.activation not in ACTIVATIONS:
            raise RuleError(unknown(f"activation of {self.name}", self.activation, ACTIVATIONS))
        if self.places is not None and len(self.places) != self.size:
            raise RuleError(
                f"coordinates of {self.name!r} are {len(self.places)} places for {self.size} neurons; give each one"
            )


@dataclass(frozen=True)
class Projection:
    """The synapses from every neuron of one population to every neuron of another.

    Attributes:
        name: of its arrays in a genome, as in ``layer1.A``.
        sharing: encoding of each coefficient (see `hebbevo.networks.encodings`).
        initial_weights: distribution of a lifetime's first weights; None where the genome holds them.
        delayed: the source's activation is that of the step before.
        signals: population behind each signal that the rule takes from one.
        every: the rule changes the weights in steps t with (t - offset) % every == 0 only.
        window: `pre` and `post` are means over so many steps, of as many as there were.
    """

    name: str
    source: str
    target: str
    rule: Rule
    sharing: Mapping[str, str]
    normaliser: str = "none"
    initial_weights: Distribution | None = None
    delayed: bool = False
    signals: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    every: int = 1
    offset: int = 0
    window: int = 1

    @property
    def drawn_states(self) -> Mapping[str, Distribution]:
        """States that a lifetime draws at its start, the weights first."""
        rule, drawn = self.rule, {} if self.initial_weights is None else {"w": self.initial_weights}
        for state in rule.states:
            distribution = rule.initial(state)
            if distribution is not None and not rule.evolves(state):
                drawn[state] = distribution
        return drawn

    @property
    def evolved_states(self) -> Mapping[str, str]:
        """States whose initial values a genome holds, with the names of their arrays in it."""
        evolved = {} if self.initial_weights is not None else {"w": "weight"}
        return {**evolved, **{state: state for state in self.rule.states if self.rule.evolves(state)}}

    def state_shape(self, state: str, n_out: int, n_in: int) -> tuple[int, int]:
        """Return the shape of a state, which broadcasts against ``(n_out, n_in)``."""
        axis = self.rule.axis(state)
        return n_out if axis != "pre" else 1, n_in if axis != "post" else 1

    def is_due(self, step: int) -> bool:
        """Whether the rule changes anything after step 0, 1, ..."""
        return (step - self.offset) % self.every == 0

    def __post_init__(self) -> None:
        if self.normaliser not in NORMALISERS:
            raise RuleError(unknown(f"normaliser of {self.name}", self.normaliser, NORMALISERS))
        if missing := [name for name in self.rule.coefficients if name not in self.sharing]:
            raise RuleError(
                f"no sharing is given for coefficient {missing[0]!r} of {self.name}; see resolve_sharing"
            )


@dataclass(frozen=True)
class NetworkSpec:
    """All that a network depends on, but for its genome.

    Attributes:
        populations: inputs first, then in any order.
        projections: in the order in which a genome holds their arrays.
        output: name of the population whose activations are the action.

    Raises:
        RuleError: two populations of one name, an unknown one, synapses into an input, a circle without a delay, a
            population that nothing reaches, a signal that the network does not supply, or more than a kernel can run.
    """

    populations: tuple[Population, ...]
    projections: tuple[Projection, ...]
    output: str

    def __post_init__(self) -> None:
        if len(self.projections) > MOST_PROJECTIONS:
            raise RuleError(
                f"a network has at most {MOST_PROJECTIONS} projections, got {len(self.projections)}; use fewer layers"
            )
        self._check_populations()
        for projection in self.projections:
            self._check_projection(projection)
        if self.synapses > MOST_SYNAPSES:
            raise RuleError(
                f"a network has at most {MOST_SYNAPSES:,} synapses, got {self.synapses:,}; use smaller populations"
            )
        _ = self.order

    @cached_property
    def by_name(self) -> Mapping[str, Population]:
        """The populations by name."""
        return {population.name: population for population in self.populations}

    @cached_property
    def inputs(self) -> tuple[Population, ...]:
        """Populations that the world fills."""
        return tuple(population for population in self.populations if population.name in INPUTS)

    @cached_property
    def order(self) -> tuple[Population, ...]:
        """Populations that have synapses, each after those whose activation of the same step it reads."""
        ordered: list[Population] = []
        waiting = [population for population in self.populations if population.name not in INPUTS]
        ready = {population.name for population in self.inputs}
        while waiting:
            following = [one for one in waiting if self._sources_now(one.name) <= ready]
            if not following:
                names = " -> ".join(self._circle([one.name for one in waiting]))
                raise RuleError(
                    f"the projections {names} go in a circle within one step; make one of them delayed"
                )
            ordered.append(following[0])
            ready.add(following[0].name)
            waiting.remove(following[0])
        return tuple(ordered)

    def into(self, population: str) -> tuple[Projection, ...]:
        """Return the projections onto a population, in their order."""
        return tuple(projection for projection in self.projections if projection.target == population)

    def shape(self, projection: Projection) -> tuple[int, int]:
        """Return ``(n_out, n_in)`` of a projection."""
        return self.by_name[projection.target].size, self.by_name[projection.source].size

    def state_shape(self, projection: Projection, state: str) -> tuple[int, int]:
        """Return the shape of a state, which broadcasts against ``(n_out, n_in)``."""
        return projection.state_shape(state, *self.shape(projection))

    @property
    def synapses(self) -> int:
        """How many synapses there are."""
        return sum(n_out * n_in for n_out, n_in in map(self.shape, self.projections))

    def _sources_now(self, population: str) -> set[str]:
        return {projection.source for projection in self.into(population) if not projection.delayed}

    def _circle(self, names: Sequence[str]) -> Iterator[str]:
        """Yield the names along a circle among populations that wait for each other, the first one again at the end."""
        seen: list[str] = [names[0]]
        while True:
            sources = sorted(self._sources_now(seen[-1]) & set(names))
            if sources[0] in seen:
                circle = [*seen[seen.index(sources[0]) :], sources[0]]
                yield from reversed(circle)
                return
            seen.append(sources[0])

    def _check_populations(self) -> None:
        names = [population.name for population in self.populations]
        if twice := [name for name in names if names.count(name) > 1]:
            raise RuleError(f"two populations are called {twice[0]!r}; name each once")
        if self.output not in names:
            raise RuleError(unknown("output population", self.output, names))
        if self.output in INPUTS:
            raise RuleError(
                f"the output cannot be the input {self.output!r}; name a population with synapses"
            )
        reached = {projection.target for projection in self.projections}
        if lonely := [name for name in names if name not in (*INPUTS, *reached)]:
            raise RuleError(
                f"no projection reaches population {lonely[0]!r}; add one, or leave the population out"
            )

    def _check_projection(self, projection: Projection) -> None:
        for end in (projection.source, projection.target):
            if end not in self.by_name:
                raise RuleError(unknown(f"population of {projection.name}", end, self.by_name))
        if projection.target in INPUTS:
            raise RuleError(
                f"{projection.name} projects onto the input {projection.target!r}; inputs have no synapses"
            )
        for signal, population in projection.signals.items():
            self._check_signal(projection, signal, population)
        self._check_supply(projection)

    def _check_supply(self, projection: Projection) -> None:
        """Refuse signals that the network does not supply."""
        rule, target = projection.rule, self.by_name[projection.target]
        bound = {name for name in rule.signals if name in rule.bound or SIGNALS[name].bound}
        if unbound := sorted(bound - set(projection.signals)):
            raise RuleError(
                f"rule {rule.name!r} of {projection.name} reads {unbound[0]!r}, which no population supplies; bind it "
                f"with signals: {{{unbound[0]}: POPULATION}}"
                + (", or set network.modulators" * ("m" in unbound))
            )
        if "noise" in rule.signals and target.noise is None:
            raise RuleError(
                f"rule {rule.name!r} of {projection.name} reads the noise of {target.name!r}, which has none; give the "
                "population noise, or network.noise to hidden layers and network.output_noise to the output"
            )
        if projection.delayed and "pre_last" in rule.signals:
            raise RuleError(
                f"pre_last of the delayed projection {projection.name} would be two steps old, which is not kept; "
                "read pre, which is one step old there"
            )

    def _check_signal(self, projection: Projection, signal: str, population: str) -> None:
        if population not in self.by_name:
            raise RuleError(
                f"signal {signal} of {projection.name}: {unknown('population', population, self.by_name)}"
            )
        size, n_out = self.by_name[population].size, self.by_name[projection.target].size
        if size not in (1, n_out):
            raise RuleError(
                f"signal {signal} of {projection.name} comes from {population!r} with {size} neurons; it must have "
                f"1, or the {n_out} of {projection.target!r}"
            )
        rule = projection.rule
        for state in rule.states:
            if size > 1 and rule.axis(state) == PRE and signal in names(rule.equations[state]):
                raise RuleError(
                    f"rule {rule.name!r} of {projection.name}: {state} is a state of a presynaptic neuron, and "
                    f"{signal!r} comes from {population!r} with {size} neurons; bind it to a population of 1"
                )


def multilayer_perceptron(
    rule: Rule,
    sizes: Sequence[int],
    sharing: Mapping[str, str],
    *,
    normaliser: str = "none",
    initial_weights: Distribution | None = None,
    activation: str = "tanh",
    output: str = "tanh",
) -> NetworkSpec:
    """Return a chain of populations under one rule, whose arrays in a genome are ``layer1.*``, ``layer2.*``, ...

    Args:
        rule: of every projection.
        sizes: neurons per layer, the observation first.
        sharing: who shares each coefficient.
        normaliser: of every projection.
        initial_weights: distribution; None where the genome holds them.
        activation: of the hidden layers; `output` of the last.

    Raises:
        RuleError: fewer than two layers, or what `NetworkSpec` refuses.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise RuleError(f"a network needs two or more layers of neurons, got {tuple(sizes)}")
    last = len(sizes) - 1
    names = ["observation", *(f"hidden{layer}" for layer in range(1, last)), "output"]
    functions = ["identity", *[activation] * (last - 1), output]
    populations = tuple(map(Population, names, sizes, functions))
    projections = tuple(
        Projection(f"layer{layer}", source, target, rule, sharing, normaliser, initial_weights)
        for layer, (source, target) in enumerate(pairwise(names), start=1)
    )
    return NetworkSpec(populations, projections, "output")
