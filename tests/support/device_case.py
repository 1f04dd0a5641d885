"""One step of a batch of multilayer perceptrons for tests of the device kernels, and what it must be in float64."""

import torch

from hebbevo.networks.encodings import encoding
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import resolve_sharing
from hebbevo.networks.network_spec import multilayer_perceptron
from hebbevo.networks.normalisers import normalise
from hebbevo.networks.torch.kernel import Activations
from hebbevo.rules import Distribution, Rule

GPU = torch.cuda.is_available()
DEVICE = "cuda" if GPU else "cpu"
ACTIVATIONS = {
    "tanh": torch.tanh,
    "relu": torch.relu,
    "sigmoid": torch.sigmoid,
    "identity": lambda x: x,
}


class DeviceCase:
    """States, coefficients and activations of a few lifetimes, drawn from a seed; every state is of synapses."""

    def __init__(
        self, rule: Rule, sharing="synapse", normaliser="none", sizes=(5, 7, 3), lifetimes=3, **options
    ) -> None:
        self.rule, self.normaliser = rule, normaliser
        initial = Distribution.parse("zeros")
        options = {"normaliser": normaliser, "initial_weights": initial, **options}
        self.spec = KernelSpec(multilayer_perceptron(rule, sizes, resolve_sharing(rule, sharing), **options))
        draw = torch.Generator().manual_seed(7)

        def normal(*shape: int) -> torch.Tensor:
            return torch.randn(*shape, generator=draw)

        self.lifetimes, genomes = lifetimes, max(1, lifetimes - 1)
        self.genome_of = torch.arange(lifetimes).flip(0) % genomes
        self.rows = torch.arange(lifetimes)
        self.states, self.coefficients = [], []
        for plan in self.spec.plans:
            n_out, n_in, sharings = plan.n_out, plan.n_in, plan.projection.sharing
            self.states.append(0.5 * normal(lifetimes, len(rule.states), n_out, n_in))
            axes = {c: encoding(sharings[c]).axes(c) for c in rule.coefficients}
            shapes = {c: (n_out if post else 1, n_in if pre else 1) for c, (post, pre) in axes.items()}
            self.coefficients.append({c: 0.3 * normal(genomes, *shape) for c, shape in shapes.items()})
        self.old = [normal(lifetimes, n).tanh() for n in sizes]
        self.observations = normal(lifetimes, sizes[0])

    def run(self, kernel, *, learn=True, forward=True, rows=None, device="cpu"):
        """Return the states and activations after one step of a kernel; poisoned where nothing is written."""
        rows = (self.rows if rows is None else rows).to(device)
        states = [layer.reshape(self.lifetimes, -1).clone().to(device) for layer in self.states]
        nan = torch.full((self.lifetimes, self.spec.activation_width), torch.nan, device=device)
        activations = Activations(nan.clone(), nan.clone(), nan.clone())
        segments = list(self.spec.activations.values())
        for segment, values in zip(segments, self.old, strict=True):
            activations.old[:, segment.start : segment.stop] = values.to(device)
        activations.new[:, : segments[0].stop] = self.observations.to(device)
        genome_of = self.genome_of.to(device)
        for plan, layer, coefficients in zip(self.spec.plans, states, self.coefficients, strict=True):
            moved = {name: c.to(device) for name, c in coefficients.items()}
            constants = kernel.constants(plan, moved)
            kernel.run(plan, rows, genome_of, layer, constants, activations, learn=learn, forward=forward)
        found = [after.cpu().view_as(before) for after, before in zip(states, self.states, strict=True)]
        return found, [activations.new[:, s.start : s.stop].cpu() for s in segments]

    def expected(self, *, learn=True):
        """Return the same from `Rule.step` and matrix products, in float64."""
        rule, states, signals = self.rule, [], [self.observations.double()]
        for number, layer in enumerate(self.states):
            named = {s: layer[:, k].double() for k, s in enumerate(rule.states)}
            coefficients = {c: v.double()[self.genome_of] for c, v in self.coefficients[number].items()}
            if learn:
                pre, post = self.old[number].double(), self.old[number + 1].double()
                named = rule.step(named, coefficients, pre=pre, post=post)
                if not rule.is_static:
                    named["w"] = normalise(named["w"], self.normaliser)
            total = (rule.effective_weight(named, coefficients) @ signals[-1][:, :, None])[:, :, 0]
            signals.append(ACTIVATIONS[self.spec.network.populations[number + 1].activation](total))
            states.append(torch.stack([named[s].expand(layer[:, 0].shape) for s in rule.states], 1))
        return states, signals


def error(found, expected) -> float:
    """Return the largest difference over the largest value of the reference; inf for NaN."""
    worst = 0.0
    for result, wanted in zip(found, expected, strict=True):
        part = ((result.double() - wanted).abs().max() / wanted.abs().max()).item()
        worst = max(worst, part if part == part else float("inf"))
    return worst
