"""Start-up: seconds from the command line to the first generation, with a cold and a warm kernel cache, and on Ray.

Measured from outside: `hebbevo evolve quick-quadruped` with two individuals and lifetimes of one step runs in a
process of its own until progress.csv holds its first row. So the figure includes everything before the first generation
(Python, imports, kernels, workers) and that generation of two individuals.
"""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hebbevo.benchmarks.timing import Effort

_TINY = (
    *("env.steps=1", "search.population=2", "training.generations=2"),
    *("evaluation.every=2", "evaluation.episodes=1"),
)
_PATIENCE = 300.0
"""Seconds after which a start counts as failed."""


def measure(effort: Effort) -> dict[str, Any]:
    """Return the seconds to the first generation; where there are several turns, the fastest warm one."""
    turns = min(effort.repeats, 3)
    with tempfile.TemporaryDirectory(prefix="hebbevo-startup-") as folder:
        cold = first_generation(Path(folder), "cold", workers=0)
        warm = [first_generation(Path(folder), f"warm{turn}", workers=0) for turn in range(turns)]
        result = {"cold_s": cold, "warm_s": min(warm)}
        if importlib.util.find_spec("ray") is not None:
            ray = [first_generation(Path(folder), f"ray{turn}", workers=1) for turn in range(turns)]
            result["ray_warm_s"] = min(ray)
    return result


def first_generation(folder: Path, name: str, *, workers: int) -> float:
    """Return the seconds from the start of a command until its first generation is done.

    Args:
        folder: holds the kernel caches, empty at first, and the runs.
        name: of the run.
        workers: on Ray, or 0 for none.

    Raises:
        RuntimeError: the run failed or took too long.
    """
    caches = {"HEBBEVO_CACHE": str(folder / "cache"), "NUMBA_CACHE_DIR": str(folder / "numba")}
    command = [sys.executable, "-m", "hebbevo", "evolve", "quick-quadruped"]
    options = ["--workers", str(workers), "--out", str(folder / name)]
    log, began = folder / f"{name}.log", time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *_TINY, *options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env={**os.environ, **caches},
        )
        try:
            while not _has_row(folder / name / "progress.csv"):
                _check(process, log, time.perf_counter() - began)
                time.sleep(0.005)
            return round(time.perf_counter() - began, 3)
        finally:
            process.terminate()
            process.wait()


def _has_row(progress: Path) -> bool:
    return progress.is_file() and progress.read_bytes().count(b"\n") >= 2


def _check(process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """Raise if the run has failed."""
    if process.poll() not in (None, 0) or seconds > _PATIENCE:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"hebbevo evolve did not start within {seconds:.0f} s: {' '.join(last)}")
