"""Every rule of the catalogue against float64 loops over synapses, written from the papers."""

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from scalar_reference import NEXT_WEIGHT

from hebbevo.config.plasticity import PlasticityConfig
from hebbevo.networks.encodings import encoding
from hebbevo.networks.layout import resolve_sharing
from hebbevo.networks.normalisers import normalise
from hebbevo.rules import RULES, Rule

STEPS, N_OUT, N_IN = 20, 3, 4
PER_SYNAPSE = {"synapse": (N_OUT, N_IN), "post": (N_OUT, 1), "pre": (1, N_IN)}

Values = Any
"""Coefficients `k`, states `s` or signals `g` of one synapse, as attributes."""
Loop = Callable[[Values, Values, Values], dict[str, float]]


def bounded(x: float, low: float = -1.0, high: float = 1.0) -> float:
    return low if x < low else high if x > high else x


def four_terms(k: Values, g: Values) -> float:
    return k.A * g.pre * g.post + k.B * g.pre + k.C * g.post + k.D


def of_weights(name: str) -> Loop:
    """Return a rule of `scalar_reference` in this form."""
    return lambda k, s, g: {"w": NEXT_WEIGHT[name](vars(k), g.pre, g.post, s.w)}


def bcm(k: Values, s: Values, g: Values) -> dict[str, float]:
    """dw = eta x y (y - theta), theta a running mean of y**2 (Bienenstock et al. 1982, linear form)."""
    return {
        "w": s.w + k.eta * g.pre * g.post * (g.post - s.theta),
        "theta": s.theta + k.d * (g.post**2 - s.theta),
    }


def covariance(k: Values, s: Values, g: Values) -> dict[str, float]:
    """dw = eta (x - <x>) (y - <y>) (Sejnowski 1977)."""
    return {
        "w": s.w + k.eta * (g.pre - s.pre_mean) * (g.post - s.post_mean),
        "pre_mean": s.pre_mean + (g.pre - s.pre_mean) / 10,
        "post_mean": s.post_mean + (g.post - s.post_mean) / 10,
    }


def neuron_centric(k: Values, s: Values, g: Values) -> dict[str, float]:
    """dw = (eta_i + eta_j)/2 (A_i x + B_j y + C_i C_j x y + D_i D_j) (Ferigo et al. 2024)."""
    terms = k.C_pre * g.pre * k.C_post * g.post + k.D_post * k.D_pre
    return {"w": s.w + (k.eta_pre + k.eta_post) / 2 * (terms + k.A_pre * g.pre + k.B_post * g.post)}


def soft_clip(k: Values, s: Values, g: Values) -> dict[str, float]:
    change = k.eta * g.pre * g.post
    return {"hebb": s.hebb + (change * (1 - s.hebb) if change > 0 else change * (1 + s.hebb))}


def retroactive(k: Values, s: Values, g: Values) -> dict[str, float]:
    return {
        "hebb": bounded(s.hebb + g.m * s.elig),
        "elig": s.elig + k.eta * (g.pre * g.post - s.elig),
    }


def modulated_four_terms(k: Values, s: Values, g: Values) -> dict[str, float]:
    return {"w": bounded(s.w + math.tanh(g.m / 2) * k.eta * four_terms(k, g), -10, 10)}


def perturbed(k: Values, s: Values, g: Values, more: dict[str, float]) -> dict[str, float]:
    """dw = eta e (R - <R>), bounded to 3e-4 (Miconi 2017)."""
    change = bounded(k.eta * s.elig * (g.reward - s.reward_mean), -3e-4, 3e-4)
    return {"w": s.w + change, "reward_mean": s.reward_mean + (g.reward - s.reward_mean) / 4, **more}


def node_perturbation(k: Values, s: Values, g: Values) -> dict[str, float]:
    return perturbed(k, s, g, {"elig": s.elig - 0.02 * s.elig + g.pre * g.noise})


def activity_perturbation(k: Values, s: Values, g: Values) -> dict[str, float]:
    deviation = g.drive - s.drive_mean
    more = {"elig": 0.98 * s.elig + (g.pre * deviation) ** 3, "drive_mean": g.drive - 0.05 * deviation}
    return perturbed(k, s, g, more)


LOOPS: Mapping[str, Loop] = {
    **{name: of_weights(name) for name in NEXT_WEIGHT},
    "none": lambda k, s, g: {"w": s.w},
    "bcm": bcm,
    "covariance": covariance,
    "neuron_centric": neuron_centric,
    "differentiable": lambda k, s, g: {"hebb": s.hebb + k.eta * (g.pre * g.post - s.hebb)},
    "differentiable_oja": lambda k, s, g: {"hebb": s.hebb + k.eta * g.post * (g.pre - g.post * s.hebb)},
    "differentiable_clip": lambda k, s, g: {"hebb": bounded(s.hebb + k.eta * g.pre * g.post)},
    "differentiable_soft_clip": soft_clip,
    "backpropamine": lambda k, s, g: {"hebb": bounded(s.hebb + g.m * g.pre * g.post)},
    "backpropamine_fan_out": lambda k, s, g: {
        "hebb": bounded(s.hebb + bounded(k.f * g.m + k.b, -2, 2) * g.pre * g.post)
    },
    "retroactive": retroactive,
    "modulated_ABCD": modulated_four_terms,
    "three_factor": lambda k, s, g: {"w": s.w + k.eta * g.pre * g.post * g.reward},
    "reward_ABCD": lambda k, s, g: {"w": s.w + k.eta * g.reward * four_terms(k, g)},
    "node_perturbation": node_perturbation,
    "activity_perturbation": activity_perturbation,
    "delta": lambda k, s, g: {"w": s.w + k.beta * g.pre * (g.v - g.drive)},
}


def draw_signals(rule: Rule, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return signals of a step: per neuron, and the reward per lifetime."""
    sizes = {"pre": N_IN, "pre_last": N_IN, "reward": ()}
    return {
        name: rng.uniform(-1, 1, sizes.get(name, N_OUT)) for name in sorted({"pre", "post", *rule.signals})
    }


def at(arrays: Mapping[str, np.ndarray], i: int, j: int) -> Values:
    """Return the values at a synapse of arrays that broadcast to `(n_out, n_in)`."""
    return SimpleNamespace(
        **{name: float(np.broadcast_to(a, (N_OUT, N_IN))[i, j]) for name, a in arrays.items()}
    )


def of_synapse(signals: Mapping[str, np.ndarray], i: int, j: int) -> Values:
    index = {"pre": (j,), "pre_last": (j,), "reward": ()}
    return SimpleNamespace(**{name: float(a[index.get(name, (i,))]) for name, a in signals.items()})


def test_every_rule_is_here() -> None:
    assert set(LOOPS) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_is_the_one_of_its_paper(name: str) -> None:
    rule, rng = RULES[name], np.random.default_rng(3)
    k = {c: rng.uniform(0.1, 0.6, PER_SYNAPSE[rule.coefficient_axis(c)]) for c in rule.coefficients}
    states = {s: rng.uniform(-0.3, 0.3, PER_SYNAPSE[rule.axis(s)]) for s in rule.states}
    for step in range(STEPS):
        signals = draw_signals(rule, rng)
        stepped = rule.step(tensors(states), tensors(k), **tensors(signals))
        expected = {s: a.copy() for s, a in states.items()}
        for i, j in np.ndindex(N_OUT, N_IN):
            for s, value in LOOPS[name](at(k, i, j), at(states, i, j), of_synapse(signals, i, j)).items():
                n_out, n_in = expected[s].shape
                expected[s][min(i, n_out - 1), min(j, n_in - 1)] = value
        for s, a in expected.items():
            np.testing.assert_allclose(stepped[s].numpy(), a, rtol=0, atol=1e-12, err_msg=f"{s}, step {step}")
        states = expected


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if "hebb" in rule.states])
def test_fixed_and_plastic_weights_add(name: str) -> None:
    """Effective weight w + alpha Hebb (Miconi et al. 2018, eq. 1)."""
    states = {s: torch.tensor([[2.0]]) for s in RULES[name].states} | {"w": torch.tensor([[0.5]])}
    k = {c: torch.tensor([[3.0]]) for c in RULES[name].coefficients}
    assert RULES[name].effective_weight(states, k).item() == 6.5


def tensors(arrays: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    return {name: torch.as_tensor(array, dtype=torch.float64) for name, array in arrays.items()}


GENOMES, LONG = 16, 400


def first_generation(
    config: PlasticityConfig, rng: np.random.Generator, n_out: int, n_in: int
) -> dict[str, np.ndarray]:
    """Return coefficients of genomes `(GENOMES, ...)` around a first center, at the usual step size of 0.1."""
    coefficients = {}
    for name, sharing in resolve_sharing(config.parsed_rule, config.sharing).items():
        post, pre = encoding(sharing).axes(name)
        center = np.empty((n_out if post else 1, n_in if pre else 1), np.float32)
        config.coefficient_distribution(name).fill(np.random.Generator(np.random.Philox(7)), center)
        coefficients[name] = center + 0.1 * rng.standard_normal((GENOMES, *center.shape))
    return coefficients


@pytest.mark.parametrize("name", [name for name, rule in RULES.items() if rule.defaults])
def test_lifetimes_with_the_settings_of_a_rule_stay_finite(name: str) -> None:
    rule, config, rng = RULES[name], PlasticityConfig(rule=name), np.random.default_rng(5)
    n_out, n_in = 8, 28
    shape = {"synapse": (n_out, n_in), "post": (n_out, 1), "pre": (1, n_in)}
    k = tensors(first_generation(config, rng, n_out, n_in))
    states = {s: torch.zeros(GENOMES, *shape[rule.axis(s)], dtype=torch.float64) for s in rule.states}
    states["w"] = torch.tensor(rng.uniform(-0.1, 0.1, (GENOMES, n_out, n_in)))
    for _ in range(LONG):
        pre = torch.tensor(rng.uniform(-1, 1, (GENOMES, n_in)))
        weight = rule.effective_weight(states, k)
        drive = (weight * pre[:, None]).sum(-1)
        given = {"drive": drive, "m": rng.uniform(-1, 1, GENOMES), "reward": rng.uniform(-1, 1, GENOMES)}
        given |= {"noise": rng.normal(0, 0.5, (GENOMES, n_out)), "v": rng.uniform(-1, 1, (GENOMES, n_out))}
        read = {signal: given[signal] for signal in rule.signals - {"pre", "post"}}
        states = rule.step(states, k, pre=pre, post=torch.tanh(drive), **tensors(read))
        states["w"] = torch.stack([normalise(w, config.normalise) for w in states["w"]])
    assert all(torch.isfinite(state).all() for state in states.values())
    assert rule.effective_weight(states, k).abs().max() < 1e3
