"""What stays unimported: configs, the registry and the bodies are read without simulators and compilers."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEAVY = ("mujoco", "numba", "gymnasium", "torch", "scipy", "Box2D", "pygame")

PROGRAMS = {
    "the package": "import hebbevo.envs",
    "configs": "from hebbevo.envs import *; QuadrupedConfig(); DogConfig(morphologies=('test_05',)); CarRacingConfig()",
    "interfaces": "from hebbevo.envs import *; config_class('dog')().interface, CarRacingConfig().interface",
    "the registry": "from hebbevo.envs import *; [config_class(name).__doc__ for name in ENVIRONMENTS]",
    "bodies": "from hebbevo.envs import *; [body.description for body in MORPHOLOGIES.values()]",
    "settings of perturbations": "import hebbevo.perturbations.catalogue",
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_nothing_heavy_is_imported(program: str) -> None:
    report = (
        f"{PROGRAMS[program]}\nimport sys, json; print(json.dumps(sorted({set(HEAVY)!r} & set(sys.modules))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", report], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert json.loads(done.stdout) == []
