"""Two hundred random rules on small random networks: every back end against float64."""

import importlib.util

import numpy as np
import pytest
from graphs import error_of_lifetimes, numba_network, torch_network, triton_network
from kernel_batch import plain_module
from random_networks import RandomNetwork

from hebbevo.networks.kernel_spec import KernelSpec
from hebbevo.networks.layout import genome_layout
from hebbevo.networks.network import Network
from hebbevo.networks.network_spec import NetworkSpec
from hebbevo.networks.numba.kernel import NumbaKernel
from hebbevo.networks.numba.network import NumbaNetwork

STEPS = 4
SCALE = 0.5
SEEDS = range(200)
COMPILED = (34, 102)
TRITON = range(60)


def some_slow(seeds: range, fast: int) -> list:
    """Return seeds, all but the first few of them marked as slow."""
    return [seed if seed < fast else pytest.param(seed, marks=pytest.mark.slow) for seed in seeds]


class PlainKernel(NumbaKernel):
    """The text of the CPU kernel, run as plain Python."""

    def __init__(self, spec: KernelSpec) -> None:
        super().__init__(spec)
        module = plain_module(spec)
        self.forward, self.learn, self.learn_forward = (
            module[entry] for entry in ("forward", "learn", "learn_forward")
        )


def plain_network(spec: NetworkSpec, batch_size: int, slopes=None) -> Network:
    return NumbaNetwork(PlainKernel(KernelSpec(spec)), genome_layout(spec), batch_size, slopes=slopes)


@pytest.mark.parametrize("seed", SEEDS)
def test_torch_agrees_with_float64(seed: int) -> None:
    assert error_of_lifetimes(RandomNetwork(seed).spec, torch_network, STEPS, SCALE) < 1e-5


@pytest.mark.parametrize("seed", some_slow(SEEDS, 60))
def test_the_text_of_the_cpu_kernel_agrees_with_float64(seed: int) -> None:
    with np.errstate(all="ignore"):
        assert error_of_lifetimes(RandomNetwork(seed).spec, plain_network, STEPS, SCALE) < 1e-5


@pytest.mark.parametrize("seed", COMPILED)
def test_the_compiled_cpu_kernel_agrees_with_float64(seed: int) -> None:
    assert error_of_lifetimes(RandomNetwork(seed).spec, numba_network, STEPS, SCALE) < 1e-5


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed")
@pytest.mark.parametrize("seed", some_slow(TRITON, 12))
def test_the_gpu_kernel_agrees_with_float64(seed: int) -> None:
    assert error_of_lifetimes(RandomNetwork(seed).spec, triton_network, STEPS, SCALE) < 1e-5
