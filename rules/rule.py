"""A plasticity rule as data: for each state of a synapse, or of a neuron, the expression of its next value.

Right-hand sides read the old values. Names that are neither signals, states nor functions are coefficients, which
evolution tunes. `Rule.step` is the reference: plain torch over broadcast tensors, on any device, in any dtype; the
fused kernels are generated from the same expressions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hebbevo.errors import RuleError
from hebbevo.rules.distribution import Distribution
from hebbevo.rules.expression import Expression, Name, evaluate, names
from hebbevo.rules.functions import FUNCTIONS
from hebbevo.rules.grammar import parse_expression
from hebbevo.rules.implementations import torch_functions
from hebbevo.rules.signals import LIFETIME, POST, PRE, SIGNALS
from hebbevo.rules.state import SYNAPSE, State

if TYPE_CHECKING:
    import torch

StateText = str | Mapping[str, str]
"""An equation; or a mapping with `equation`, and perhaps `axis` and `initial`."""


class Rule:
    """A plasticity rule.

    Args:
        name: how the catalogue, genomes and figures call it.
        source: the paper.
        weight: expression of the weight that the forward pass uses; by default ``w`` itself.
        bound: names that projections bind to populations, besides ``m``.
        defaults: keys of a config's `plasticity:` that suit the rule, for what a config leaves out.
        **states: per state its next value: an equation, or a mapping ``{equation, axis, initial}`` for states of
            neurons (axis ``post`` or ``pre``) and for those that do not start at zero. ``w`` starts at the initial
            weights and keeps them if it has no equation.

    Raises:
        RuleError: a malformed expression, a name that is reserved, or an equation of a neuron's state that reads what
            differs between its synapses.
    """

    def __init__(
        self,
        name: str,
        *,
        source: str = "",
        weight: str = "w",
        bound: Collection[str] = (),
        defaults: Mapping[str, Any] = MappingProxyType({}),
        **states: StateText,
    ) -> None:
        self.name = name
        self.source = source
        self.bound = tuple(sorted(bound))
        self.defaults = defaults
        self._texts: dict[str, StateText] = {**states, **({} if weight == "w" else {"weight": weight})}
        where = "rule" if set(self._texts) <= {"w"} else "equation of {}"
        parsed = {state: State.parse(state, text, where.format(state)) for state, text in states.items()}
        # Sorted, because files do not keep the order, and the order decides the bits of a kernel.
        self._states = {"w": State("w", Name("w")), **dict(sorted(parsed.items()))}
        self.weight: Expression = parse_expression(weight, where.format("weight"))
        self._check_names()
        self._check_axes()

    @property
    def states(self) -> tuple[str, ...]:
        """States of synapses and neurons, ``w`` first, then by name."""
        return tuple(self._states)

    @cached_property
    def equations(self) -> Mapping[str, Expression]:
        """Next value of each state."""
        return MappingProxyType({name: state.equation for name, state in self._states.items()})

    def axis(self, state: str) -> str:
        """Return what has the state: every synapse, or every neuron of the target (``post``) or source (``pre``)."""
        return self._states[state].axis

    def initial(self, state: str) -> Distribution | None:
        """Return the distribution that a state starts from, or, where it evolves, of the first genome; None is zero."""
        return self._states[state].initial

    def evolves(self, state: str) -> bool:
        """Whether a state's initial values are part of the genome."""
        return self._states[state].evolved

    @cached_property
    def coefficients(self) -> tuple[str, ...]:
        """Names that evolution tunes, sorted."""
        return tuple(sorted(self._all_names() - {*SIGNALS, *self.bound, *self.states}))

    @cached_property
    def signals(self) -> frozenset[str]:
        """Signals that the equations read."""
        return frozenset(self._all_names() & {*SIGNALS, *self.bound})

    def coefficient_axis(self, coefficient: str) -> str:
        """Return the finest axis that a coefficient can differ along: that of the neurons whose states read it."""
        axes = {s.axis for s in self._states.values() if coefficient in names(s.equation)} - {SYNAPSE}
        if len(axes) > 1:
            return LIFETIME
        return axes.pop() if axes else SYNAPSE

    @property
    def is_static(self) -> bool:
        """Whether a lifetime changes nothing."""
        return all(expression == Name(state) for state, expression in self.equations.items())

    @property
    def text(self) -> str | dict[str, Any]:
        """The equations as a config or a genome header holds them: one text, or one per state."""
        if tuple(self._texts) == ("w",) and isinstance(self._texts["w"], str):
            return self._texts["w"]
        return {name: text if isinstance(text, str) else dict(text) for name, text in self._texts.items()}

    @property
    def readable(self) -> str:
        """The equations in one line, for people; a state of neurons is written ``theta[post]``."""
        return "; ".join(self._line(name, text) for name, text in self._texts.items())

    def _line(self, name: str, text: StateText) -> str:
        if isinstance(text, str):
            return f"{name} = {text.strip()}"
        axis = f"[{text['axis']}]" if "axis" in text else ""
        return f"{name}{axis} = {text['equation'].strip()}" + (
            f" from {text['initial']}" if "initial" in text else ""
        )

    def step(
        self,
        states: Mapping[str, torch.Tensor],
        coefficients: Mapping[str, torch.Tensor],
        *,
        pre: torch.Tensor,
        post: torch.Tensor,
        **signals: torch.Tensor,
    ) -> dict[str, torch.Tensor]:
        """Return the next value of every state.

        Args:
            states: every state, broadcast to ``(..., n_out, n_in)`` as in `torch.nn.Linear`; those of neurons have
                ``n_in`` or ``n_out`` of 1.
            coefficients: every coefficient, broadcast likewise.
            pre: presynaptic activations ``(..., n_in)``.
            post: postsynaptic activations ``(..., n_out)``.
            **signals: the others that the rule reads: ``(...)`` per lifetime, ``(..., n_out)`` or ``(..., n_in)`` per
                neuron. One that is bound to a population (``m``) is per lifetime if it has as many axes as that, else
                per postsynaptic neuron.

        Raises:
            RuleError: a state, a coefficient or a signal is missing.
        """
        given = {"pre": pre, "post": post, **signals}
        if missing := sorted(self.signals - set(given)):
            raise RuleError(f"rule {self.name!r} reads the signal {missing[0]}, got none; pass {missing[0]}=")
        values = self._gather(states, coefficients)
        for name in self.signals:
            values[name] = self._along(name, given[name], post.ndim)
        functions = torch_functions()
        return {state: evaluate(equation, values, functions) for state, equation in self.equations.items()}

    def effective_weight(
        self, states: Mapping[str, torch.Tensor], coefficients: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """Return the weights of the forward pass, ``(..., n_out, n_in)``."""
        values = self._gather(states, coefficients)
        return evaluate(self.weight, values, torch_functions())  # type: ignore[no-any-return]

    def _along(self, name: str, value: torch.Tensor, axes: int) -> torch.Tensor:
        """Return a signal's values with an axis for post- and one for presynaptic neurons."""
        axis = self._signal_axis(name) or (POST if value.ndim == axes else LIFETIME)
        if axis == PRE:
            return value[..., None, :]
        return value[..., :, None] if axis == POST else value[..., None, None]

    def _gather(
        self, states: Mapping[str, torch.Tensor], coefficients: Mapping[str, torch.Tensor]
    ) -> dict[str, torch.Tensor]:
        values = {**coefficients, **states}
        if missing := [name for name in (*self.states, *self.coefficients) if name not in values]:
            raise RuleError(
                f"rule {self.name!r} needs {', '.join(missing)}, got {', '.join(values) or 'nothing'}"
            )
        return values

    def _all_names(self) -> set[str]:
        return {name for expression in (*self.equations.values(), self.weight) for name in names(expression)}

    def _check_names(self) -> None:
        for state in (*self._texts, *self.bound):
            if state in (*SIGNALS, *FUNCTIONS) or not re.fullmatch(r"[A-Za-z]\w*", state, re.ASCII):
                raise RuleError(
                    f"rule {self.name!r}: a state cannot be called {state!r}; choose another name"
                )
        for name in self.coefficients:
            if name.startswith("_") or name == "weight":
                raise RuleError(
                    f"rule {self.name!r}: a coefficient cannot be called {name!r}; choose another name"
                )
        neurons = {state for state in self.states if self.axis(state) != SYNAPSE}
        if used := sorted({*self.signals, *neurons} & set(names(self.weight))):
            raise RuleError(
                f"rule {self.name!r}: weight= may use states of synapses and coefficients only, got {used[0]!r}"
            )

    def _check_axes(self) -> None:
        """Refuse an equation of a neuron's state that reads what differs between its synapses."""
        for state in self._states.values():
            if state.axis == SYNAPSE:
                continue
            for name in names(state.equation):
                axis = self.axis(name) if name in self.states else self._signal_axis(name)
                if axis not in (state.axis, LIFETIME, None):
                    raise RuleError(
                        f"rule {self.name!r}: {state.name} is a state of a {state.axis}synaptic neuron, and {name!r} "
                        f"differs along another axis ({axis}); read {state.axis} signals and states only"
                    )

    def _signal_axis(self, name: str) -> str | None:
        """Return a signal's axis; None for a coefficient, and for what a population's size decides."""
        signal = SIGNALS.get(name)
        return None if signal is None or signal.bound else signal.axis

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the texts: parsed again, they are the same rule."""
        return _restored, (self.name, self.source, self.bound, dict(self.defaults), self._texts)

    def __repr__(self) -> str:
        return f"Rule({self.name!r}, {', '.join(f'{state}={text!r}' for state, text in self._texts.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rule):
            return NotImplemented
        return (self._states, self.weight, self.bound) == (other._states, other.weight, other.bound)

    def __hash__(self) -> int:
        return hash((tuple(self._states.values()), self.weight, self.bound))


def _restored(
    name: str, source: str, bound: tuple[str, ...], defaults: Mapping[str, Any], texts: Mapping[str, Any]
) -> Rule:
    return Rule(name, source=source, bound=bound, defaults=defaults, **texts)
