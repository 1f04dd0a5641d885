"""One step of a population's layers for tests of the device kernels, and what it must come to in float64."""

import torch

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import coefficient_shape, resolve_sharing
from hebbevo.networks.normalisers import normalise
from hebbevo.rules import Rule

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class DeviceCase:
    """States, coefficients and activations of a few lifetimes, drawn from a seed."""

    def __init__(
        self, rule: Rule, sharing="synapse", normaliser="none", sizes=(5, 7, 3), lifetimes=3, **options
    ) -> None:
        self.spec = KernelSpec(rule, sizes, resolve_sharing(rule, sharing), normaliser, **options)
        draw = torch.Generator().manual_seed(7)

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=draw)

        self.lifetimes, genomes = lifetimes, max(1, lifetimes - 1)
        self.genome_of = torch.arange(lifetimes).flip(0) % genomes
        self.rows = torch.arange(lifetimes)
        self.states, self.coefficients = [], []
        for n_in, n_out in self.spec.layers:
            self.states.append(0.5 * normal(lifetimes, len(rule.states), n_out, n_in))
            shapes = {c: coefficient_shape(self.spec.sharing[c], n_out, n_in) for c in rule.coefficients}
            self.coefficients.append({c: 0.3 * normal(genomes, *shape) for c, shape in shapes.items()})
        self.old = [normal(lifetimes, n).tanh() for n in sizes]
        self.observations = normal(lifetimes, sizes[0])

    def run(self, kernel, *, learn=True, forward=True, rows=None, device="cpu"):
        """Return the states and activations after one step of a kernel; poisoned where nothing is written."""
        rows = (self.rows if rows is None else rows).to(device)
        states = [layer.clone().to(device) for layer in self.states]
        old = [layer.clone().to(device) for layer in self.old]
        new = [torch.full_like(layer, torch.nan) for layer in old]
        new[0] = self.observations.clone().to(device)
        for layer in range(len(states)):
            coefficients = {name: c.to(device) for name, c in self.coefficients[layer].items()}
            constants = kernel.constants(layer, coefficients)
            genome_of = self.genome_of.to(device)
            kernel.run(
                layer, rows, genome_of, states[layer], constants, old, new, learn=learn, forward=forward
            )
        return [layer.cpu() for layer in states], [layer.cpu() for layer in new]

    def expected(self, *, learn=True):
        """Return the same from `Rule.step` and matrix products, in float64."""
        rule, states, signals = self.spec.rule, [], [self.observations.double()]
        for number, layer in enumerate(self.states):
            named = {s: layer[:, k].double() for k, s in enumerate(rule.states)}
            coefficients = {c: v.double()[self.genome_of] for c, v in self.coefficients[number].items()}
            if learn:
                pre, post = self.old[number].double(), self.old[number + 1].double()
                named = rule.step(named, coefficients, pre=pre, post=post)
                if not rule.is_static:
                    named["w"] = normalise(named["w"], self.spec.normaliser)
            total = (rule.effective_weight(named, coefficients) @ signals[-1][:, :, None])[:, :, 0]
            last = number == len(self.states) - 1
            signals.append(ACTIVATIONS[self.spec.output if last else self.spec.activation](total))
            states.append(torch.stack([named[s].expand(layer[:, 0].shape) for s in rule.states], 1))
        return states, signals


def error(found, expected) -> float:
    """Return the largest difference over the largest value of the reference; inf for NaN."""
    worst = 0.0
    for part, wanted in zip(found, expected, strict=True):
        relative = ((part.double() - wanted).abs().max() / wanted.abs().max()).item()
        worst = max(worst, relative if relative == relative else float("inf"))
    return worst
