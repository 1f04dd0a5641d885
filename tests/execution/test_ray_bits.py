"""Same seed, same bits: in this process, on one worker or four, in any batch, whoever dies on the way."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from hebbevo.config.loading import load_config
from hebbevo.config.schema import Config
from hebbevo.errors import SearchError
from hebbevo.evaluation.fitness import evaluate_generation, evaluate_individuals
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import WorkerFactory, executor_for
from hebbevo.execution.scheduling import WorkerLimits
from hebbevo.search import Executor
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import Worker
from hebbevo.training.evolution import resume

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

GENERATIONS = 5
OVERRIDES = (
    "env.steps=60",
    "network.hidden=[64]",  # 11,520 coefficients: three segments of noise, so the update is split
    "search.population=32",
    f"search.generations={GENERATIONS}",
)


@dataclass(frozen=True)
class Trap:
    """A function that ends its process, or the whole node, the first time that an item comes to it."""

    function: Any
    shared: Any
    flag: str
    raylets: tuple[int, ...]  # nodes that may be killed; none: the worker alone


def spring(worker: Worker, trap: Trap, item: Any) -> Any:
    """Run an item; the first to start one dies of it, and takes its node along if that is one of the raylets."""
    if not os.path.exists(trap.flag) and (not trap.raylets or os.getppid() in trap.raylets):
        Path(trap.flag).touch()
        os.kill(os.getppid() if trap.raylets else os.getpid(), signal.SIGKILL)
        time.sleep(60)
    return trap.function(worker, trap.shared, item)


class Trapped:
    """An executor where something dies in every generation, while lifetimes run."""

    def __init__(self, executor: Any, folder: Path, raylets: tuple[int, ...] = ()) -> None:
        self.executor, self.folder, self.raylets = executor, folder, raylets
        self.traps = 0

    @property
    def workers(self) -> int:
        return int(self.executor.workers)

    def map(self, function: Any, shared: Any, items: Sequence[Any]) -> list[Any]:
        if function is not evaluate_individuals:
            plain: list[Any] = self.executor.map(function, shared, items)
            return plain
        self.traps += 1
        trap = Trap(function, shared, str(self.folder / f"{self.traps}"), self.raylets)
        results: list[Any] = self.executor.map(spring, trap, items)
        return results

    def close(self) -> None:
        self.executor.close()


@pytest.fixture(scope="module")
def config() -> Config:
    return load_config("quick-quadruped", OVERRIDES)


def evolved(config: Config, executor: Executor[Worker], batch_size: int) -> npt.NDArray[np.float32]:
    """Return the center after five generations."""
    task = Task.of(config)
    searcher = config.search.build(task.first_genome(np.random.default_rng(3)), 11)
    for generation in range(GENERATIONS):
        proposals = searcher.ask()
        fitness = evaluate_generation(
            executor,
            proposals,
            run_seed=11,
            number=generation,
            morphologies=config.env.morphology_names,
            lifetime_seeds="individual",
            batch_size=batch_size,
        )
        searcher.tell(proposals, fitness.penalised(config.training.penalty), executor)
    return searcher.center


@pytest.fixture(scope="module")
def expected(config: Config) -> npt.NDArray[np.float32]:
    resolved = Execution(workers=0, batch_size=8).resolve(Task.of(config))
    with executor_for(resolved) as executor:
        return evolved(config, executor, resolved.batch_size)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", "5" * 64)
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *([path] if path else [])])
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    cluster.add_node(num_cpus=2)
    yield cluster
    cluster.shutdown()
    os.environ.pop("PYTHONPATH")
    if path:
        os.environ["PYTHONPATH"] = path


def on_ray(config: Config, cluster: Any, workers: int, batch_size: int, on_event: Any) -> Any:
    from hebbevo.execution.ray_executor import RayExecutor

    factory = WorkerFactory(Task.of(config), batch_size)
    return RayExecutor(
        factory, workers, cluster.address, limits=WorkerLimits(minimum=20.0), on_event=on_event
    )


def ignore(kind: str, /, **fields: Any) -> None:
    pass


@pytest.mark.parametrize(("workers", "batch_size"), [(1, 8), (2, 3), (4, 8)])
def test_the_number_of_workers_and_the_batch_size_change_no_bit(
    config: Config, expected: npt.NDArray[np.float32], cluster: Any, workers: int, batch_size: int
) -> None:
    with closing(on_ray(config, cluster, workers, batch_size, ignore)) as executor:
        center = evolved(config, executor, batch_size)
        assert executor.workers <= workers
    assert center.tobytes() == expected.tobytes()


def test_a_worker_killed_in_every_generation_changes_no_bit(
    config: Config, expected: npt.NDArray[np.float32], cluster: Any, tmp_path: Path
) -> None:
    lost = []
    executor = on_ray(config, cluster, 2, 8, lambda kind, /, **fields: lost.append(kind))
    with closing(Trapped(executor, tmp_path)) as trapped:
        center = evolved(config, trapped, 8)
    assert lost.count("worker_lost") == trapped.traps == GENERATIONS
    assert center.tobytes() == expected.tobytes()


def test_a_node_killed_in_the_middle_of_a_generation_changes_no_bit(
    config: Config, expected: npt.NDArray[np.float32], cluster: Any, tmp_path: Path
) -> None:
    doomed = cluster.add_node(num_cpus=2)
    raylets = tuple(process.process.pid for process in doomed.all_processes["raylet"])
    events = []
    executor = on_ray(config, cluster, 6, 4, lambda kind, /, **fields: events.append(kind))
    try:
        with closing(Trapped(executor, tmp_path, raylets)) as trapped:
            center = evolved(config, trapped, 4)
    finally:
        cluster.remove_node(doomed, allow_graceful=False)
    assert (tmp_path / "1").exists()  # it died with an item under way
    assert "item_repeated" in events or "worker_lost" in events
    assert center.tobytes() == expected.tobytes()


DRIVER = """
import sys
from hebbevo.config.loading import load_config
from hebbevo.training.evolution import evolve
from hebbevo.execution.execution import Execution

if __name__ == "__main__":
    config = load_config("quick-quadruped", sys.argv[2:])
    evolve(config, sys.argv[1], execution=Execution(workers=2), watch=lambda step: print(step.generation, flush=True))
"""


def test_a_driver_killed_and_resumed_changes_no_byte(tmp_path: Path) -> None:
    script = tmp_path / "driver.py"
    script.write_text(DRIVER)
    overrides = (*OVERRIDES, "evaluation.episodes=2")
    command = [sys.executable, str(script), str(tmp_path / "killed"), *overrides]
    driver = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert driver.stdout is not None
    assert [driver.stdout.readline() for _ in range(2)] == ["1\n", "2\n"]
    driver.kill()
    driver.communicate()
    log = (tmp_path / "killed" / "log.jsonl").read_text().splitlines()
    generations = [event for event in map(json.loads, log) if event["event"] == "generation"]
    assert all(event["workers"] == 2 and 0.0 < event["utilisation"] < 1.1 for event in generations)
    run = resume(tmp_path / "killed", execution=Execution(workers=0))
    assert run.resumed_from in (2, 3)
    from hebbevo.training.evolution import evolve

    evolve(load_config("quick-quadruped", overrides), tmp_path / "whole", execution=Execution(workers=0))
    for name in ("center.safetensors", "best.safetensors", "progress.csv"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_too_many_workers_for_this_machine_are_refused_in_one_line(config: Config) -> None:
    with (
        pytest.raises(SearchError, match="workers=1000 is too many for the") as refusal,
        executor_for(Execution(workers=1000).resolve(Task.of(config))),
    ):
        pass
    assert "\n" not in str(refusal.value)
