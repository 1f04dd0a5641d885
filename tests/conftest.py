"""What all tests share: one cache of compiled kernels per user, a folder to run in, no deadlines.

Compiling, or a busy machine, may take any one example long, which says nothing about the code.
"""

from __future__ import annotations

import getpass
import importlib.util
import os
import signal
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

# A shell that starts the suite in the background lets it ignore Ctrl-C, and with it every process that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("hebbevo", deadline=None)
settings.load_profile("hebbevo")

os.environ.setdefault(
    "HEBBEVO_CACHE", str(Path(tempfile.gettempdir()) / f"hebbevo-tests-{getpass.getuser()}")
)
# Ray reads these when it is first imported, which EvoTorch does long before the tests of clusters.
os.environ.setdefault("RAY_AUTH_MODE", "token")
os.environ.setdefault("RAY_AUTH_TOKEN", "5" * 64)
# Triton reads this when it is first imported: without a GPU, its interpreter runs the kernels.
if not Path("/dev/nvidiactl").exists():
    os.environ.setdefault("TRITON_INTERPRET", "1")
# Triton's LLVM does not load after the one that OSMesa brings, which tests of pictures load.
if importlib.util.find_spec("triton"):
    importlib.import_module("triton")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have slow tests, so that none is the last one while the other cores have nothing."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run every test where it may leave what it likes (MuJoCo writes MUJOCO_LOG.TXT)."""
    monkeypatch.chdir(tmp_path)
