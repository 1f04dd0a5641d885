"""Measure the Ray executor: scaling, traffic, memory, endurance, and a simulated large cluster.

    python scripts/bench_ray.py scaling|traffic|memory|endurance|simulate [--json FILE]

`hebbevo bench --only workers` has short generations on all cores. Every figure that compares comes from one run;
docs/cluster.md quotes them. Nothing else should run meanwhile: the load average is printed with the result.
"""

from __future__ import annotations

import argparse
import heapq
import json
import os
import pickle
import resource
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.benchmarks.workers import EventLog, generation, searcher_of, timed_generation
from hebbevo.config.loading import load_config
from hebbevo.execution import scheduling
from hebbevo.execution.executors import WorkerFactory
from hebbevo.execution.spans import guided_spans
from hebbevo.execution.threads import InProcess
from hebbevo.search import Executor, MatrixProposals, OpenAIESConfig, Proposals
from hebbevo.tasks.task import Task

Numbers = dict[str, Any]


def on_ray(make_worker: Any, workers: int, address: str | None, maps: EventLog) -> Executor[Any]:
    """Return the executor that is measured."""
    from hebbevo.execution.ray_executor import RayExecutor

    return RayExecutor(make_worker, workers, address, on_event=maps)


def scaling(rounds: int, generations: int, population: int) -> Numbers:
    """Agent-steps per second in process and on one and two workers, in turns: whole lifetimes, updates included.

    `clock` are ratios of medians over the clock. On a machine that others use, look at `free_cores`: agent-steps per
    CPU second, times the part of the time in which the workers had something to do, times their number.
    """
    os.environ.setdefault(
        "RAY_worker_niceness", "0"
    )  # 15 by default: others' load would count against workers alone
    overrides = ["env.early_stop=null", f"search.population={population}"]
    config, batch_size = load_config("quick-quadruped", overrides), 8
    factory = WorkerFactory(Task.of(config), batch_size)
    turns: dict[str, list[dict[str, float]]] = {"in_process": [], "ray_1": [], "ray_2": []}
    for _ in range(rounds):
        for name, measured in turns.items():
            maps, workers = EventLog(), int(name[-1]) if name.startswith("ray") else 0
            executor = on_ray(factory, workers, None, maps) if workers else InProcess(factory, 1)
            with closing(executor):
                searcher = searcher_of(config)
                generation(config, searcher, executor, batch_size)  # compiles, and learns how long items take
                measured += [
                    timed_generation(config, searcher, executor, batch_size, maps) for _ in range(generations)
                ]
    return {"turns": turns, "clock": _ratios(turns, _by_clock), "free_cores": _ratios(turns, _by_cpu)}


def _by_clock(workers: int, turn: dict[str, float]) -> float:
    return turn["agent_steps_per_s"]


def _by_cpu(workers: int, turn: dict[str, float]) -> float:
    return workers * turn["agent_steps_per_cpu_s"] * turn.get("busy", 1.0)


def _ratios(turns: dict[str, list[dict[str, float]]], rate: Any) -> dict[str, float]:
    medians = {
        name: statistics.median(rate(2 if name == "ray_2" else 1, one) for one in measured)
        for name, measured in turns.items()
    }
    return {
        "ray_1_over_in_process": round(medians["ray_1"] / medians["in_process"], 3),
        "ray_2_over_ray_1": round(medians["ray_2"] / medians["ray_1"], 3),
    }


class Counted:
    """Counts the bytes that pass through an executor, as pickled."""

    def __init__(self, executor: Executor[Any]) -> None:
        self.executor = executor
        self.bytes: dict[str, int] = {}

    @property
    def workers(self) -> int:
        """Number of workers."""
        return self.executor.workers

    def map(self, function: Any, shared: Any, items: Sequence[Any]) -> list[Any]:
        """Have the items run, and count."""
        results = self.executor.map(function, shared, items)
        for name, values in (("shared", [shared]), ("items", items), ("results", results)):
            key = f"{function.__name__}_{name}"
            self.bytes[key] = sum(len(pickle.dumps(value, protocol=5)) for value in values)
        return results

    def close(self) -> None:
        """Close the executor."""
        self.executor.close()


def traffic(generations: int, workers: int, address: str | None) -> Numbers:
    """Bytes per generation of population 500 with 61,440 coefficients: as pickled, and over sockets.

    With several nodes on this machine (`ray start --head`, `ray start --address`), the copies between their object
    stores go over sockets too.
    """
    overrides = ["search.population=500", "env.steps=5", "env.morphologies=[intact]"]
    config = load_config("quick-quadruped", overrides)
    searcher, batch_size = searcher_of(config), 8
    assert searcher.dimension >= 61_440, searcher.dimension
    maps = EventLog()
    with closing(
        Counted(on_ray(WorkerFactory(Task.of(config), batch_size), workers, address, maps))
    ) as executor:
        generation(config, searcher, executor, batch_size)
        time.sleep(2.0)
        start = _loopback()
        time.sleep(5.0)
        idle = (_loopback() - start) / 5.0
        before, began = _loopback(), time.perf_counter()
        maps.reports.clear()
        for _ in range(generations):
            generation(config, searcher, executor, batch_size)
        sockets = _loopback() - before - idle * (time.perf_counter() - began)
        update = [report for report in maps.reports if report["function"] == "weighted_sum"]
        return {
            "coefficients": searcher.dimension,
            "workers": executor.workers,
            "pickled_bytes": executor.bytes,
            "pickled_bytes_total": sum(executor.bytes.values()),
            "socket_bytes": sockets / generations,
            "socket_bytes_idle_per_second": idle,
            "items": sum(report["items"] for report in maps.reports) / generations,
            "update_seconds": statistics.median(report["seconds"] for report in update),
            "update_cpu_seconds": statistics.median(report["cpu_seconds"] for report in update),
        }


def _loopback() -> int:
    """Return the bytes that the loopback interface has sent: all messages of a Ray on one machine."""
    for line in Path("/proc/net/dev").read_text(encoding="ascii").splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() == "lo":
            return int(numbers.split()[8])
    raise SystemExit("no loopback interface in /proc/net/dev")


def nothing() -> None:
    """Make a worker that holds nothing."""


def sphere(worker: object, proposals: Proposals, item: tuple[int, int]) -> npt.NDArray[np.float64]:
    """Return the fitness of a span of individuals."""
    loss: npt.NDArray[np.float64] = np.square(proposals.genomes(range(*item)), dtype=np.float64).mean(axis=1)
    return -loss


def memory(generations: int) -> Numbers:
    """Peak memory of the driver with 458,002 coefficients, population 200; and as a matrix of genomes."""
    dimension, population = 458_002, 200
    config = OpenAIESConfig(population=population)
    searcher = config.build(np.zeros(dimension, np.float32), 0)
    spans = [(start, start + 4) for start in range(0, population, 4)]
    start = _peak()
    with closing(on_ray(nothing, 2, None, EventLog())) as executor:
        for _ in range(generations):
            proposals = searcher.ask()
            fitness = np.concatenate(executor.map(sphere, proposals, spans))
            searcher.tell(proposals, fitness, executor)
        keyed = _peak()
        matrix = MatrixProposals(searcher.ask().genomes(range(population)))
        executor.map(sphere, matrix, spans)
    return {
        "coefficients": dimension,
        "peak_before_gb": start / 1e9,
        "peak_openai_es_gb": keyed / 1e9,
        "peak_with_a_genome_matrix_gb": _peak() / 1e9,
    }


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def endurance(generations: int, figure: Path | None) -> Numbers:
    """Memory of driver and workers over many short generations: slope after warm-up, in bytes per generation."""
    overrides = ["search.population=16", "env.steps=5", "env.morphologies=[intact]", "network.hidden=[8]"]
    config = load_config("quick-quadruped", overrides)
    searcher, maps = searcher_of(config), EventLog()
    samples: list[tuple[int, int, int]] = []
    began = time.perf_counter()
    with closing(on_ray(WorkerFactory(Task.of(config), 4), 2, None, maps)) as executor:
        for number in range(generations):
            generation(config, searcher, executor, 4)
            if number % 10 == 0:
                samples.append((number, _resident(), maps.reports[-1]["worker_memory"]))
            maps.reports.clear()
    seconds = time.perf_counter() - began
    table = np.array(samples, dtype=np.float64)
    late = table[table[:, 0] >= generations * 0.2]
    if figure is not None:
        _draw(table, figure)
    return {
        "generations": generations,
        "seconds": seconds,
        "driver_mb": [late[0, 1] / 1e6, late[-1, 1] / 1e6],
        "driver_bytes_per_generation": np.polyfit(late[:, 0], late[:, 1], 1)[0],
        "worker_mb": [late[0, 2] / 1e6, late[-1, 2] / 1e6],
        "worker_bytes_per_generation": np.polyfit(late[:, 0], late[:, 2], 1)[0],
    }


def _resident() -> int:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _draw(table: npt.NDArray[np.float64], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.2), layout="constrained")
    for column, name in ((1, "driver"), (2, "largest worker")):
        axes.plot(table[:, 0], table[:, column] / 1e6, label=name)
    axes.set(xlabel="generation", ylabel="resident memory (MB)", ylim=(0, None))
    axes.legend(frameon=False)
    figure.savefig(path, dpi=120)


WORKERS_PER_PROCESS = 32


def sleep(worker: None, shared: npt.NDArray[np.float32], item: float) -> npt.NDArray[np.float64]:
    """Stand in for a batch of lifetimes; the answer is as large as a real one."""
    time.sleep(item)
    return np.zeros(32)


def simulate(sizes: list[int], seconds: float, per_worker: int, width: int) -> Numbers:
    """Driver time per generation and utilisation with lifetimes that take heavy-tailed times.

    `greedy` is the utilisation of the same items scheduled without any cost: the difference is the driver's share.
    """
    center, random, results = np.zeros(61_440, np.float32), np.random.default_rng(0), {}
    for workers in sizes:
        reports: dict[str, list[Numbers]] = {"equal": [], "guided": []}
        maps = EventLog()
        with closing(_simulated(workers, maps)) as executor:
            executor.map(sleep, center, [0.01] * workers)
            for _ in range(3):
                total = workers * per_worker
                # log-normal with sigma 1, at most five medians, as where early stopping ends the bad ones
                times = seconds / width * np.minimum(np.exp(random.standard_normal(total)), 5.0)
                equal = [(start, min(start + width, total)) for start in range(0, total, width)]
                for name, spans in (
                    ("equal", equal),
                    ("guided", guided_spans(total, width, workers)),
                ):
                    items = [float(times[start:stop].sum()) for start, stop in spans]
                    used = time.process_time()
                    executor.map(sleep, center, items)
                    cpu = time.process_time() - used
                    reports[name].append({**maps.reports[-1], "cpu": cpu, "greedy": _greedy(items, workers)})
        results[str(workers)] = {name: _simulation(maps) for name, maps in reports.items()}
        print(workers, json.dumps(results[str(workers)]), file=sys.stderr)
    return results


def _greedy(items: list[float], workers: int) -> float:
    """Return the utilisation where a free worker takes the next item at once."""
    free = [0.0] * workers
    for item in items:
        heapq.heappush(free, heapq.heappop(free) + item)
    return sum(items) / (workers * max(free))


def _simulated(workers: int, maps: EventLog) -> Any:
    """Return an executor whose workers share a few processes: the driver sees as many as on a real cluster."""
    from hebbevo.execution import ray_executor

    class SharedProcesses(ray_executor.RayProcesses):
        started = 0
        actor: Any = None

        def start(self, **options: Any) -> Any:
            if self.started % WORKERS_PER_PROCESS == 0:
                self.actor = super().start(max_concurrency=WORKERS_PER_PROCESS + 1, **options)
            self.started += 1
            return self.actor

    # Workers of one process share a queue there: nothing may wait in it.
    for module in (scheduling, ray_executor):
        vars(module)["IN_FLIGHT"] = 1
    with (
        _replaced(ray_executor, "RayProcesses", SharedProcesses),
        _replaced(ray_executor, "check_local_workers", lambda workers, cores: None),
    ):
        return ray_executor.RayExecutor(nothing, workers, on_event=maps)


@contextmanager
def _replaced(module: Any, name: str, value: Any) -> Iterator[None]:
    original = getattr(module, name)
    setattr(module, name, value)
    try:
        yield
    finally:
        setattr(module, name, original)


def _simulation(reports: list[Numbers]) -> Numbers:
    def mean(name: str) -> float:
        return statistics.fmean(report[name] for report in reports)

    return {
        "items": mean("items"),
        "seconds": mean("seconds"),
        "driver_seconds": mean("driver_seconds"),
        "driver_cpu_seconds": mean("cpu"),
        "driver_cpu_ms_per_item": 1e3 * mean("cpu") / mean("items"),
        "utilisation": mean("utilisation"),
        "greedy": mean("greedy"),
        "repeated": mean("repeated"),
    }


def main() -> None:
    """Run one of the measurements."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    options = argparse.ArgumentParser(add_help=False)
    options.add_argument("--json", type=Path, help="write the result here too")
    make = partial(commands.add_parser, parents=[options])
    one = make("scaling", help="in process, one worker, two: about 4 minutes on two free cores")
    one.add_argument("--rounds", type=int, default=2)
    one.add_argument("--generations", type=int, default=2)
    one.add_argument("--population", type=int, default=200)
    one = make("traffic", help="bytes per generation")
    one.add_argument("--generations", type=int, default=5)
    one.add_argument("--workers", type=int, default=2)
    one.add_argument("--address", help="of a cluster whose nodes all are on this machine")
    make("memory", help="peak of the driver").add_argument("--generations", type=int, default=3)
    one = make("endurance", help="memory over 1,000 generations")
    one.add_argument("--generations", type=int, default=1000)
    one.add_argument("--figure", type=Path)
    one = make("simulate", help="a large cluster of workers that sleep")
    one.add_argument("--sizes", type=int, nargs="+", default=[16, 64, 256, 512])
    one.add_argument("--seconds", type=float, default=1.0, help="median of an item")
    one.add_argument("--per-worker", type=int, default=20, help="lifetimes per worker and generation")
    one.add_argument("--width", type=int, default=4, help="lifetimes of an item")
    arguments = vars(parser.parse_args())
    name, path = arguments.pop("command"), arguments.pop("json")
    load = os.getloadavg()[0]
    result = globals()[name](**arguments)
    result = {"measurement": name, "load_before": load, "load_after": os.getloadavg()[0], **result}
    text = json.dumps(result, indent=2)
    print(text)
    if path is not None:
        path.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
