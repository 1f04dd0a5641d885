"""A projection's update and its part of the forward pass over a population, in torch: the GPU kernel's reference.

It runs on every device. Only elementwise arithmetic, and a sum over inputs that halves the projection in a fixed order:
no matrix product, so that neither the batch nor the number of threads changes a bit. `tanh` and `sigmoid` are the
definitions of the grammar's table, because torch's own round by where a number stands in its array.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from hebbevo.networks.kernel_spec import NOW, KernelSpec, ProjectionPlan, Segment
from hebbevo.networks.normalisers import normalise
from hebbevo.rules.expression import evaluate
from hebbevo.rules.implementations import torch_kernel_functions

if TYPE_CHECKING:
    import torch


@dataclass
class Activations:
    """Rows of activations, each ``(lifetimes, spec.activation_width)``: of three steps, one after the other.

    An update reads `old`, and `older` where a rule looks a step back; the forward pass writes `new`.
    """

    older: torch.Tensor
    old: torch.Tensor
    new: torch.Tensor

    def advance(self) -> None:
        """Begin the next step: what is new becomes old."""
        self.older, self.old, self.new = self.old, self.new, self.older


class DeviceKernel(Protocol):
    """The arithmetic of a network's projections on a device; see `TorchKernel`."""

    name: str

    def constants(self, plan: ProjectionPlan, coefficients: Mapping[str, torch.Tensor]) -> Any:
        """Return what `run` needs of the coefficients."""
        ...

    def run(
        self,
        plan: ProjectionPlan,
        rows: torch.Tensor,
        genome_of: torch.Tensor,
        states: torch.Tensor,
        constants: Any,
        activations: Activations,
        *,
        learn: bool,
        forward: bool,
    ) -> None:
        """Update a projection, then add its part to the drive of its target."""
        ...


class TorchKernel:
    """The torch reference of a spec; pure functions over tensors that the caller owns.

    Per projection, all float32: states ``(lifetimes, plan.device_width)``, coefficients ``(genomes, n_out or 1, n_in or
    1)``.
    """

    name = "torch"

    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        self._functions = torch_kernel_functions()

    def constants(
        self, plan: ProjectionPlan, coefficients: Mapping[str, torch.Tensor]
    ) -> Mapping[str, torch.Tensor]:
        """Return the coefficients of a projection as they are, for `run`."""
        return coefficients

    def run(
        self,
        plan: ProjectionPlan,
        rows: torch.Tensor,
        genome_of: torch.Tensor,
        states: torch.Tensor,
        constants: Mapping[str, torch.Tensor],
        activations: Activations,
        *,
        learn: bool,
        forward: bool,
    ) -> None:
        """Update a projection of some lifetimes, then add its part to the drive of its target; in place.

        The last projection onto a target adds noise and applies the activation function.

        Args:
            plan: of the projection.
            rows: the lifetimes, int64 ``(k,)``, ascending.
            genome_of: row of the genomes of every lifetime, int64 ``(lifetimes,)``.
            states: of this projection.
            constants: from `constants`.
            activations: of all lifetimes.
            learn: apply rule and normaliser.
            forward: compute the target's drive.
        """
        chosen = states if len(rows) == len(states) else states[rows]
        values = coefficients_of(constants, genome_of[rows])
        values |= state_views(plan, chosen)
        if learn:
            signals = self.signals(plan, rows, activations)
            after = self._updated(plan, {**values, **signals}, len(rows))
            states[rows] = chosen = after
            values |= state_views(plan, chosen)
        if forward:
            weight = evaluate(plan.projection.rule.weight, values, self._functions)
            source = activations.old if plan.projection.delayed else activations.new
            signal = _read(source, rows, self.spec.activations[plan.projection.source])
            self._add(plan, rows, ordered_sum(weight * signal[:, None, :]), activations.new)

    def signals(
        self, plan: ProjectionPlan, rows: torch.Tensor, activations: Activations
    ) -> dict[str, torch.Tensor]:
        """Return the signals that the rule of a projection reads, which broadcast to ``(k, n_out, n_in)``."""
        found = {}
        for name in plan.projection.rule.signals:
            source = self.spec.source(plan, name)
            values = _read(
                activations.old if source.generation == NOW else activations.older, rows, source.segment
            )
            found[name] = values[:, None, :] if source.axis == "pre" else values[:, :, None]
        return found

    def next_states(
        self, plan: ProjectionPlan, values: Mapping[str, torch.Tensor], count: int, names: tuple[str, ...]
    ) -> list[torch.Tensor]:
        """Return the next values of states, each ``(count, n_out or 1, n_in or 1)``, before the normaliser."""
        import torch

        rule, after = plan.projection.rule, []
        for state in names:
            value = torch.as_tensor(evaluate(rule.equations[state], values, self._functions))
            after.append(value.to(values["w"]).expand(count, *plan.state_shape(state)))
        return after

    def _updated(self, plan: ProjectionPlan, values: Mapping[str, torch.Tensor], count: int) -> torch.Tensor:
        """Return the next states ``(k, plan.device_width)``, the weights normalised."""
        import torch

        names = plan.projection.rule.states
        states = self.next_states(plan, values, count, names)
        states[0] = normalise(states[0], plan.normalisation.name, _mean)  # w is the first
        return torch.cat([state.reshape(count, -1) for state in states], 1)

    def _add(self, plan: ProjectionPlan, rows: torch.Tensor, drive: torch.Tensor, new: torch.Tensor) -> None:
        """Add a projection's part ``(k, n_out)`` to its target's drive, which the last one makes an activation of."""
        spec, target = self.spec, plan.projection.target
        place = spec.activations[target]
        first, last = spec.ends(plan)
        if not first:
            drive = _read(new, rows, place) + drive
        if last:
            if target in spec.noises:
                drive = drive + _read(new, rows, spec.noises[target])
            if target in spec.drives:
                new[rows, spec.drives[target].start : spec.drives[target].stop] = drive
            function = spec.network.by_name[target].activation
            drive = drive if function == "identity" else self._functions[function](drive)
        new[rows, place.start : place.stop] = drive


def coefficients_of(
    coefficients: Mapping[str, torch.Tensor], genomes: torch.Tensor
) -> dict[str, torch.Tensor]:
    """Return each lifetime's coefficients, ``(k or 1, n_out or 1, n_in or 1)``."""
    return {name: c if len(c) == 1 else c[genomes] for name, c in coefficients.items()}


def state_views(plan: ProjectionPlan, states: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return views ``(k, n_out or 1, n_in or 1)`` of the states in rows ``(k, plan.device_width)``."""
    return {
        name: states[:, segment.start : segment.stop].view(len(states), *segment.shape)
        for name, segment in plan.device_states.items()
    }


def ordered_sum(terms: torch.Tensor) -> torch.Tensor:
    """Return the sum over the last axis, by halves: its length alone decides the order. The terms are lost."""
    size = terms.shape[-1]
    while size > 1:
        half = (size + 1) // 2
        terms[..., : size - half] += terms[..., half:size]
        size = half
    return terms[..., 0]


def _read(activations: torch.Tensor, rows: torch.Tensor, segment: Segment) -> torch.Tensor:
    """Return the values ``(k, n)`` of a segment."""
    return activations[rows, segment.start : segment.stop]


def _mean(weights: torch.Tensor) -> torch.Tensor:
    """Return the mean over each matrix ``(k, n_out, n_in)``, the axes kept; the sum is taken in a fixed order."""
    count = weights.shape[1] * weights.shape[2]
    return (ordered_sum(weights.reshape(-1, count).clone()) / count)[:, None, None]
