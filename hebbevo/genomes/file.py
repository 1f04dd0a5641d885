"""Genome files: the named arrays of a genome, and a header that holds everything needed to run it again."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.errors import FileError
from hebbevo.io.tensors import Header, check_tensors, read_tensors, write_tensors
from hebbevo.networks.layout import Layout

FORMAT = "hebbevo genome"
VERSION = 1

FloatArray = npt.NDArray[np.float32]


def write_genome(
    path: Path | str,
    layout: Layout,
    genome: FloatArray,
    header: Mapping[str, Any],
    constants: Mapping[str, FloatArray] | None = None,
) -> None:
    """Write a genome in one rename; equal genomes and headers give equal bytes.

    Args:
        path: the file; a former one is replaced.
        layout: names and shapes of the arrays.
        genome: float32 ``(layout.size,)``.
        header: of values that JSON can hold; ``format`` and ``version`` are added.
        constants: float32 arrays that are no part of the vector that evolves, by names that the layout does not have.

    Raises:
        FileError: a genome that is not finite, or a header that is not JSON.
        OSError: the file cannot be written; a former file is unchanged.
    """
    write_tensors(path, *_content(layout, genome, header, constants or {}))


def check_genome(
    layout: Layout, genome: FloatArray, header: Mapping[str, Any], constants: Mapping[str, FloatArray]
) -> None:
    """Raise `FileError` for what no genome file can hold; see `write_genome`."""
    check_tensors(*_content(layout, genome, header, constants))


def _content(
    layout: Layout, genome: FloatArray, header: Mapping[str, Any], constants: Mapping[str, FloatArray]
) -> tuple[dict[str, FloatArray], Header]:
    assert genome.shape == (layout.size,)
    assert genome.dtype == np.float32
    arrays = {**layout.split(genome), **constants}
    assert len(arrays) == len(layout.entries) + len(constants)
    _check_finite(arrays, "genome")
    return arrays, {**header, "format": FORMAT, "version": VERSION}


def read_genome(path: Path | str) -> tuple[dict[str, FloatArray], Header]:
    """Return the arrays and the header of a genome file; `Layout.join` checks the shapes.

    Raises:
        FileError: no such file, or one that is truncated, damaged, foreign, of a newer version or not finite.
    """
    arrays, header = read_tensors(path, "genome")
    where = f"genome {str(path)!r}"
    if header.get("format") != FORMAT:
        raise FileError(f"{where} holds {header.get('format')!r}, not a genome; name a genome file")
    if (version := header.get("version")) != VERSION:
        raise FileError(f"{where} has version {version!r}, this hebbevo reads {VERSION}; use a newer hebbevo")
    for name, array in arrays.items():
        if array.dtype != np.float32:
            raise FileError(f"{where} holds array {name!r} of type {array.dtype}, expected float32")
    _check_finite(arrays, where)
    return arrays, header


def _check_finite(arrays: Mapping[str, FloatArray], where: str) -> None:
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise FileError(f"{where} holds NaN or infinity in array {name!r}; it cannot be run")
