"""A normaliser is one entry: what it says runs in every kernel."""

import importlib.util

import numpy as np
import pytest
import torch
from device_case import DEVICE, DeviceCase, error
from kernel_batch import KernelBatch, plain_module, spec_of

from hebbevo.errors import RuleError
from hebbevo.networks.normalisers import NORMALISERS, Normaliser, normalise
from hebbevo.networks.torch.kernel import TorchKernel
from hebbevo.rules import RULES

ROOT_MEAN_SQUARE = Normaliser(
    "rms",
    lambda weights, mean: weights / (mean(weights.square()) + 1e-3).sqrt(),
    scale="1/sqrt(squares/count + 1e-3)",
)
HALVED = Normaliser("halved", lambda weights, mean: 0.5 * weights, elementwise="0.5*w")
KERNELS = ["torch"] + ["triton"] * (importlib.util.find_spec("triton") is not None)


@pytest.fixture(params=[ROOT_MEAN_SQUARE, HALVED], ids=lambda normaliser: normaliser.name)
def entry(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setitem(NORMALISERS, request.param.name, request.param)
    return request.param.name


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_new_entry_runs_in_device_kernels(entry: str, kernel: str) -> None:
    from hebbevo.networks.triton.kernel import TritonKernel

    case = DeviceCase(RULES["oja"], normaliser=entry)
    made = TorchKernel(case.spec) if kernel == "torch" else TritonKernel(case.spec)
    states, _ = case.run(made, device=DEVICE)
    assert error(states, case.expected()[0]) < 1e-5


def test_a_new_entry_runs_in_cpu_kernels(entry: str) -> None:
    updated = {}
    for kind in ("none", entry):
        batch = KernelBatch(spec_of("oja", normaliser=kind, sizes=(4, 17, 3)))
        batch.run(plain_module(batch.spec)["learn"])
        updated[kind] = [batch.weights(layer)[0].astype(float) for layer in batch.layers]
    for plain, found in zip(updated["none"], updated[entry], strict=True):
        size = np.sqrt((plain**2).mean() + 1e-3) if entry == "rms" else 2.0
        np.testing.assert_allclose(found, plain / size, rtol=1e-5)


def test_an_unknown_one_is_refused() -> None:
    with pytest.raises(RuleError, match="unknown normaliser 'maxx'; did you mean max"):
        normalise(torch.ones(2, 2), "maxx")
