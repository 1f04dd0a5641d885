"""Compiled kernels are kept on disk: a second process finds them, and nothing there is trusted."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import json, sys, numpy as np
sys.path.insert(0, {folder!r})
from kernel_batch import KernelBatch, spec_of
batch = KernelBatch(spec_of({rule!r}, sizes=(3, 2)))
batch.run(batch.kernel.learn)
stats = batch.kernel.learn.stats
hits, misses = sum(stats.cache_hits.values()), sum(stats.cache_misses.values())
print(json.dumps([hits, misses, batch.states.tobytes().hex()]))
"""


def run_elsewhere(cache: Path | str, rule: str = "hebb") -> tuple[int, int, str]:
    """Run a kernel in a fresh process; return cache hits, cache misses and the bytes of its states."""
    script = SCRIPT.format(folder=str(Path(__file__).parents[1] / "support"), rule=rule)
    environment = {**os.environ, "HEBBEVO_CACHE": str(cache)}
    environment.pop("NUMBA_CACHE_DIR", None)
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    hits, misses, states = json.loads(result.stdout)
    return hits, misses, states


def test_second_process_does_not_compile(tmp_path: Path) -> None:
    first = run_elsewhere(tmp_path)
    second = run_elsewhere(tmp_path)
    assert first[:2] == (0, 1)
    assert second[:2] == (1, 0)
    assert first[2] == second[2]
    assert len(list((tmp_path / "kernels").glob("hebbevo_kernel_*.py"))) == 1
    assert not list((tmp_path / "kernels").glob("*.tmp"))


@pytest.mark.parametrize("foreign", [b"raise SystemExit('run')", b"", b"\xff\xfe not text"])
def test_tampered_file_is_written_anew(tmp_path: Path, foreign: bytes) -> None:
    first = run_elsewhere(tmp_path)
    (path,) = (tmp_path / "kernels").glob("*.py")
    source = path.read_bytes()
    path.write_bytes(foreign)
    assert run_elsewhere(tmp_path)[2] == first[2]
    assert path.read_bytes() == source


def test_unwritable_cache_still_works(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no directory")
    hits, misses, _ = run_elsewhere(blocked)
    assert (hits, misses) == (0, 1)
    assert blocked.read_text() == "no directory"


def test_path_of_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from hebbevo.networks.compilation import cache_directory

    monkeypatch.setenv("HEBBEVO_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path / "kernels"
    monkeypatch.setenv("HEBBEVO_CACHE", "")
    assert "hebbevo" in str(cache_directory())
