"""MuJoCo as hebbevo imports it: without any OpenGL, and its warnings as one line."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import gymnasium, numpy as np
from hebbevo import envs
for name, actions in (("quadruped", 8), ("gymnasium:HalfCheetah-v5", 6)):
    batch = envs.make(envs.config_class(name)(name=name), batch_size=3)
    batch.reset([1, 2, 3], [batch.config.morphology_names[0] if name == "quadruped" else "default"] * 3)
    for row in (0, 2):
        if name == "quadruped":
            batch.velocity(row)[:] = 1e11
        else:
            batch._environments[row].unwrapped.data.qvel[:] = 1e11
    batch.step(np.zeros((3, actions), np.float32), np.arange(3))
    assert batch.diverged.tolist() == [True, False, True]
"""


@pytest.mark.parametrize("opengl", ["osmesa", "no such OpenGL"])  # osmesa may be missing or not
def test_no_opengl_is_needed_and_warnings_are_one_line(opengl: str, tmp_path: Path) -> None:
    environment = {**os.environ, "MUJOCO_GL": opengl}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith("warnings of MuJoCo: ")
    assert "Nan, Inf or huge value in Q" in line
    assert not list(tmp_path.iterdir())
