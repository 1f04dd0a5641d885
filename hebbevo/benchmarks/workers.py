"""Generations on threads of this process and on Ray workers: agent-steps per second, and per second of CPU time.

A generation is one of evolution: ask, evaluate, tell. `utilisation` is the workers' CPU time over the clock, per
worker; on a machine that others use it says little. There the agent-steps per CPU second count, and on Ray `busy`, the
fraction of the time in which the workers had work: n workers on n free cores reach n times the product.
"""

from __future__ import annotations

import importlib.util
import statistics
import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hebbevo.benchmarks.timing import Effort
from hebbevo.config.loading import load_config
from hebbevo.config.schema import Config
from hebbevo.evaluation.fitness import evaluate_generation
from hebbevo.execution.execution import Execution, cores
from hebbevo.execution.executors import executor_for
from hebbevo.search import Executor, Searcher
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import Worker

POPULATION, STEPS, GENERATIONS = 64, 500, 3


@dataclass
class EventLog:
    """Keeps the reports of an executor's maps, and counts its other events."""

    reports: list[dict[str, Any]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)

    def __call__(self, kind: str, /, **fields: Any) -> None:
        """Record an event."""
        self.counts[kind] = self.counts.get(kind, 0) + 1
        if kind == "map":
            self.reports.append(fields)


def searcher_of(config: Config) -> Searcher:
    """Return a searcher at a random first center."""
    return config.search.build(Task.of(config).first_genome(np.random.default_rng(0)), config.run.seed)


def generation(config: Config, searcher: Searcher, executor: Executor[Worker], batch_size: int) -> int:
    """Evolve one generation and return its agent-steps."""
    proposals = searcher.ask()
    fitness = evaluate_generation(
        executor,
        proposals,
        run_seed=config.run.seed,
        number=searcher.generation,
        morphologies=config.env.morphology_names,
        lifetime_seeds=config.training.lifetime_seeds,
        batch_size=batch_size,
        lifetimes=config.training.lifetimes,
    )
    searcher.tell(proposals, fitness.mean, executor)
    return fitness.steps


def measure(effort: Effort) -> dict[str, Any]:
    """Return the medians of a few generations on each number of threads and of Ray workers."""
    settings = {"env.early_stop": "null", "search.population": POPULATION, "env.steps": effort.steps or STEPS}
    config = load_config("quick-quadruped", [f"{key}={value}" for key, value in settings.items()])
    generations = min(effort.repeats, GENERATIONS)
    return {
        name: _measure(config, execution, generations)
        for name, execution in executions(cores()).items()
        if not execution.workers or importlib.util.find_spec("ray") is not None
    }


def executions(available: int) -> dict[str, Execution]:
    """Return the executions to compare on a machine with so many cores: one worker of a kind, two, all cores."""
    counts = sorted({1, min(2, available), available})
    threads = {f"threads_{count}": Execution(threads=count) for count in counts}
    return {**threads, **{f"ray_{count}": Execution(workers=count) for count in counts}}


def ratios(result: dict[str, Any]) -> dict[str, float]:
    """Return speed-ups on the clock over one thread or one worker, and Ray's one over the thread."""
    rates = {name: entry["agent_steps_per_s"] for name, entry in result.items()}
    speedups = {
        f"{name}_over_{kind}_1": rate / rates[f"{kind}_1"]
        for name, rate in rates.items()
        for kind in ("threads", "ray")
        if name.startswith(kind) and name != f"{kind}_1"
    }
    if "ray_1" in rates:
        speedups["ray_1_over_threads_1"] = rates["ray_1"] / rates["threads_1"]
    return {name: round(value, 4) for name, value in speedups.items()}


def _measure(config: Config, execution: Execution, generations: int) -> dict[str, Any]:
    events = EventLog()
    resolved = execution.resolve(Task.of(config))
    batch_size = resolved.batch_size
    with executor_for(resolved, events) as executor:
        searcher = searcher_of(config)
        generation(config, searcher, executor, batch_size)  # compiles
        measured = [
            timed_generation(config, searcher, executor, batch_size, events) for _ in range(generations)
        ]
    return {name: round(statistics.median(rates[name] for rates in measured), 4) for name in measured[0]}


def timed_generation(
    config: Config, searcher: Searcher, executor: Executor[Worker], batch_size: int, events: EventLog
) -> dict[str, float]:
    """Return the rates of one generation; Ray's executor reports its workers' times, threads share a process."""
    events.reports.clear()
    started, cpu = time.perf_counter(), time.process_time()
    agent_steps = generation(config, searcher, executor, batch_size)
    seconds, cpu = time.perf_counter() - started, time.process_time() - cpu
    extra, available = {}, executor.workers * seconds
    if events.reports:
        cpu = sum(report["cpu_seconds"] for report in events.reports)
        extra["busy"] = sum(report["busy_seconds"] for report in events.reports) / available
    return {
        "agent_steps_per_s": agent_steps / seconds,
        "agent_steps_per_cpu_s": agent_steps / cpu,
        "utilisation": cpu / available,
        **extra,
    }
