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
    from hebbevo.compilation import cache_directory

    monkeypatch.setenv("HEBBEVO_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path / "kernels"
    monkeypatch.setenv("HEBBEVO_CACHE", "")
    assert "hebbevo" in str(cache_directory())
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda *_, **__: "~/.cache")  # a user without a home
    assert cache_directory().is_absolute()


FUNCTION = """
import json, numpy as np
from hebbevo.envs import images
planes = np.zeros(2, np.float32)
images.fill_planes(np.uint8([[[255], [51]]]), planes)
stats = images._fill_planes.stats
print(json.dumps([stats.cache_path, sum(stats.cache_misses.values()), planes.tolist()]))
"""


def where_compiled(**environment: str) -> str:
    """Compile a function of a module in a fresh process without caches of numba's own; return where it is kept."""
    unset = ("HEBBEVO_CACHE", "NUMBA_CACHE_DIR", "XDG_CACHE_HOME")
    given = {name: value for name, value in os.environ.items() if name not in unset}
    result = subprocess.run(
        [sys.executable, "-c", FUNCTION],
        env={**given, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    path, misses, planes = json.loads(result.stdout)
    assert misses == 1
    assert planes == pytest.approx([1, 0.2])
    return path


def test_functions_of_modules_are_kept_beside_generated_kernels(tmp_path: Path) -> None:
    assert where_compiled(HEBBEVO_CACHE=str(tmp_path)).startswith(str(tmp_path / "kernels"))
    assert list(tmp_path.glob("kernels/*/*.nbi"))


def test_no_home_is_needed(tmp_path: Path) -> None:
    path = Path(where_compiled(HOME="/dev/null/home"))  # unwritable for root too
    assert "hebbevo-kernels-" in str(path)
    assert not path.exists()
    assert not list(tmp_path.iterdir())
