"""Settings of searches are read without the algorithms and their libraries."""

import subprocess
import sys

import pytest

from hebbevo.search import SEARCHERS

HEAVY = ("numba", "mujoco", "torch", "gymnasium", "ray", "evotorch", "scipy", "numpy")


@pytest.mark.parametrize("name", SEARCHERS)
def test_settings_load_no_algorithm(name: str) -> None:
    code = (
        "import sys, hebbevo.search\n"
        f"hebbevo.search.config_class({name!r})(population=4).check_dimension(10)\n"
        f"print(*sorted(set(sys.modules) & set({HEAVY!r})))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
