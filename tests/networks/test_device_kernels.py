"""The GPU kernel and its torch reference against float64, one step from a shared state; the batch changes no bit.

Without a GPU, Triton's interpreter runs the kernel's text on the CPU, and its compiler still has to accept it.
"""

import importlib.util
import json
import os
import subprocess
import sys

import pytest
import torch
from device_case import DEVICE, GPU, DeviceCase, error
from kernel_batch import PERCEPTRON_RULES

from hebbevo.networks.encodings import SHARINGS
from hebbevo.networks.normalisers import NORMALISERS
from hebbevo.networks.torch.kernel import TorchKernel, ordered_sum
from hebbevo.rules import RULES, Rule

TOLERANCE = 1e-5
MULTISTATE = Rule(
    "multistate",
    w="w + 0.1*hebb*pre",
    hebb="clip(hebb + beta*elig, -1, 1)",
    elig="(1-eta)*elig + eta*pre*post",
    trace="w",
    weight="w + alpha*hebb",
)
ODD = Rule(
    "functions",
    w="w + A*tanh(pre*B) - sigmoid(w)*abs(post) + 0.1*exp(-w**2) + sqrt(abs(C))*sign(w) + relu(pre)"
    " - max(w, post)*min(A, pre) + clip(w, -1, B)/(1 + post**2)",
)
CASES = [*map(RULES.__getitem__, PERCEPTRON_RULES), MULTISTATE, ODD]
KERNELS = ["torch"] + ["triton"] * (importlib.util.find_spec("triton") is not None)


def kernel_of(name: str, case: DeviceCase):
    if name == "torch":
        return TorchKernel(case.spec)
    from hebbevo.networks.triton.kernel import TritonKernel

    return TritonKernel(case.spec)


def case_id(value: object) -> str | None:
    return value.name if isinstance(value, Rule) else None


def check(name: str, case: DeviceCase) -> None:
    kernel = kernel_of(name, case)
    for learn in (True, False):
        states, activations = case.run(kernel, learn=learn, device=DEVICE)
        wanted_states, wanted = case.expected(learn=learn)
        assert error(states, wanted_states) <= TOLERANCE
        assert error(activations, wanted) <= TOLERANCE


@pytest.mark.parametrize("kind", NORMALISERS)
@pytest.mark.parametrize("rule", CASES, ids=case_id)
@pytest.mark.parametrize("name", KERNELS)
def test_every_rule_and_normaliser_agrees_with_float64(name: str, rule: Rule, kind: str) -> None:
    check(name, DeviceCase(rule, normaliser=kind))


@pytest.mark.parametrize("kind", ["none", "var"])
@pytest.mark.parametrize(
    "sharing", [*SHARINGS, {"A": "post", "B": "pre", "eta": "network", "default": "layer"}]
)
@pytest.mark.parametrize("name", KERNELS)
def test_every_sharing_agrees_with_float64(name: str, sharing, kind: str) -> None:
    check(name, DeviceCase(RULES["ABCD_lr"], sharing, kind))


@pytest.mark.parametrize("sharing", SHARINGS)
@pytest.mark.parametrize("name", KERNELS)
def test_several_states_agree_with_float64(name: str, sharing: str) -> None:
    check(name, DeviceCase(MULTISTATE, sharing, "max"))


@pytest.mark.parametrize("output", ["tanh", "relu", "sigmoid", "identity"])
@pytest.mark.parametrize("name", KERNELS)
def test_every_activation_agrees_with_float64(name: str, output: str) -> None:
    check(name, DeviceCase(RULES["oja"], output=output, activation=output))


@pytest.mark.parametrize("kind", NORMALISERS)
@pytest.mark.parametrize("name", KERNELS)
def test_the_papers_network_agrees_with_float64(name: str, kind: str) -> None:
    """28-128-64-8: several programs a layer, and tiles with a ragged edge."""
    check(name, DeviceCase(RULES["ABCD_lr"], normaliser=kind, sizes=(28, 128, 64, 8), lifetimes=2))


@pytest.mark.parametrize("name", KERNELS)
def test_a_layer_wider_than_a_tile_agrees_with_float64(name: str) -> None:
    check(name, DeviceCase(RULES["ABCD_lr"], normaliser="max", sizes=(300, 19, 3), lifetimes=2))


@pytest.mark.parametrize("kind", NORMALISERS)
@pytest.mark.parametrize("name", KERNELS)
def test_a_fused_step_is_learn_then_forward(name: str, kind: str) -> None:
    case = DeviceCase(MULTISTATE, normaliser=kind)
    kernel = kernel_of(name, case)
    states, fused = case.run(kernel, device=DEVICE)
    updated, _ = case.run(kernel, forward=False, device=DEVICE)
    case.states = updated
    again, separate = case.run(kernel, learn=False, device=DEVICE)
    for found, wanted in zip([*states, *states, *fused], [*updated, *again, *separate], strict=True):
        assert torch.equal(found, wanted)


@pytest.mark.parametrize("kind", NORMALISERS)
@pytest.mark.parametrize("rule", [RULES["ABCD_lr"], ODD], ids=case_id)
@pytest.mark.parametrize("name", KERNELS)
def test_the_batch_changes_no_bit(name: str, rule: Rule, kind: str) -> None:
    """Any rows together, beside resting or NaN neighbours, on one thread or two: the same bits."""
    case = DeviceCase(rule, normaliser=kind, lifetimes=6, sizes=(7, 9, 3))
    kernel = kernel_of(name, case)
    states, activations = case.run(kernel, device=DEVICE)
    for rows in ([4], [1, 4, 5], [5, 4, 1, 0]):
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        part_states, part = case.run(kernel, rows=torch.tensor(rows), device=DEVICE)
        torch.set_num_threads(threads)
        for found, wanted, before in zip(part_states, states, case.states, strict=True):
            assert torch.equal(found[rows], wanted[rows])
            resting = [row for row in range(6) if row not in rows]
            assert torch.equal(found[resting], before[resting])
        for found, wanted in zip(part, activations, strict=True):
            assert torch.equal(found[rows], wanted[rows])
    for layer in (*case.states, *case.old):
        layer[[0, 3, 5]] = torch.nan
    poisoned_states, poisoned = case.run(kernel, device=DEVICE)
    for found, wanted in zip([*poisoned_states, *poisoned], [*states, *activations], strict=True):
        assert torch.equal(found[4], wanted[4])
    assert poisoned[-1][[0, 3, 5]].isnan().all(), "NaN stays visible"


def test_sums_are_taken_in_a_fixed_order() -> None:
    terms = torch.randn(40, 101, generator=torch.Generator().manual_seed(1))
    together = ordered_sum(terms.clone())
    alone = torch.stack([ordered_sum(row.clone()) for row in terms])
    assert torch.equal(together, alone)
    torch.testing.assert_close(together.double(), terms.double().sum(1), rtol=0, atol=1e-5)


COMPILE = """
import sys, json, triton
from triton.backends.compiler import GPUTarget
from triton.compiler import ASTSource
from hebbevo.networks.layout import resolve_sharing
from hebbevo.networks.network_spec import multilayer_perceptron
from hebbevo.rules import RULES
from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.compilation import compiled_module
from hebbevo.networks.triton.kernel_text import source

pointers = {"rows": "*i64", "genome_of": "*i64"}
others = ("states", "constants", "older", "old", "new")
aligned = {(place,): [["tt.divisibility", 16]] for place in range(7)}
found = {}
for kind, capability in (("none", 80), ("none", 90), ("max", 90), ("var", 90)):
    rule = RULES["ABCD_lr"]
    sharing = resolve_sharing(rule, "synapse")
    spec = KernelSpec(multilayer_perceptron(rule, (28, 128, 64, 8), sharing, normaliser=kind))
    kernel = compiled_module(source(spec)).projection0
    signature = {**pointers, **dict.fromkeys(others, "*fp32"), "LEARN": "constexpr", "FORWARD": "constexpr"}
    text = ASTSource(kernel, signature, {"LEARN": True, "FORWARD": True}, aligned)
    done = triton.compile(text, target=GPUTarget("cuda", capability, 32))
    found[f"{kind} sm_{capability}"] = [len(done.asm["cubin"]), done.asm["ptx"]]
print(json.dumps(found))
"""


@pytest.mark.skipif("triton" not in KERNELS, reason="Triton is not installed")
def test_the_kernel_compiles_for_gpus_that_are_not_here() -> None:
    """To machine code, by the compiler that Triton brings; loads of weights and constants are 16 bytes wide."""
    environment = {**os.environ, "TRITON_INTERPRET": "0", "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", COMPILE],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    compiled = json.loads(done.stdout)
    assert len(compiled) == 4
    for size, text in compiled.values():
        assert size > 1000
        assert text.count("v4.b32") >= 6, "five loads and a store for each tile of synapses"


@pytest.mark.skipif(not GPU, reason="needs a CUDA GPU")
def test_a_large_batch_on_a_gpu_gives_the_bits_of_a_small_one() -> None:
    case = DeviceCase(RULES["ABCD_lr"], normaliser="max", sizes=(28, 128, 64, 8), lifetimes=1000)
    kernel = kernel_of("triton", case)
    states, activations = case.run(kernel, device=DEVICE)
    for rows in ([17], list(range(1, 1000, 7))):
        part_states, part = case.run(kernel, rows=torch.tensor(rows), device=DEVICE)
        for found, wanted in zip([*part_states, *part], [*states, *activations], strict=True):
            assert torch.equal(found[rows], wanted[rows])
