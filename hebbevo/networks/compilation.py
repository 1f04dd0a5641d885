"""Import generated kernel texts, each compiled once per machine.

numba and Triton cannot cache code that was exec'ed, so a text goes to a file named by its hash in the user's cache
directory and is imported from there; a second process finds the machine code on disk.
"""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import os
import shutil
import sys
import tempfile
import threading
from functools import cache
from pathlib import Path
from types import ModuleType

import platformdirs


def cache_directory() -> Path:
    """Return where kernels are kept: ``$HEBBEVO_CACHE``, else the user's cache directory."""
    root = os.environ.get("HEBBEVO_CACHE") or platformdirs.user_cache_dir("hebbevo", appauthor=False)
    return Path(root) / "kernels"


_LOCK = threading.Lock()


def compiled_module(source: str) -> ModuleType:
    """Return the module of a source text; threads share one, so that none compiles it a second time."""
    with _LOCK:
        return _imported(source)


@cache
def _imported(source: str) -> ModuleType:
    """Return the module of a source text, written once under its hash."""
    name = f"hebbevo_kernel_{hashlib.sha256(source.encode()).hexdigest()[:24]}"
    path = _kept(f"{name}.py", source.encode())
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _kept(name: str, source: bytes) -> Path:
    """Return a file of the cache that holds the source, or of a directory of this process where it is unwritable."""
    path = cache_directory() / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.is_file() or path.read_bytes() != source:
            _write(path, source)
        if os.access(path.parent, os.W_OK):
            return path
    except OSError:
        pass
    path = _process_directory() / name
    path.write_bytes(source)
    return path


@cache
def _process_directory() -> Path:
    """Return a directory that is removed when this process ends; the next one compiles its kernels anew."""
    directory = tempfile.mkdtemp(prefix="hebbevo-kernels-")
    atexit.register(shutil.rmtree, directory, ignore_errors=True)
    return Path(directory)


def _write(path: Path, source: bytes) -> None:
    """Write a file in one rename: another process never sees half of it."""
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
        temporary = Path(file.name)
        try:
            file.write(source)
            file.close()
            temporary.replace(path)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
