"""A plasticity rule as data: for each synaptic state variable the expression of its next value.

Right-hand sides read the old values. Names that are neither local quantities nor known functions are
coefficients, which evolution tunes. `Rule.step` is the reference: plain torch over broadcast tensors, on any
device, in any dtype; the fused kernels are generated from the same expressions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property, partial
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from hebbevo.errors import RuleError
from hebbevo.rules.expression import Expression, Name, evaluate, names
from hebbevo.rules.functions import FUNCTIONS
from hebbevo.rules.grammar import parse_expression
from hebbevo.rules.implementations import torch_functions

if TYPE_CHECKING:
    import torch

LOCALS = ("pre", "post", "m")
"""Local quantities: pre- and postsynaptic activation, and the modulator of the network."""


class Rule:
    """A plasticity rule.

    Args:
        name: how the catalogue, genomes and figures call it.
        source: the paper.
        weight: expression of the weight that the forward pass uses; by default ``w`` itself.
        **equations: per state variable the expression of its next value. ``w`` starts at the initial weights
            and keeps them if it has no equation; every other state starts at zero.

    Raises:
        RuleError: a malformed expression, or a name that is reserved or looks misspelt.
    """

    def __init__(self, name: str, *, source: str = "", weight: str = "w", **equations: str) -> None:
        self.name = name
        self.source = source
        self._texts = {**equations, **({} if weight == "w" else {"weight": weight})}
        parsed = {
            state: parse_expression(text, f"equation of {state}" if len(self._texts) > 1 else "rule")
            for state, text in self._texts.items()
        }
        self.weight: Expression = parsed.pop("weight", Name("w"))
        # Sorted, because files do not keep the order, and the order decides the bits of a kernel.
        self.equations: Mapping[str, Expression] = MappingProxyType(
            {"w": Name("w"), **dict(sorted(parsed.items()))}
        )
        self._check_names()

    @property
    def states(self) -> tuple[str, ...]:
        """State variables of a synapse, ``w`` first, then by name."""
        return tuple(self.equations)

    @cached_property
    def coefficients(self) -> tuple[str, ...]:
        """Names that evolution tunes, sorted."""
        return tuple(sorted(self._all_names() - {*LOCALS, *self.states}))

    @property
    def is_static(self) -> bool:
        """Whether a lifetime changes nothing."""
        return all(expression == Name(state) for state, expression in self.equations.items())

    @property
    def uses_modulator(self) -> bool:
        """Whether the modulator ``m`` appears."""
        return "m" in self._all_names()

    @property
    def text(self) -> str | dict[str, str]:
        """The equations as a config or a genome header holds them: one text, or one per state."""
        return self._texts["w"] if tuple(self._texts) == ("w",) else dict(self._texts)

    def step(
        self,
        states: Mapping[str, torch.Tensor],
        coefficients: Mapping[str, torch.Tensor],
        *,
        pre: torch.Tensor,
        post: torch.Tensor,
        m: torch.Tensor | None = None,
    ) -> dict[str, torch.Tensor]:
        """Return the next value of every state.

        Args:
            states: every state, broadcast to ``(..., n_out, n_in)`` as in `torch.nn.Linear`.
            coefficients: every coefficient, broadcast likewise.
            pre: presynaptic activations ``(..., n_in)``.
            post: postsynaptic activations ``(..., n_out)``.
            m: modulator ``(...)``, for rules that use it.

        Raises:
            RuleError: a state, a coefficient or the modulator is missing.
        """
        values = {**self._gather(states, coefficients), "pre": pre[..., None, :], "post": post[..., :, None]}
        if self.uses_modulator:
            if m is None:
                raise RuleError(f"rule {self.name!r} uses the modulator m, got none; pass m=")
            values["m"] = m[..., None, None]
        functions = torch_functions()
        return {state: evaluate(equation, values, functions) for state, equation in self.equations.items()}

    def effective_weight(
        self, states: Mapping[str, torch.Tensor], coefficients: Mapping[str, torch.Tensor]
    ) -> torch.Tensor:
        """Return the weights of the forward pass, ``(..., n_out, n_in)``."""
        values = self._gather(states, coefficients)
        return evaluate(self.weight, values, torch_functions())  # type: ignore[no-any-return]

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
        for state in self._texts:
            if state in (*LOCALS, *FUNCTIONS) or not re.fullmatch(r"[A-Za-z]\w*", state, re.ASCII):
                raise RuleError(
                    f"rule {self.name!r}: a state cannot be called {state!r}; choose another name"
                )
        for name in self.coefficients:
            if name.startswith("_") or name == "weight":
                raise RuleError(
                    f"rule {self.name!r}: a coefficient cannot be called {name!r}; choose another name"
                )
            for local in ("pre", "post"):
                if name.lower() == local or _one_slip_apart(name.lower(), local):
                    raise RuleError(
                        f"rule {self.name!r}: {name!r} looks like a misspelt {local!r}; "
                        f"write {local!r}, or give the coefficient another name"
                    )
        if used := {"pre", "post", "m"} & set(names(self.weight)):
            raise RuleError(
                f"rule {self.name!r}: weight= may use states and coefficients only, got {sorted(used)[0]!r}"
            )

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the texts: parsed again, they are the same rule."""
        return partial(type(self), self.name, source=self.source, **self._texts), ()

    def __repr__(self) -> str:
        return f"Rule({self.name!r}, {', '.join(f'{state}={text!r}' for state, text in self._texts.items())})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Rule):
            return NotImplemented
        return (dict(self.equations), self.weight) == (dict(other.equations), other.weight)

    def __hash__(self) -> int:
        return hash((tuple(self.equations.items()), self.weight))


def _one_slip_apart(a: str, b: str) -> bool:
    """Whether one slip (a wrong, missing, extra or swapped character) leads from one word to the other."""
    if len(a) == len(b):
        wrong = [i for i, (x, y) in enumerate(zip(a, b, strict=True)) if x != y]
        swapped = len(wrong) == 2 and wrong[1] == wrong[0] + 1 and a[wrong[0] :][:2] == b[wrong[0] :][1::-1]
        return len(wrong) == 1 or swapped
    short, long = sorted((a, b), key=len)
    return len(long) == len(short) + 1 and any(long[:i] + long[i + 1 :] == short for i in range(len(long)))
