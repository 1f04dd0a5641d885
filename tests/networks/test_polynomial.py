"""Preparing an equation for kernels keeps its value, and never grows it without bound."""

import random

import kernel_batch
import numpy as np
import pytest
import torch
from device_case import DeviceCase
from kernel_batch import KernelBatch
from random_expressions import PYTHON, random_expression, values_of

from hebbevo.errors import RuleError
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.network_spec import multilayer_perceptron
from hebbevo.networks.numba.kernel_text import source
from hebbevo.networks.polynomial import Constants, prepare
from hebbevo.networks.torch.kernel import TorchKernel
from hebbevo.rules import RULES
from hebbevo.rules.expression import evaluate, names
from hebbevo.rules.grammar import parse_expression
from hebbevo.rules.rule import Rule

LOCAL = ("w", "post", "pre")


def spec_of(rule: Rule) -> KernelSpec:
    return KernelSpec(multilayer_perceptron(rule, (3, 4), dict.fromkeys(rule.coefficients, "synapse")))


@pytest.mark.parametrize("functions", [False, True])
@pytest.mark.parametrize("seed", range(150))
def test_keeps_the_value(seed: int, functions: bool) -> None:
    rng = random.Random(seed)
    text, values = random_expression(rng, 4, functions), values_of(rng)
    try:
        expression = parse_expression(text)
    except RuleError:
        pytest.skip("numbers alone that have no value")
    expected = evaluate(expression, values, PYTHON)
    constants = Constants()
    prepared = prepare(expression, LOCAL, constants)
    slots = {f"$k{i}": evaluate(c, values, PYTHON) for i, c in enumerate(constants.expressions)}
    local = {name: values[name] for name in LOCAL}
    assert set(names(prepared)) <= {*slots, *local}, "coefficients must have become constants"
    size = max(1.0, abs(expected)) if expected == expected else 1.0
    assert evaluate(prepared, {**local, **slots}, PYTHON) == pytest.approx(
        expected, rel=1e-9, abs=1e-9 * size, nan_ok=True
    )


def test_abcd_streams_four_constants_and_oja_one() -> None:
    def constants(name: str) -> int:
        return len(spec_of(RULES[name]).plans[0].constants)

    assert constants("ABCD_lr") == 4
    assert constants("oja") == 1
    assert constants("instar") == 1
    assert constants("none") == 0


@pytest.mark.parametrize(
    "text",
    [
        "((A+pre)**8)**7",
        "(" * 6 + "pre" + "**8)" * 6 + "**8",
        "(" * 30 + "A+pre" + "**8)" * 30 + "**8",
        "(A+B*pre+C*post+D*w)**8",
        "w+tanh(pre)" + "+pre" * 150,
        "-" * 150 + "w",
    ],
)
def test_text_of_kernels_stays_short(text: str) -> None:
    kernel = source(spec_of(Rule("large", w=text)))
    compile(kernel, "kernel", "exec")
    assert len(kernel) < 100_000


FAR = Rule("far", w="w + eta*(w - 10)**4*pre")


def test_a_power_of_a_small_difference_keeps_its_digits() -> None:
    """Around w = 10 the terms of the expanded power are 1e4 times as large as their sum."""
    rng = np.random.default_rng(0)
    batch = KernelBatch(kernel_batch.spec_of(FAR, sizes=(5, 17, 3)), scale=1.0)
    case = DeviceCase(FAR, sizes=(5, 17, 3), lifetimes=1)
    for layer in batch.layers:
        shape = batch.weights(layer)[0].shape
        batch.weights(layer)[0] = 10 + rng.uniform(-1, 1, shape).astype(np.float32)
    before = [batch.weights(layer)[0].copy() for layer in batch.layers]
    batch.run(batch.kernel.learn)
    for layer, weights in enumerate(before):
        case.states[layer] = torch.from_numpy(weights)[None, None]
        case.coefficients[layer] = {"eta": torch.from_numpy(batch.coefficients(layer)["eta"])[None]}
    case.old = [torch.from_numpy(batch.old[:, s.start : s.stop].copy()) for s in batch.segments]
    on_device, _ = case.run(TorchKernel(case.spec))
    for layer, weights in enumerate(before):
        eta, old = batch.coefficients(layer)["eta"].astype(float), batch.old[0].astype(float)
        segment = batch.segments[layer]
        change = eta * (weights.astype(float) - 10) ** 4 * old[segment.start : segment.stop]
        size = np.abs(change).max()
        spacing = np.spacing(np.float32(12))  # what float32 can tell apart there
        for found in (batch.weights(layer)[0], on_device[layer][0, 0].numpy()):
            assert np.abs(found - (weights + change)).max() <= 1e-5 * size + spacing
