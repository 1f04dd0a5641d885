"""Start-up: seconds from the command line to the first generation, with a cold and a warm kernel cache, and on Ray.

`hebbevo evolve quick-quadruped` with two individuals and lifetimes of one step runs in a subprocess until progress.csv
holds its first row. So the seconds include everything before the first generation (Python, imports, kernels, workers)
and that generation of two individuals.
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
_TIMEOUT = 300.0
"""Seconds after which a start counts as failed."""


def measure(effort: Effort) -> dict[str, Any]:
    """Return the seconds to the first generation: of a cold start, and of the fastest warm one."""
    repeats = min(effort.repeats, 3)
    with tempfile.TemporaryDirectory(prefix="hebbevo-startup-") as folder:
        cold = first_generation(Path(folder), "cold", workers=0)
        warm = [first_generation(Path(folder), f"warm{number}", workers=0) for number in range(repeats)]
        result = {"cold_s": cold, "warm_s": min(warm)}
        if importlib.util.find_spec("ray") is not None:
            ray = [first_generation(Path(folder), f"ray{number}", workers=1) for number in range(repeats)]
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
    log, started = folder / f"{name}.log", time.perf_counter()
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
                _check(process, log, time.perf_counter() - started)
                time.sleep(0.005)
            return round(time.perf_counter() - started, 3)
        finally:
            process.terminate()
            process.wait()


def _has_row(progress: Path) -> bool:
    return progress.is_file() and progress.read_bytes().count(b"\n") >= 2


def _check(process: subprocess.Popen[bytes], log: Path, seconds: float) -> None:
    """Raise if the run has failed."""
    if process.poll() not in (None, 0) or seconds > _TIMEOUT:
        last = log.read_text(errors="replace").strip().splitlines()[-1:]
        raise RuntimeError(f"hebbevo evolve did not start within {seconds:.0f} s: {' '.join(last)}")
