#!/usr/bin/env python
"""Memory of a run of thousands of generations, as `hebbevo evolve` makes it: log, table, checkpoints and all.

    scripts/bench_memory.py                        # 2,000 generations in this process, two minutes
    scripts/bench_memory.py --workers 2            # the same on a local Ray, its largest worker too
    scripts/bench_memory.py --json memory.json

After a fifth of the generations, for buffers and kernels to settle, memory must stay flat: exit code 1 where it grows
by more than `--limit` bytes per generation.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from hebbevo import Execution, evolve, load_config
from hebbevo.execution.build import resident_memory
from hebbevo.training.records import Step

SETTLED = 0.2
"""Share of the generations that is left out of the slopes."""
OVERRIDES = (
    *("env.steps=10", "env.morphologies=[intact]", "network.hidden=[8]", "search.population=8"),
    *("evaluation.every=50", "evaluation.episodes=2"),
)


def measure(generations: int, workers: int) -> dict[str, object]:
    """Evolve, and return the memory of the driver, and that of the largest worker, with their slopes."""
    samples: list[tuple[int, int]] = []

    def watch(step: Step) -> None:
        samples.append((step.generation, resident_memory()))

    config = load_config("quick-quadruped", [*OVERRIDES, f"training.generations={generations}"])
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        run = evolve(config, Path(folder, "run"), execution=Execution(workers=workers), watch=watch)
        events = [json.loads(line) for line in (run.path / "log.jsonl").read_text().splitlines()]
    held = [event["worker_memory"] for event in events if event["event"] == "map"]
    of_workers = [(number * generations / len(held), memory) for number, memory in enumerate(held)]
    parts = {"driver": samples, **({"largest_worker": of_workers} if workers else {})}
    return {
        "generations": generations,
        "workers": workers,
        "seconds": round(time.perf_counter() - began, 1),
        **{name: growth(np.array(part, np.float64), generations) for name, part in parts.items()},
    }


def growth(table: np.ndarray, generations: int) -> dict[str, float]:
    """Return memory once settled, at the end and at its peak, and its slope; of rows (generation, bytes).

    The last generation is left out: it draws the figures, for which it loads Matplotlib.
    """
    table = table[table[:, 0] < generations]
    late = table[table[:, 0] >= SETTLED * generations]
    return {
        "settled_mb": round(late[0, 1] / 1e6, 1),
        "last_mb": round(late[-1, 1] / 1e6, 1),
        "peak_mb": round(table[:, 1].max() / 1e6, 1),
        "bytes_per_generation": round(float(np.polyfit(late[:, 0], late[:, 1], 1)[0]), 1),
    }


def main() -> None:
    """Measure what the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--generations", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=0, help="processes on Ray; 0 stays in this process")
    parser.add_argument("--limit", type=float, default=2000.0, help="bytes per generation")
    parser.add_argument("--json", type=Path, help="write the result here too")
    arguments = parser.parse_args()
    result = measure(arguments.generations, arguments.workers)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.json is not None:
        arguments.json.write_text(text + "\n", encoding="utf-8")
    parts = [part for part in result.values() if isinstance(part, dict)]
    sys.exit(any(part["bytes_per_generation"] > arguments.limit for part in parts))


if __name__ == "__main__":
    main()
