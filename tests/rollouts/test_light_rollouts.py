"""Hooks, results and perturbations are read without a compiler, a simulator or a tensor library."""

import subprocess
import sys

import pytest

HEAVY = ("numba", "mujoco", "torch", "scipy", "gymnasium", "ray", "matplotlib")


@pytest.mark.parametrize(
    "module", ["hebbevo.perturbations.hooks", "hebbevo.rollouts.result", "hebbevo.perturbations.catalogue"]
)
def test_nothing_heavy_is_imported(module: str) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
