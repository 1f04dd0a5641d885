"""Compile a generated kernel once per machine, and hold the rows that it works on.

numba cannot cache code that was exec'ed, so the text goes to a file named by its hash in the user's cache
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
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt
import platformdirs

from hebbevo.networks.kernel_spec import KernelSpec, Segment, aligned
from hebbevo.networks.numba import kernel_text as codegen
from hebbevo.rules.expression import evaluate

FloatArray = npt.NDArray[np.float32]
IndexArray = npt.NDArray[np.int64]

_NUMPY_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "clip": lambda x, low, high: np.minimum(np.maximum(x, low), high),
    "exp": np.exp,
    "max": np.maximum,
    "min": np.minimum,
    "relu": lambda x: np.maximum(x, np.float32(0)),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "sign": np.sign,
    "sqrt": np.sqrt,
    "tanh": np.tanh,
}


class CpuKernel:
    """The compiled kernel of a spec: pure functions over rows that the caller owns.

    Rows, all float32 and C-contiguous: states ``(lifetimes, n_states, state_width)``, constants ``(genomes,
    constant_width)``, activations ``(lifetimes, neuron_width)``.
    """

    def __init__(self, spec: KernelSpec) -> None:
        self.spec = spec
        module = compiled_module(codegen.source(spec))
        self.forward: Callable[..., None] = module.forward
        self.learn: Callable[..., None] = module.learn
        self.learn_forward: Callable[..., None] = module.learn_forward
        self.state_width = sum(aligned(segment.size) for segment in spec.synapses)
        self.constant_width = max(1, sum(aligned(s.size) for layer in spec.constant_segments for s in layer))
        self.neuron_width = sum(aligned(segment.size) for segment in spec.neurons)
        self.lane_width = aligned(max(spec.sizes))

    def write_constants(self, layer: int, coefficients: Mapping[str, FloatArray], row: FloatArray) -> None:
        """Compute the constants of layer 0, 1, ... of one genome into its row.

        Args:
            layer: which layer.
            coefficients: arrays that broadcast to ``(n_out, n_in)``.
            row: ``(constant_width,)``.
        """
        with np.errstate(all="ignore"):
            for expression, segment in zip(
                self.spec.constants, self.spec.constant_segments[layer], strict=True
            ):
                self.write(segment, evaluate(expression, coefficients, _NUMPY_FUNCTIONS), row)

    @staticmethod
    def write(segment: Segment, matrix: FloatArray, row: FloatArray) -> None:
        """Write a matrix ``(n_out, n_in)`` into its segment of a row."""
        CpuKernel.view(segment, row)[...] = matrix

    @staticmethod
    def view(segment: Segment, rows: FloatArray) -> FloatArray:
        """Return the view ``(..., n_out, n_in)`` of a segment of rows."""
        flat = rows[..., segment.start : segment.stop]
        if not segment.transposed:
            return flat.reshape(*rows.shape[:-1], *segment.shape)
        return flat.reshape(*rows.shape[:-1], *reversed(segment.shape)).swapaxes(-1, -2)


def aligned_zeros(*shape: int) -> FloatArray:
    """Return float32 zeros whose first element starts a cache line."""
    size = int(np.prod(shape))
    raw = np.zeros(size + 16, np.float32)
    start = (-raw.ctypes.data % 64) // 4
    return raw[start : start + size].reshape(shape)


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
    path = _placed(f"{name}.py", source.encode())
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _placed(name: str, source: bytes) -> Path:
    """Return a file of the cache that holds the source; of a directory of this process if need be."""
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
    """Return a directory that lives as long as this process: kernels in it compile anew in the next."""
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
