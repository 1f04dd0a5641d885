"""Exact laws of the catalogue's rules: closed forms, fixed points, recall, and what leaves weights alone."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from hebbevo.networks.normalisers import normalise
from hebbevo.rules import RULES, Rule

ONE = torch.ones(1, dtype=torch.float64)


def scalar(value: float) -> torch.Tensor:
    return torch.tensor([[value]], dtype=torch.float64)


def run(
    rule: Rule, steps: int, states: dict[str, float], k: dict[str, float], **signals: float
) -> list[dict[str, float]]:
    """Return the states of one synapse after each step under constant signals."""
    now = {s: scalar(states.get(s, 0.0)) for s in rule.states}
    coefficients = {c: scalar(k.get(c, 0.0)) for c in rule.coefficients}
    given = {name: value * ONE for name, value in signals.items()}
    found = []
    for _ in range(steps):
        now = rule.step(now, coefficients, **given)
        found.append({s: value.item() for s, value in now.items()})
    return found


def test_a_decaying_trace() -> None:
    """Constant x, y: Hebb_t = x y (1 - (1 - eta)^t)."""
    found = run(RULES["differentiable"], 12, {}, {"eta": 0.3}, pre=0.5, post=-0.8)
    expected = [-0.4 * (1 - 0.7**t) for t in range(1, 13)]
    assert [states["hebb"] for states in found] == pytest.approx(expected, abs=1e-14)


def test_a_hard_clipped_trace_saturates_when_it_must() -> None:
    eta, pre, post = 0.3, 0.5, 0.8
    found = [s["hebb"] for s in run(RULES["differentiable_clip"], 12, {}, {"eta": eta}, pre=pre, post=post)]
    assert next(t for t, hebb in enumerate(found, 1) if hebb == 1.0) == math.ceil(1 / (eta * pre * post))


def test_a_trace_of_oja_converges() -> None:
    """To x / y."""
    found = run(RULES["differentiable_oja"], 400, {}, {"eta": 0.3}, pre=0.5, post=0.8)
    assert found[-1]["hebb"] == pytest.approx(0.5 / 0.8, abs=1e-12)


def test_a_soft_clipped_trace_stays_within_one() -> None:
    found = run(RULES["differentiable_soft_clip"], 200, {}, {"eta": 0.5}, pre=1.0, post=-0.9)
    traces = [states["hebb"] for states in found]
    assert all(-1 < after < before for before, after in pairwise(traces[:20]))
    assert traces[-1] == pytest.approx(-1, abs=1e-12)


def test_retroactive_modulation_reads_the_old_trace() -> None:
    found = run(RULES["retroactive"], 3, {}, {"eta": 0.5}, pre=1.0, post=1.0, m=1.0)
    assert [states["elig"] for states in found] == [0.5, 0.75, 0.875]
    assert [states["hebb"] for states in found] == [0.0, 0.5, 1.0]


def test_fixed_points_of_bcm() -> None:
    """The threshold of a constant neuron is y**2; weights rest where y = 0 or y = theta, and turn there."""
    rule, k = RULES["bcm"], {"d": 0.1, "eta": 0.2}
    settled = run(rule, 500, {}, k, pre=0.7, post=0.6)[-1]
    assert settled["theta"] == pytest.approx(0.36, abs=1e-12)
    for post, theta, sign in ((0.0, 0.3, 0), (0.3, 0.3, 0), (0.4, 0.3, 1), (0.2, 0.3, -1)):
        after = run(rule, 1, {"w": 0.5, "theta": theta}, k, pre=0.7, post=post)[0]["w"]
        assert np.sign(after - 0.5) == sign


def test_an_attractor_network_without_windows_is_abcd_with_max() -> None:
    """M = 1, k = 1: the same bits as ABCD_lr with the same normaliser."""
    attractor, plain = RULES["HAN"], RULES["ABCD_lr"]
    assert attractor == plain
    rng = np.random.default_rng(0)
    k = {c: torch.tensor(rng.uniform(-1, 1, (5, 6)), dtype=torch.float32) for c in plain.coefficients}
    weights = {
        rule.name: torch.tensor(rng.uniform(-0.1, 0.1, (5, 6)), dtype=torch.float32) for rule in (plain,)
    }
    weights["HAN"] = weights["ABCD_lr"].clone()
    for _ in range(50):
        pre, post = (torch.tensor(rng.uniform(-1, 1, n), dtype=torch.float32) for n in (6, 5))
        for rule, kind in ((attractor, attractor.defaults["normalise"]), (plain, "max")):
            weights[rule.name] = normalise(
                rule.step({"w": weights[rule.name]}, k, pre=pre, post=post)["w"], kind
            )
        assert weights["HAN"].abs().max() == 1
    assert torch.equal(weights["HAN"], weights["ABCD_lr"])


def test_node_perturbation_follows_the_gradient() -> None:
    """One layer, quadratic E = sum (x - target)^2, one perturbation: the mean of e (E - E0) is s^2 dE/dx_i y_j.

    A neuron gets 0.5 U(-1, 1) with probability 0.1, so s^2 = 0.1 * 0.25 / 3 (Miconi 2017; arXiv 2112.08588).
    """
    rng, draws, rule = np.random.default_rng(1), 1_000_000, RULES["node_perturbation"]
    pre, drive, target = np.array([0.4, -0.7]), np.array([0.3, -0.2, 0.5]), np.array([0.1, 0.4, -0.3])
    noise = 0.5 * rng.uniform(-1, 1, (draws, 3)) * (rng.random((draws, 3)) < 0.1)
    error = ((drive + noise - target) ** 2).sum(-1)
    unperturbed = ((drive - target) ** 2).sum()
    states = {s: torch.zeros(1, 1, 1, dtype=torch.float64) for s in rule.states}
    signals = {
        "pre": pre * np.ones((draws, 1)),
        "post": np.zeros((draws, 3)),
        "noise": noise,
        "reward": -error,
    }
    k = {"eta": scalar(1.0)}
    elig = rule.step(states, k, **{n: torch.tensor(a) for n, a in signals.items()})["elig"].numpy()
    samples = elig * (error - unperturbed)[:, None, None]
    expected = 0.1 * 0.25 / 3 * 2 * (drive - target)[:, None] * pre
    standard_error = samples.std(0) / math.sqrt(draws)
    assert (np.abs(samples.mean(0) - expected) < 4 * standard_error).all()
    assert (np.abs(expected) > 10 * standard_error).all()


def delta(w: torch.Tensor, key: torch.Tensor, value: torch.Tensor, beta: float) -> torch.Tensor:
    """Present a pair once to a linear layer."""
    drive = w @ key
    k = {"beta": torch.tensor([[beta]], dtype=w.dtype)}
    return RULES["delta"].step({"w": w}, k, pre=key, post=drive, drive=drive, v=value)["w"]


def test_the_delta_rule_recalls_orthonormal_keys_exactly() -> None:
    keys, values = (
        torch.eye(4, dtype=torch.float64),
        torch.tensor(np.random.default_rng(2).normal(size=(4, 3))),
    )
    w = torch.zeros(3, 4, dtype=torch.float64)
    for key, value in zip(keys, values, strict=True):
        w = delta(w, key, value, 1.0)
    assert torch.equal(w @ keys.T, values.T)
    w = delta(w, keys[1], values[0], 1.0)  # overwrites one pair, and no other
    torch.testing.assert_close(w @ keys.T, values[[0, 0, 2, 3]].T, rtol=0, atol=1e-15)


def test_the_delta_rule_leaves_a_residual_of_known_size() -> None:
    """(1 - beta |k|^2)^n after n presentations."""
    key, value = torch.tensor([0.6, -0.5], dtype=torch.float64), torch.tensor([2.0], dtype=torch.float64)
    w = torch.zeros(1, 2, dtype=torch.float64)
    for n in range(1, 8):
        w = delta(w, key, value, 0.5)
        assert (value - w @ key).item() == pytest.approx(2.0 * (1 - 0.5 * 0.61) ** n, abs=1e-14)


def test_two_presentations_of_a_pair() -> None:
    key, value = torch.tensor([1.0, 0.0]), torch.tensor([2.0, -1.0])
    once = delta(torch.zeros(2, 2), key, value, 0.5)
    assert (once @ key).tolist() == [1.0, -0.5]
    assert (delta(once, key, value, 0.5) @ key).tolist() == [1.5, -0.75]


@pytest.mark.parametrize(
    ("name", "silent"),
    [
        ("backpropamine", {"m": 0.0}),
        ("retroactive", {"m": 0.0}),
        ("modulated_ABCD", {"m": 0.0}),
        ("three_factor", {"reward": 0.0}),
        ("reward_ABCD", {"reward": 0.0}),
        ("node_perturbation", {"reward": 0.0, "noise": 0.4}),
        ("activity_perturbation", {"reward": 0.0, "drive": 0.4}),
    ],
)
def test_no_modulation_and_no_reward_leave_weights_alone(name: str, silent: dict[str, float]) -> None:
    rule = RULES[name]
    k = dict.fromkeys(rule.coefficients, 0.7)
    for after in run(rule, 5, {"w": 0.3, "hebb": 0.2}, k, pre=0.9, post=-0.6, **silent):
        assert after["w"] == 0.3
        assert after.get("hebb", 0.2) == 0.2
