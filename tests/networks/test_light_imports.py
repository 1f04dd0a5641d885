"""What a config and a genome's layout need loads no compiler and no tensors."""

import subprocess
import sys

import pytest

LIGHT = (
    "hebbevo.rules",
    "hebbevo.networks",
    "hebbevo.networks.convolution",
    "hebbevo.networks.kernel_spec",
    "hebbevo.networks.layout",
    "hebbevo.networks.network",
    "hebbevo.networks.normalisers",
    "hebbevo.networks.torch.device",
)
HEAVY = {"numba", "torch", "triton", "scipy"}


@pytest.mark.parametrize("module", LIGHT)
def test_importing_a_light_module_loads_nothing_heavy(module: str) -> None:
    script = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert HEAVY.isdisjoint(done.stdout.split())
