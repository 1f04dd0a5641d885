"""Checkpoint files: the arrays that a run needs to go on, and a JSON header for the rest.

The format is that of `hebbevo.io.tensors`: safetensors with canonical JSON under one metadata key. No
pickle; equal content gives equal bytes; written in one rename.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hebbevo.errors import FileError
from hebbevo.io.tensors import Header, check_tensors, read_tensors, write_tensors

FORMAT = "hebbevo checkpoint"
VERSION = 1

Tensors = dict[str, NDArray[Any]]


def save_checkpoint(path: Path, tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Write a checkpoint, whole or not at all.

    Args:
        path: the file, replaced if it exists.
        tensors: boolean, integer and float arrays of any shape, 0-d included.
        header: JSON; keys are text.

    Raises:
        FileError: a name, a type or a header that the file cannot hold.
        OSError: the file cannot be written (a full disk); the former content still stands.
    """
    try:
        write_tensors(path, *_content(tensors, header))
    except FileError as error:
        raise FileError(f"cannot write checkpoint {str(path)!r}: {error}") from None


def check_checkpoint(tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Raise `FileError` for what no checkpoint can hold."""
    check_tensors(*_content(tensors, header))


def _content(tensors: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> tuple[Tensors, Header]:
    arrays = {name: np.asarray(tensor) for name, tensor in tensors.items()}
    return arrays, {"format": FORMAT, "version": VERSION, "header": dict(header)}


def load_checkpoint(path: Path) -> tuple[Tensors, dict[str, Any]]:
    """Return the arrays (fresh, writable, in the order of their names) and the header of a checkpoint.

    Raises:
        FileError: no such file, or one that is truncated, damaged, foreign or of a newer hebbevo.
    """
    tensors, outer = read_tensors(path, "checkpoint")
    header = outer.get("header")
    if outer.get("format") != FORMAT or not isinstance(header, dict):
        raise FileError(f"{str(path)!r} is not a checkpoint; name a file out of a run's checkpoints/")
    if outer.get("version") != VERSION:
        raise FileError(
            f"checkpoint {str(path)!r} has version {outer.get('version')!r}, this hebbevo reads {VERSION}; "
            "use the hebbevo that wrote it"
        )
    return tensors, header
