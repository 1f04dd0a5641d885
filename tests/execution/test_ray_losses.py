"""A run on two nodes of Ray, of which a worker and a node die at random instants: the bytes of a run left alone."""

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hebbevo import Execution, evolve, load_config
from hebbevo.training.records import Step

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")]

GENERATIONS = 50
CONFIG = load_config(
    "quick-quadruped",
    [
        *(
            "env.steps=40",
            "network.hidden=[16]",
            "search.population=16",
            f"training.generations={GENERATIONS}",
        ),
        *("evaluation.every=10", "evaluation.episodes=4", "run.seed=5"),
    ],
)


@pytest.fixture
def nodes() -> Iterator[tuple[Any, Any]]:
    """A cluster of two nodes with a worker each, and the second of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", "5" * 64)
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        doomed = cluster.add_node(num_cpus=1)
        yield cluster, doomed
        cluster.remove_node(doomed, allow_graceful=False)
        cluster.shutdown()


def workers_of(cluster: Any) -> list[int]:
    """Return the processes of hebbevo's workers that the nodes of a cluster have started."""
    raylets = {raylet_of(node) for node in cluster.list_all_nodes()}
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            is_worker = (process / "cmdline").read_bytes().startswith(b"ray::WorkerProcess")
        except (OSError, ValueError):
            continue
        if is_worker and parent in raylets:
            found.append(int(process.name))
    return sorted(found)


def raylet_of(node: Any) -> int:
    return int(node.all_processes["raylet"][0].process.pid)


def results(path: Path) -> dict[str, bytes]:
    """Return the bytes of all that equal runs share."""
    names = ("center.safetensors", "best.safetensors", "progress.csv", "config.yaml")
    files = [*(path / name for name in names), *sorted((path / "checkpoints").iterdir())]
    return {str(file.relative_to(path)): file.read_bytes() for file in files}


def test_a_worker_and_a_node_that_die_at_random_change_no_byte(
    nodes: tuple[Any, Any], tmp_path: Path
) -> None:
    expected = results(evolve(CONFIG, tmp_path / "alone", execution=Execution(threads=1)).path)
    cluster, doomed = nodes
    rng = np.random.default_rng(int.from_bytes(os.urandom(4)))
    of_worker, of_node = (int(rng.integers(low, low + 15)) for low in (5, 25))
    killed: list[int] = []

    def strike(process: int) -> None:
        os.kill(process, signal.SIGKILL)
        killed.append(process)

    def watch(step: Step) -> None:
        """Let something die a moment later, wherever the next generations are by then."""
        if step.generation in (of_worker, of_node):
            victim = raylet_of(doomed) if step.generation == of_node else int(rng.choice(workers_of(cluster)))
            threading.Timer(float(rng.uniform(0, 0.1)), strike, [victim]).start()

    run = evolve(CONFIG, tmp_path / "killed", execution=Execution(ray=cluster.address), watch=watch)
    assert len(killed) == 2, (of_worker, of_node)
    assert results(run.path) == expected, (of_worker, of_node)
    events = [json.loads(line)["event"] for line in (run.path / "log.jsonl").read_text().splitlines()]
    assert "worker_lost" in events
