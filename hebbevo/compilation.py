"""Compiled code, kept on disk: each function and each generated text is compiled once per machine.

numba and Triton cannot cache code that was exec'ed, so a text goes to a file named by its hash in the user's cache
directory and is imported from there; a second process finds the machine code on disk. Where that directory cannot be
written, one of this process takes its place.
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
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar, cast

import platformdirs

F = TypeVar("F", bound=Callable[..., Any])


def cache_directory() -> Path:
    """Return where kernels are kept: ``$HEBBEVO_CACHE``, else the user's cache directory."""
    if given := os.environ.get("HEBBEVO_CACHE"):
        return Path(given).absolute() / "kernels"
    own = Path(platformdirs.user_cache_dir("hebbevo", appauthor=False))
    return (own if own.is_absolute() else _process_directory()) / "kernels"  # "~", of a user without a home


def compiled(function: F) -> F:
    """Compile a function for the CPU when it is first called; it releases the GIL.

    There is no fast-math, so that its bits are those of the source, and there are no checks of bounds: callers hand
    over arrays of the shapes and dtypes that it is written for.
    """
    import numba

    settings: Any = numba.config
    given = settings.CACHE_DIR  # of NUMBA_CACHE_DIR
    settings.CACHE_DIR = given or str(kernel_directory())
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    finally:
        settings.CACHE_DIR = given


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
    """Return a file that holds the source."""
    path = kernel_directory() / name
    try:
        if not path.is_file() or path.read_bytes() != source:
            _write(path, source)
    except OSError:  # another user's file, or a full disk
        path = _process_directory() / name
        path.write_bytes(source)
    return path


def kernel_directory() -> Path:
    """Return the directory in which kernels can be written: `cache_directory`, or one of this process."""
    return _writable(cache_directory())


@cache
def _writable(directory: Path) -> Path:
    """Return a directory if files can be made there, else the one of this process."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory):
            return directory
    except OSError:
        return _process_directory()


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
