"""The command line and clusters: what cannot work ends with one line, exit code 2 and no run directory."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import hebbevo

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Ray on Windows is experimental")

SMALL = (
    *("quick-quadruped", "env.name=gymnasium:CartPole-v1", "env.steps=30", "network.hidden=4"),
    *("search.population=4", "search.generations=2", "evaluation.episodes=2"),
)
TOKEN = "5" * 64


def evolve(folder: Path, *options: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `hebbevo evolve` in a process of its own."""
    command = "import sys; from hebbevo.cli.app import run; sys.exit(run())"
    return subprocess.run(
        [sys.executable, "-c", command, "evolve", *SMALL, "--out", str(folder / "runs" / "a"), *options],
        env={**os.environ, "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": TOKEN, **variables},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def refused(done: subprocess.CompletedProcess[str], folder: Path, expected: str) -> None:
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stdout
    assert list(folder.iterdir()) == []


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "here"
    path.mkdir()
    return path


@pytest.fixture(scope="module")
def another_build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package that differs in one comment."""
    root = tmp_path_factory.mktemp("another")
    shutil.copytree(
        Path(hebbevo.__file__).parent, root / "hebbevo", ignore=shutil.ignore_patterns("__pycache__")
    )
    with (root / "hebbevo" / "search" / "noise.py").open("a") as file:
        file.write("# another build\n")
    return root


@pytest.fixture(scope="module")
def address(another_build: Path) -> Iterator[str]:
    """A cluster whose node has another build of hebbevo."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", TOKEN)
        path = [str(another_build), *filter(None, [os.environ.get("PYTHONPATH")])]
        patch.setenv("PYTHONPATH", os.pathsep.join(path))
        from ray.cluster_utils import Cluster

        cluster: Any = Cluster(
            initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False}
        )
    yield str(cluster.address)
    cluster.shutdown()


def test_an_address_that_does_not_answer(folder: Path) -> None:
    expected = "no Ray cluster answers at 127.0.0.1:1; check the address"
    refused(evolve(folder, "--ray", "127.0.0.1:1"), folder, expected)


def test_a_wrong_token(folder: Path, address: str) -> None:
    done = evolve(folder, "--ray", address, RAY_AUTH_TOKEN="6" * 64)
    refused(done, folder, "refuses the authentication token; set RAY_AUTH_MODE=token")


def test_a_worker_with_another_build(folder: Path, address: str) -> None:
    done = evolve(folder, "--ray", address, "--workers", "1")
    refused(done, folder, "another build of hebbevo: hebbevo ")
    assert "install the same hebbevo on every node" in done.stderr


def test_too_many_workers_for_this_machine(folder: Path) -> None:
    refused(evolve(folder, "--workers", "1000"), folder, "workers=1000 is too many for the")
