"""Files of recorded lifetimes: arrays as ``.npz``, rows as ``.parquet``. Equal recordings give equal bytes."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from hebbevo.errors import InputError
from hebbevo.io.atomic import check_new, write_atomically

if TYPE_CHECKING:
    import pyarrow as pa

Arrays = Mapping[str, npt.NDArray[Any]]


def check_record(out: str | Path) -> Path:
    """Return the path of a recording that can be written.

    Raises:
        InputError: it exists, is neither ``.npz`` nor ``.parquet``, or its directory is not there.
        OSError: the disk is full or fails.
    """
    path = Path(out)
    if path.suffix.lower() not in _WRITERS:
        raise InputError(
            f"cannot write {path}: a recording is {' or '.join(_WRITERS)}; name one, as lifetime.npz"
        )
    check_new(path)
    return path


def write_record(
    path: Path, about: Mapping[str, str], lifetimes: Arrays, at: npt.NDArray[np.int64], arrays: Arrays
) -> None:
    """Write a recording.

    Args:
        path: from `check_record`.
        about: genome and morphology.
        lifetimes: seeds, fitness, steps, diverged, ``(episodes,)`` each.
        at: recorded steps, ``(points,)``.
        arrays: ``(episodes, points, ...)``.
    """
    write_atomically(path, _WRITERS[path.suffix.lower()](about, lifetimes, at, arrays))


def _npz(about: Mapping[str, str], lifetimes: Arrays, at: npt.NDArray[np.int64], arrays: Arrays) -> bytes:
    file, texts = io.BytesIO(), {name: np.array(text) for name, text in about.items()}
    np.savez(file, allow_pickle=False, **texts, **lifetimes, at=at, **arrays)
    return file.getvalue()


def _parquet(about: Mapping[str, str], lifetimes: Arrays, at: npt.NDArray[np.int64], arrays: Arrays) -> bytes:
    """Return a row per lifetime and step that it reached; arrays are flat lists, their shapes in the metadata."""
    import pyarrow as pa
    from pyarrow import parquet

    reached = at[None, :] < lifetimes["steps"][:, None]
    episode, point = np.nonzero(reached)
    columns: dict[str, pa.Array] = {
        "episode": pa.array(episode),
        "seed": pa.array(lifetimes["seeds"][episode]),
        "step": pa.array(at[point]),
    }
    for name, values in arrays.items():
        columns[name] = _column(values[episode, point])
    shapes = {name: values.shape[2:] for name, values in arrays.items()}
    metadata = {b"hebbevo": json.dumps({**about, "shapes": shapes}).encode()}
    file = io.BytesIO()
    parquet.write_table(pa.table(columns).replace_schema_metadata(metadata), file)
    return file.getvalue()


def _column(values: npt.NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    if values.ndim == 1:
        return pa.array(values)
    return pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), int(np.prod(values.shape[1:])))


_WRITERS = {".npz": _npz, ".parquet": _parquet}
