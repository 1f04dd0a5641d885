"""Small random networks of random rules: all signals, axes, sharings, states with axes and initial values.

Every state stays within [-1, 1], and no function is read where it is steep: an error of rounding stays one.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from graphs import NOISE, OBSERVATION

from hebbevo.networks.encodings import SHARINGS
from hebbevo.networks.network_spec import NetworkSpec, Population, Projection
from hebbevo.networks.normalisers import NORMALISERS
from hebbevo.rules import Distribution, Rule

COARSER = {"post": ("post", "layer", "network"), "pre": ("pre", "layer", "network"), "synapse": SHARINGS}
"""Sharings of a coefficient that stands in the equation of a state with this axis."""
INITIAL = ("zeros", "uniform(-0.5, 0.5)", "normal(0, 0.3)", "evolved from normal(0, 0.3)")
FORMS = (
    *("({} + {})", "({} - {})", "{} * {}", "{} * {}", "0.5*({} + {})"),
    *("max({}, {})", "min({}, {})", "clip({}, -0.5, {})", "{} / (1 + ({})**2)"),
)
CALLS = (
    *("tanh({})", "sigmoid({})", "relu({})", "abs({})", "-{}", "({})**2", "({} - 1)**3"),
    *("exp(-({})**2)", "sqrt(1 + ({})**2)"),
)


def _expression(rng: random.Random, names: Sequence[str], depth: int) -> str:
    if depth == 0 or rng.random() < 0.2:
        return rng.choice([*names, *names, rng.choice(["0.5", "0.25", "1"])])
    if rng.random() < 0.4:
        return rng.choice(CALLS).format(_expression(rng, names, depth - 1))
    form = rng.choice(FORMS)
    return form.format(_expression(rng, names, depth - 1), _expression(rng, names, depth - 1))


def _bounded(rng: random.Random, state: str, names: Sequence[str]) -> str:
    """Return an equation whose value stays in [-1, 1] if the state does."""
    text = _expression(rng, names, 3)
    form = rng.choice(
        ["0.8*{0} + 0.2*tanh({1})", "clip({0} + 0.1*({1}), -1, 1)", "tanh(0.5*{0} + 0.3*({1}))"]
    )
    return form.format(state, text)


class RandomNetwork:
    """A network that a seed decides: observation -> hidden (-> hidden) -> out, and populations for signals."""

    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        hidden = self.rng.choice([2, 3, 4, 17])
        self.populations = (
            Population("observation", OBSERVATION, "identity"),
            Population("action", 2, "identity"),
            Population("reward", 1, "identity"),
            Population("one", 1, "identity"),
            Population("hidden", hidden, self.rng.choice(["tanh", "sigmoid", "relu", "identity"]), NOISE),
            Population("gate", 1),
            Population("out", 2),
        )
        self.sizes = {population.name: population.size for population in self.populations}
        ends = [("observation", "hidden", False), ("hidden", "out", False), ("hidden", "gate", False)]
        ends.append(self.rng.choice([("hidden", "hidden", True), ("gate", "hidden", True)]))
        ends.append((self.rng.choice(["one", "reward", "action"]), self.rng.choice(["hidden", "out"]), False))
        projections = [self._projection(f"p{number}", *end) for number, end in enumerate(ends)]
        self.spec = NetworkSpec(self.populations, tuple(projections), "out")

    def _projection(self, name: str, source: str, target: str, delayed: bool) -> Projection:
        rng = self.rng
        rule, signals = self._rule(target, delayed)
        shared = {name: rng.choice(COARSER[rule.coefficient_axis(name)]) for name in rule.coefficients}
        return Projection(
            name,
            source,
            target,
            rule,
            shared,
            normaliser=rng.choice([*NORMALISERS, "none", "clip"]),
            initial_weights=rng.choice([None, Distribution.parse("uniform(-0.5, 0.5)")]),
            delayed=delayed,
            signals=signals,
            every=rng.choice([1, 1, 2]),
            offset=rng.choice([0, 0, 1]),
            window=rng.choice([1, 1, 3]),
        )

    def _rule(self, target: str, delayed: bool) -> tuple[Rule, dict[str, str]]:
        rng = self.rng
        fitting = [name for name, size in self.sizes.items() if size in (1, self.sizes[target])]
        signals = {name: rng.choice(fitting) for name in ("m", "v") if rng.random() < 0.4}
        axes: dict[str, list[str]] = {
            "pre": ["pre"] if delayed else ["pre", "pre_last"],
            "post": ["post", "post_last", "drive", *(["noise"] if target == "hidden" else [])],
            "lifetime": ["reward"],
        }
        for signal, population in signals.items():
            axes["lifetime" if self.sizes[population] == 1 else "post"].append(signal)
        extra = {name: rng.choice(["synapse", "post", "pre"]) for name in "efg"[: rng.choice([0, 1, 2, 3])]}
        equations: dict[str, dict[str, str]] = {}
        for state, axis in extra.items():
            peers = [
                other for other in extra if extra[other] in (axis, axis if axis != "synapse" else "post")
            ]
            names = [*axes["lifetime"], *axes["pre" if axis == "pre" else "post"], *peers, f"K{axis}"]
            names += ["w", *axes["pre"], *extra] if axis == "synapse" else []
            text = _bounded(rng, state, names)
            equations[state] = {"equation": text, "axis": axis, "initial": rng.choice(INITIAL)}
        everything = [*axes["pre"], *axes["post"], *axes["lifetime"], *extra, "w", "A", "B", "pre*post"]
        own = [state for state, axis in extra.items() if axis == "synapse"]
        weight = rng.choice(["w", "w + 0.5*A*{}", "w*sigmoid({})"]).format(rng.choice([*own, "w"]))
        text = _bounded(rng, "w", everything)
        rule = Rule("random", w=text, weight=weight, bound=("v",) if "v" in signals else (), **equations)
        return rule, {name: signals[name] for name in signals if name in rule.signals or name == "v"}
