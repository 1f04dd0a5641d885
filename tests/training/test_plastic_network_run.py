"""A recurrent, modulated network with all that a run can carry along: one run, whoever computes, killed or not."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tasks import HERE, QUADRUPED, small_config
from test_evolution import results, rows_of

from hebbevo import Execution, evolve, resume

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX signals")]

CONFIG = small_config(
    "network.recurrent=true",
    "network.modulators=1",
    "network.inputs=[observation, action, reward, one]",
    "network.normalise_observations=true",
    "plasticity.rule=w + m*eta*(A*pre*post + B*pre + C*post + D)",
    "training.generations=20",
    "training.lifetimes=2",
    "training.normalise_share=0.5",
    "training.normalise_until=15",
    "training.merge_to=16",
    "training.merge_every=6",
    "evaluation.every=10",
    env=QUADRUPED,
)


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Return the results of the run in this process."""
    return results(evolve(CONFIG, tmp_path_factory.mktemp("straight") / "run", execution=HERE).path)


@pytest.mark.parametrize("workers", [1, 2])
def test_workers_change_no_byte(straight: dict[str, bytes], workers: int) -> None:
    evolve(CONFIG, "run", execution=Execution(workers=workers))
    assert results("run") == straight
    assert [row["diverged"] for row in rows_of("run")] == [0] * 20


def test_a_killed_run_goes_on_to_the_same_bytes(straight: dict[str, bytes]) -> None:
    Path("config.yaml").write_text(CONFIG.to_yaml(), encoding="utf-8")
    command = [sys.executable, "-m", "hebbevo", "evolve", "config.yaml", "--threads", "1", "--out", "run"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        table, end = Path("run/progress.csv"), time.monotonic() + 120
        while not (table.exists() and table.read_bytes().count(b"\n") > 5) and time.monotonic() < end:
            time.sleep(0.001)
        os.kill(process.pid, signal.SIGKILL)
    run = resume("run", execution=HERE)
    assert 4 <= (run.resumed_from or 0) < 20
    assert results("run") == straight
