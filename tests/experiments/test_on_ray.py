"""An experiment on two nodes of Ray, of which one dies: the tables of one that ran here, byte for byte."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hebbevo import Execution, experiment
from hebbevo.experiments.experiment import Studying
from hebbevo.experiments.workers import Advanced, Event

pytestmark = pytest.mark.slow

FILE: dict[str, Any] = {
    "base": {
        "preset": "quick-association",
        "env": {"steps": 40},
        "search": {"population": 8},
        "training": {"generations": 6},
        "evaluation": {"every": 2, "episodes": 4},
    },
    "arms": {
        "plastic": {},
        "static": {"plasticity.rule": "none", "plasticity.initial_weights": "evolved from normal(0, 0.1)"},
    },
    "seeds": 2,
    "evaluate": {"episodes": 4},
}
TABLES = ("runs.csv", "curves.csv", "table.csv", "differences.csv", "efficiency.csv", "experiment.yaml")


@pytest.fixture
def nodes() -> Iterator[tuple[Any, Any]]:
    """A cluster of two nodes with a worker each, and the second of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", "5" * 64)
        from ray.cluster_utils import Cluster

        cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
        yield cluster, cluster.add_node(num_cpus=1)
        cluster.shutdown()


def test_a_node_that_dies_changes_no_byte(nodes: tuple[Any, Any], tmp_path: Path) -> None:
    cluster, doomed = nodes
    here = experiment(FILE, tmp_path / "here", execution=Execution(threads=1)).path
    died = threading.Event()

    def disturb(event: Event | Studying) -> None:
        if isinstance(event, Advanced) and not died.is_set():
            died.set()
            cluster.remove_node(doomed, allow_graceful=False)

    on_ray = Execution(ray=cluster.address, workers=1)
    done = experiment(FILE, tmp_path / "ray", jobs=2, execution=on_ray, watch=disturb)
    assert died.is_set()
    assert not done.failures
    for name in TABLES:
        assert (done.path / name).read_bytes() == (here / name).read_bytes()
