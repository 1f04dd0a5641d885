"""Rules as data: names, several states, the modulator, catalogue and parsing."""

import math
import pickle

import numpy as np
import pytest
import torch
from kernel_batch import KernelBatch, spec_of
from scalar_reference import error

from hebbevo.errors import RuleError
from hebbevo.networks.network_spec import multilayer_perceptron
from hebbevo.networks.numba.kernel_text import source
from hebbevo.rules import RULES, Rule, get, parse


@pytest.mark.parametrize("name", RULES)
def test_catalogue_round_trip(name: str) -> None:
    rule = RULES[name]
    assert get(name) is rule
    assert rule.source
    again = parse(rule.text, bound=rule.bound)
    assert again == rule
    assert hash(again) == hash(rule)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_pickles(name: str) -> None:
    rule = RULES[name]
    copy = pickle.loads(pickle.dumps(rule))
    assert copy == rule
    assert repr(copy) == repr(rule)
    assert copy.source == rule.source


def test_order_of_states_does_not_matter() -> None:
    """A genome's header sorts its keys; the rule read back runs the same kernel."""
    texts = {"hebb": "hebb + elig*post", "weight": "w + alpha*hebb", "elig": "0.5*elig + eta*pre*post"}
    rule, back = parse(texts), parse(dict(sorted(texts.items())))
    assert rule.states == back.states == ("w", "elig", "hebb")
    assert parse(rule.text) == rule == back
    assert hash(rule) == hash(back)
    assert source(spec_of(rule)) == source(spec_of(back))


def test_coefficients_are_sorted_names() -> None:
    assert get("ABCD_lr").coefficients == ("A", "B", "C", "D", "eta")
    assert get("none").coefficients == ()
    assert get("none").is_static
    assert not get("oja").is_static
    assert parse("w + zeta*S*pre*N*post").coefficients == ("N", "S", "zeta")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("ABCD_ir", "did you mean ABCD_lr"),
        ("pots", "unknown rule"),
        ("w + pots*pre", "write 'post'"),
        ("w + Pre*post", "write 'pre'"),
        ("w + per*post", "write 'pre'"),
        ("w + psot", "write 'post'"),
        ("w + _x", "cannot be called '_x'"),
        ("w + weight", "cannot be called 'weight'"),
        ({}, "mapping"),
        ({"w": 3}, "mapping"),
        ({"name": "w"}, "'name'"),
        ({"self": "w"}, "'self'"),
        ({"pre": "w"}, "'pre'"),
        ({"clip": "w"}, "'clip'"),
        ({"é": "w"}, "cannot be called"),
        ({"a b": "w"}, "cannot be called"),
        ({"w": "w", "weight": "w*pre"}, "states of synapses and coefficients only"),
        ({"w": "w", "trace": "trace +"}, "equation of trace"),
    ],
)
def test_refused(text: object, problem: str) -> None:
    with pytest.raises(RuleError) as caught:
        parse(text)  # type: ignore[arg-type]
    assert problem in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_values_are_named() -> None:
    rule, x = get("hebb"), torch.zeros(2)
    with pytest.raises(RuleError, match="needs eta"):
        rule.step({"w": torch.zeros(2, 2)}, {}, pre=x, post=x)


def test_step_broadcasts_like_linear() -> None:
    """A population of weights ``(pop, n_out, n_in)`` beside coefficients of any sharing."""
    torch.manual_seed(0)
    rule, w = get("ABCD_lr"), torch.randn(7, 3, 5)
    k = dict(
        zip(
            "ABCD",
            (torch.randn(7, 3, 1), torch.randn(1, 5), torch.randn(1, 1), torch.randn(7, 3, 5)),
            strict=True,
        )
    )
    x, y = torch.randn(7, 5), torch.randn(7, 3)
    result = rule.step({"w": w}, {**k, "eta": torch.tensor(0.1)}, pre=x, post=y)["w"]
    outer = torch.einsum("pi,pj->pij", y, x)
    expected = w + 0.1 * (k["A"] * outer + k["B"] * x[:, None] + k["C"] * y[..., None] + k["D"])
    torch.testing.assert_close(result, expected)


def test_modulator() -> None:
    """Backpropamine (Miconi 2019): H' = clip(H + m x y)."""
    rule = Rule("modulated", hebb="clip(hebb + m*pre*post, -1, 1)", weight="w + alpha*hebb")
    assert rule.signals == {"m", "pre", "post"}
    states = {"w": torch.zeros(2, 3), "hebb": torch.full((2, 3), 0.9)}
    x, y, m = torch.ones(4, 3), torch.ones(4, 2), torch.tensor([0.0, 0.05, 5.0, -5.0])
    with pytest.raises(RuleError, match="pass m="):
        rule.step(states, {"alpha": torch.ones(1)}, pre=x, post=y)
    hebb = rule.step(states, {"alpha": torch.ones(1)}, pre=x, post=y, m=m)["hebb"]
    assert hebb[:, 0, 0].tolist() == pytest.approx([0.9, 0.95, 1.0, -1.0])
    with pytest.raises(RuleError, match=r"set network\.modulators"):
        multilayer_perceptron(rule, (3, 2), {"alpha": "synapse"})


def clip(x: float) -> float:
    return min(max(x, -1.0), 1.0)


def differentiable_plasticity(k, s, x, y):
    """H' = (1 - eta) H + eta x y (Miconi 2018, eq. 2)."""
    return {"w": s["w"], "hebb": (1 - k["eta"]) * s["hebb"] + k["eta"] * x * y}


def retroactive(k, s, x, y):
    """H' = clip(H + beta E) with the old E, E' = (1 - eta) E + eta x y (Miconi 2019)."""
    return {
        "w": s["w"],
        "hebb": clip(s["hebb"] + k["beta"] * s["elig"]),
        "elig": (1 - k["eta"]) * s["elig"] + k["eta"] * x * y,
    }


def swapping(k, s, x, y):
    """Right-hand sides read the old values, whatever the order."""
    return {"w": s["w"] + k["eta"] * x * y, "a": s["b"] + math.tanh(x), "b": 0.5 * s["a"] - y}


def shadowing(k, s, x, y):
    """States called like the variables of the generated text."""
    return {
        "w": s["w"] + k["k0"] * s["l"],
        "l": s["s"] + x,
        "s": 0.5 * s["x"] - y,
        "x": s["lanes"] * 0.5,
        "lanes": s["F"] + k["scale"],
        "F": 0.9 * s["o"],
        "o": x * y,
        "signal": s["size"] + 0.0,
        "size": x * k["constants"],
        "old": s["new"] * 0.5 + y,
        "new": 0.5 * s["old"],
        "y": s["np"],
        "np": math.tanh(x + y),
    }


STATEFUL = {
    "differentiable": (
        Rule("dp", hebb="(1-eta)*hebb + eta*pre*post", weight="w + alpha*hebb"),
        differentiable_plasticity,
        lambda k, s: s["w"] + k["alpha"] * s["hebb"],
    ),
    "retroactive": (
        Rule(
            "retro",
            hebb="clip(hebb + beta*elig, -1, 1)",
            elig="(1-eta)*elig + eta*pre*post",
            weight="w + alpha*hebb",
        ),
        retroactive,
        lambda k, s: s["w"] + k["alpha"] * s["hebb"],
    ),
    "swapping": (
        Rule("swap", w="w + eta*pre*post", a="b + tanh(pre)", b="0.5*a - post", weight="w*sigmoid(a)"),
        swapping,
        lambda k, s: s["w"] / (1 + math.exp(-s["a"])),
    ),
    "shadowing": (
        Rule(
            "shadow",
            w="w + k0*l",
            l="s + pre",
            s="0.5*x - post",
            x="lanes*0.5",
            lanes="F + scale",
            F="0.9*o",
            o="pre*post",
            signal="size",
            size="pre*constants",
            old="new*0.5 + post",
            new="0.5*old",
            y="np",
            np="tanh(pre+post)",
            weight="w + 0.1*(l + s + x + lanes + F + o + shift*signal)",
        ),
        shadowing,
        lambda k, s: (
            s["w"]
            + 0.1 * (s["l"] + s["s"] + s["x"] + s["lanes"] + s["F"] + s["o"] + k["shift"] * s["signal"])
        ),
    ),
}


@pytest.mark.parametrize("name", STATEFUL)
def test_several_states_against_scalar_loops(name: str) -> None:
    rule, step, effective = STATEFUL[name]
    batch, rng = KernelBatch(spec_of(rule)), np.random.default_rng(4)
    layers = batch.layers
    shapes = [batch.weights(layer)[0].shape for layer in layers]
    k = [
        {c: np.broadcast_to(a, shape).astype(float) for c, a in batch.coefficients(i).items()}
        for i, shape in enumerate(shapes)
    ]
    scalar = [{s: np.zeros(shape) for s in rule.states} for shape in shapes]
    for layer in layers:
        scalar[layer]["w"] = batch.weights(layer)[0].astype(float)
    reference = [{s: torch.tensor(a) for s, a in states.items()} for states in scalar]
    for _ in range(50):
        signals = [rng.uniform(-1, 1, n).astype(np.float32) for n in batch.sizes]
        batch.set_activations(signals)
        batch.run(batch.kernel.learn)
        for layer in layers:
            x, y = signals[layer].astype(float), signals[layer + 1].astype(float)
            reference[layer] = rule.step(
                reference[layer],
                {c: torch.tensor(a) for c, a in k[layer].items()},
                pre=torch.tensor(x),
                post=torch.tensor(y),
            )
            new = {s: np.empty(shapes[layer]) for s in rule.states}
            for i, j in np.ndindex(shapes[layer]):
                here = {c: a[i, j] for c, a in k[layer].items()}
                states = {s: a[i, j] for s, a in scalar[layer].items()}
                for s, value in step(here, states, x[j], y[i]).items():
                    new[s][i, j] = value
            scalar[layer] = new
    for layer in layers:
        for state in rule.states:
            assert error(reference[layer][state].numpy(), scalar[layer][state]) < 1e-10, state
            assert error(batch.state(layer, state)[0], scalar[layer][state]) < 1e-4, state
    batch.run(batch.kernel.forward)
    signal = batch.observations[0].astype(float)
    for layer in layers:
        weights = np.empty(shapes[layer])
        for i, j in np.ndindex(shapes[layer]):
            here = {c: a[i, j] for c, a in k[layer].items()}
            weights[i, j] = effective(here, {s: a[i, j] for s, a in scalar[layer].items()})
        by_torch = rule.effective_weight(reference[layer], {c: torch.tensor(a) for c, a in k[layer].items()})
        assert error(by_torch.numpy(), weights) < 1e-10
        signal = np.tanh(weights @ signal)
        assert error(batch.activations(layer + 1)[0], signal) < 1e-4


@pytest.mark.parametrize(
    "text", ["w + eta*tanh(pre)*post", "0.5*w + max(pre, A)", "0", "w - sign(w)*B + 1/3"]
)
def test_equation_of_a_user_runs_in_both_targets(text: str) -> None:
    rule = parse(text, blind=True)
    batch = KernelBatch(spec_of(rule))
    before = torch.tensor(batch.weights(0)[0].astype(float))
    k = {c: torch.tensor(a.astype(float)) for c, a in batch.coefficients(0).items()}
    pre, post = (torch.tensor(batch.old[0, s.start : s.stop].astype(float)) for s in batch.segments[:2])
    expected = rule.step({"w": before}, k, pre=pre, post=post)["w"]
    batch.run(batch.kernel.learn)
    assert np.abs(batch.weights(0)[0] - np.broadcast_to(np.asarray(expected), before.shape)).max() < 1e-6


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"normaliser": "mx"}, "did you mean max"),
        ({"activation": "tan"}, "did you mean tanh"),
        ({"output": "softmax"}, "known: tanh"),
        ({"sizes": (3,)}, "two or more layers"),
        ({"sizes": (3, 0, 2)}, "two or more layers"),
        ({"sharing": {}}, "'eta'"),
    ],
)
def test_spec_refuses(change: dict, problem: str) -> None:
    arguments = {"sizes": (3, 4, 2), "sharing": {"eta": "post"}, **change}
    with pytest.raises(RuleError, match=problem):
        multilayer_perceptron(get("hebb"), **arguments)
