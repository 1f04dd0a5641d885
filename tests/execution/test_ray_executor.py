"""The Ray executor on a cluster of several nodes on this machine: order, losses, late workers, joins, refusals."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hebbevo.errors import SearchError, SearchFailure
from hebbevo.execution.build import this_build
from hebbevo.execution.scheduling import WorkerLimits

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals")

QUICK = WorkerLimits(minimum=6.0, factor=10.0, first=60.0, start=120.0)


class Events(list[tuple[str, dict[str, Any]]]):
    """Remembers what an executor tells."""

    def __call__(self, kind: str, /, **fields: Any) -> None:
        self.append((kind, fields))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [fields for name, fields in self if name == kind]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    os.environ.setdefault("RAY_AUTH_MODE", "token")
    os.environ.setdefault("RAY_AUTH_TOKEN", "5" * 64)
    path = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), *([path] if path else [])])
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    yield cluster
    cluster.shutdown()
    os.environ.pop("PYTHONPATH")
    if path:
        os.environ["PYTHONPATH"] = path


@pytest.fixture(scope="module")
def shared_events() -> Events:
    return Events()


@pytest.fixture
def events(shared_events: Events) -> Events:
    shared_events.clear()
    return shared_events


@pytest.fixture(scope="module")
def executor(cluster: Any, shared_events: Events) -> Iterator[Any]:
    """All tests share one that may use the whole cluster: what they do to it, it must survive."""
    from hebbevo.execution.ray_executor import RayExecutor

    executor = RayExecutor(dict, None, cluster.address, limits=QUICK, on_event=shared_events)
    wait_for(lambda: executor.map(square, 0.01, range(4)) and executor.workers == 2)
    yield executor
    executor.close()


def square(worker: dict[str, int], shared: float, item: int) -> tuple[int, int]:
    worker["items"] = worker.get("items", 0) + 1
    time.sleep(shared)
    return item * item, os.getpid()


def fail(worker: object, shared: str, item: int) -> int:
    if item == 3:
        raise LookupError(shared)
    return item


def signal_itself(worker: object, shared: tuple[str, int], item: int) -> int:
    """The first process to come to item 5 signals itself in the middle of it; the flag keeps others from it."""
    flag, number = shared
    time.sleep(0.02)
    if item == 5 and not os.path.exists(flag):
        Path(flag).touch()
        os.kill(os.getpid(), number)
    return -item


def die(worker: object, shared: None, item: int) -> None:
    if item == 1:
        os.kill(os.getpid(), signal.SIGKILL)


def threads(worker: object, shared: None, item: int) -> tuple[int, ...]:
    import numba
    import torch

    return torch.get_num_threads(), numba.get_num_threads(), int(os.environ["OPENBLAS_NUM_THREADS"])


def test_results_come_in_the_order_of_the_items_from_every_worker(executor: Any, events: Events) -> None:
    assert executor.workers == 2
    assert executor.map(square, 0.0, []) == []
    for _ in range(2):
        results = executor.map(square, 0.01, range(40))
        assert [value for value, _ in results] == [item * item for item in range(40)]
        assert len({process for _, process in results}) == 2
    report = events.of("map")[-1]
    assert report["items"] == 40
    assert 0.1 < report["utilisation"] <= 1.01
    assert report["worker_memory"] > 1_000_000
    assert not events.of("worker_lost")
    assert executor.map(threads, None, range(2)) == [(1, 1, 1)] * 2


def test_what_an_item_raises_reaches_the_caller_and_the_workers_go_on(executor: Any) -> None:
    with pytest.raises(LookupError, match="gone") as raised:
        executor.map(fail, "gone", range(8))
    assert "fail" in raised.value.__notes__[0]
    assert executor.map(fail, "", range(3)) == [0, 1, 2]
    assert len({process for _, process in executor.map(square, 0.05, range(12))}) == 2


@pytest.mark.parametrize(
    ("number", "cause"), [(signal.SIGKILL, "killed, crashed"), (signal.SIGSTOP, "hung or slow")]
)
def test_dead_and_hung_workers_are_replaced_and_their_items_run_elsewhere(
    executor: Any, events: Events, tmp_path: Path, number: signal.Signals, cause: str
) -> None:
    executor.map(square, 0.02, range(10))  # the workers' first items are spared any deadline
    began = time.monotonic()
    for generation in range(2):
        shared = (str(tmp_path / f"{generation}"), int(number))
        assert executor.map(signal_itself, shared, range(12)) == [-item for item in range(12)]
        while executor.map(signal_itself, shared, range(12)) and executor.workers < 2:
            assert time.monotonic() < began + 60  # until the replacement is there
    lost = events.of("worker_lost")
    assert len(lost) == 2
    for event in lost:
        assert cause in event["cause"]
        assert event["memory"] > 1_000_000
    if number == signal.SIGSTOP:
        assert events.of("item_repeated")  # nobody waited for the deadline
    assert len(events.of("worker_started")) == 2


def test_an_item_that_ends_every_worker_ends_the_map(executor: Any) -> None:
    with pytest.raises(SearchFailure, match="item 1 of die ended 3 workers, the last: its process died"):
        executor.map(die, None, range(4))
    assert executor.map(square, 0.0, [3])[0][0] == 9


def test_nodes_that_join_are_used_from_the_next_map_on_and_those_that_leave_are_done_without(
    cluster: Any, executor: Any, events: Events
) -> None:
    wait_for(lambda: executor.map(square, 0.01, range(4)) and executor.workers == 2)
    events.clear()
    node = cluster.add_node(num_cpus=2)
    wait_for(lambda: executor.map(square, 0.05, range(20)) and executor.workers == 4)
    # on a busy machine the last one may have started only when a map is over
    wait_for(lambda: len({process for _, process in executor.map(square, 0.05, range(40))}) == 4)
    cluster.remove_node(node, allow_graceful=False)
    results = executor.map(square, 0.05, range(40))
    assert [value for value, _ in results] == [item * item for item in range(40)]
    wait_for(lambda: executor.map(square, 0.0, range(4)) and len(executor._pool.handles) == 2)
    assert len(events.of("worker_lost")) == 2


def wait_for(condition: Callable[[], object]) -> None:
    end = time.monotonic() + 180
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_a_worker_per_gpu(cluster: Any, executor: Any) -> None:
    """Ray hands out the GPUs that a node says it has; nothing here needs a real one."""
    from hebbevo.execution.ray_executor import RayExecutor

    node = cluster.add_node(num_cpus=2, num_gpus=2)
    try:
        on_gpus = RayExecutor(dict, None, cluster.address, gpus_per_worker=1, limits=QUICK)
        wait_for(lambda: on_gpus.map(visible_gpu, 0.0, range(2)) and on_gpus.workers == 2)
        assert sorted(set(on_gpus.map(visible_gpu, 0.05, range(8)))) == ["0", "1"]
        on_gpus.close()
    finally:
        cluster.remove_node(node)


def visible_gpu(worker: object, shared: float, item: int) -> str:
    time.sleep(shared)
    return os.environ["CUDA_VISIBLE_DEVICES"]


def test_a_worker_of_another_build_is_refused_in_one_line(cluster: Any, executor: Any) -> None:
    from hebbevo.execution.ray_executor import RayExecutor

    executor.close()  # the CPUs are needed
    build = {**this_build(), "hebbevo": "0" * 16}
    with pytest.raises(
        SearchError, match=r"another build of hebbevo: hebbevo \w{16} there, 0{16} here"
    ) as refusal:
        RayExecutor(dict, 1, cluster.address, build=build)
    assert "\n" not in str(refusal.value)


def test_a_wrong_token_is_refused_in_one_line(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from hebbevo.execution.ray_setup import check_cluster

    check_cluster(cluster.address)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "6" * 64)
    with pytest.raises(SearchError, match="refuses the authentication token") as refusal:
        check_cluster(cluster.address)
    assert "\n" not in str(refusal.value)


LOCAL = """
import os, signal, sys, time
from hebbevo.execution.ray_executor import RayExecutor

def nap(worker, shared, item):
    time.sleep(shared)
    return item

def interrupt(number, frame):
    raise KeyboardInterrupt

if __name__ == "__main__":
    if sys.argv[1] == "handled":
        signal.signal(signal.SIGTERM, interrupt)
    executor = RayExecutor(dict, 2)
    print("ready", executor.map(nap, 0.0, range(3)), flush=True)
    try:
        executor.map(nap, 0.1, range(1000))
    except KeyboardInterrupt:
        executor.close()
        print("closed", flush=True)
"""


@pytest.mark.parametrize(
    ("how", "number", "output"),
    [
        ("handled", signal.SIGTERM, "closed"),
        ("plain", signal.SIGKILL, ""),
        pytest.param("plain", signal.SIGINT, "closed", marks=pytest.mark.slow),
    ],
)
def test_a_local_ray_leaves_no_process_behind(
    tmp_path: Path, how: str, number: signal.Signals, output: str
) -> None:
    script = tmp_path / "driver.py"
    script.write_text(LOCAL)
    environment = {**os.environ, "HEBBEVO_TEST_MARK": str(tmp_path)}
    driver = subprocess.Popen(
        [sys.executable, str(script), how], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert driver.stdout is not None
    assert driver.stdout.readline() == "ready [0, 1, 2]\n"
    assert len(processes_with(str(tmp_path))) > 3
    time.sleep(0.3)
    driver.send_signal(number)
    assert driver.communicate(timeout=120)[0].strip() == output
    wait_for(lambda: not processes_with(str(tmp_path)))


def processes_with(mark: str) -> list[str]:
    """Return the running processes that inherited an environment variable of this value.

    Ray's agents are left out: they look for their dead raylet once a minute and then end by themselves.
    """
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            command = (path / "cmdline").read_bytes()
            if mark.encode() in (path / "environ").read_bytes() and b"Agent" not in command:
                found.append(command.decode())
        except OSError:
            continue
    return found
