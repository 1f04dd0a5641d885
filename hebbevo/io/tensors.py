"""Files of named arrays and one JSON header, for genomes and checkpoints.

The format is safetensors (https://huggingface.co/docs/safetensors): no pickle, readable everywhere. All that
is not an array stands as canonical JSON under the single metadata key ``hebbevo``, because safetensors does
not keep the order of several keys: equal content gives equal bytes.

The metadata is read here, not by `safetensors.safe_open`, the only call of the library that returns it: `safe_open`
maps the file, so that one cut short while it is read ends the process with SIGBUS instead of a `FileError`, and it
accepts headers of 100 MB.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, deserialize
from safetensors.numpy import save

from hebbevo.errors import FileError
from hebbevo.io.atomic import write_atomically

Arrays = dict[str, npt.NDArray[Any]]
Header = dict[str, Any]

MAXIMUM_HEADER_BYTES = 1 << 20
_MOST_ARRAYS = 8192
_METADATA = "hebbevo"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]{0,199}")
_DTYPES: Mapping[str, str] = {
    "BOOL": "bool",
    **{f"F{bits}": f"float{bits}" for bits in (16, 32, 64)},
    **{f"I{bits}": f"int{bits}" for bits in (8, 16, 32, 64)},
    **{f"U{bits}": f"uint{bits}" for bits in (8, 16, 32, 64)},
}
"""The name in safetensors of each type that NumPy has too."""


def write_tensors(
    path: Path | str, arrays: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any]
) -> None:
    """Write arrays and a header, whole or not at all.

    Raises:
        FileError: a name, a type or a header that the file cannot hold.
        OSError: the file cannot be written; the former content still stands.
    """
    write_atomically(Path(path), tensor_bytes(arrays, header))


def read_tensors(path: Path | str, kind: str = "file") -> tuple[Arrays, Header]:
    """Return the arrays (fresh, writable) and the header of a file.

    Args:
        path: the file.
        kind: of file that is expected, for the message.

    Raises:
        FileError: no such file, or one that is truncated, damaged or foreign.
    """
    where = f"{kind} {str(path)!r}"
    return parse_tensors(_read(Path(path), where), where)


def tensor_bytes(arrays: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any]) -> bytes:
    """Return the bytes of a file: equal content gives equal bytes.

    Raises:
        FileError: a name, a type or a header that the file cannot hold.
    """
    contiguous, text = _checked(arrays, header)
    return save(contiguous, metadata={_METADATA: text})


def check_tensors(arrays: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Raise `FileError` for what no file can hold, as `tensor_bytes` does."""
    _checked(arrays, header)


def _checked(arrays: Mapping[str, npt.NDArray[Any]], header: Mapping[str, Any]) -> tuple[Arrays, str]:
    """Return the arrays and the header as they are written; `_metadata` reads all that is accepted here."""
    if len(arrays) > _MOST_ARRAYS:
        raise FileError(f"a file holds at most {_MOST_ARRAYS} arrays, got {len(arrays)}")
    contiguous = {}
    for name, array in arrays.items():
        if not _NAME.fullmatch(name):
            raise FileError(
                f"an array cannot be called {_shown(name)}; use at most 200 letters, digits, '_', '.' and '-'"
            )
        if array.dtype.name not in _DTYPES.values():
            raise FileError(
                f"array {name!r} has type {array.dtype}; a file holds {', '.join(_DTYPES.values())}"
            )
        contiguous[name] = np.asarray(array, order="C")
    try:
        text = json.dumps(header, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise FileError(
            f"this header is not JSON ({error}); use text, finite numbers, lists and dicts"
        ) from None
    if len(text) > MAXIMUM_HEADER_BYTES // 2:
        raise FileError(f"the header holds {len(text)} bytes; a file holds {MAXIMUM_HEADER_BYTES // 2}")
    return contiguous, text


def _shown(name: str) -> str:
    return repr(name) if len(name) <= 60 else f"{name[:60]!r}... ({len(name)} letters)"


def parse_tensors(data: bytes, where: str = "file") -> tuple[Arrays, Header]:
    """Return the arrays (fresh, writable) and the header of a file's bytes; see `read_tensors`."""
    header = _metadata(data, where)
    try:
        entries = deserialize(data)  # type: ignore[no-untyped-call]
    except SafetensorError:
        raise FileError(f"{where} is truncated or damaged; write it again or take an intact copy") from None
    arrays: Arrays = {}
    for name, entry in entries:
        if not _NAME.fullmatch(name):
            raise FileError(f"{where} holds an array called {name[:50]!r}; hebbevo writes no such name")
        if entry["dtype"] not in _DTYPES:
            raise FileError(
                f"{where} holds array {name!r} of type {entry['dtype']}; hebbevo writes no such type"
            )
        flat = np.frombuffer(entry["data"], _DTYPES[entry["dtype"]])  # a bytearray of its own
        arrays[name] = flat.reshape(entry["shape"])
    return dict(sorted(arrays.items())), header


def _read(path: Path, where: str) -> bytes:
    """Return the bytes of a file, of any size; a foreign one is refused by its first bytes."""
    if os.path.isdir(path):
        raise FileError(f"{where} is a directory; name the file in it")
    if not os.path.isfile(path):
        raise FileError(f"{where} does not exist; check the path")
    try:
        with path.open("rb") as file:
            _header_length(file.read(9), path.stat().st_size, where)
            file.seek(0)
            return file.read()
    except OSError as error:
        raise FileError(f"{where} cannot be read: {error.strerror}") from None


def _metadata(data: bytes, where: str) -> Header:
    """Return our header, out of the JSON of safetensors."""
    length, foreign = _header_length(data[:9], len(data), where), _foreign(where)
    outer = _json(data[8 : 8 + length], foreign)
    metadata = outer.get("__metadata__")
    if not isinstance(metadata, dict) or not isinstance(text := metadata.get(_METADATA), str):
        raise foreign
    return _json(text.encode(errors="replace"), foreign)


def _header_length(start: bytes, size: int, where: str) -> int:
    """Return the length of the JSON of safetensors, which the file starts with: 8 bytes, little-endian."""
    if size < 10 or start[8:9] != b"{":
        raise _foreign(where)
    length = int.from_bytes(start[:8], "little")
    if length > 4 * MAXIMUM_HEADER_BYTES:
        raise FileError(f"{where} has a header of {length} bytes, more than hebbevo writes; it is damaged")
    if length > size - 8:
        raise FileError(f"{where} is truncated; write it again or take an intact copy")
    return length


def _foreign(where: str) -> FileError:
    return FileError(f"{where} was not written by hebbevo, or is damaged; name a file that hebbevo wrote")


def _json(text: bytes, otherwise: FileError) -> Header:
    """Return a JSON object; anything else, NaN and repeated keys included, raises the error given."""

    def without_repeated_keys(pairs: list[tuple[str, Any]]) -> Header:
        if len(dict(pairs)) < len(pairs):
            raise otherwise
        return dict(pairs)

    def refuse_constant(constant: str) -> None:
        raise otherwise

    try:
        value = json.loads(text, object_pairs_hook=without_repeated_keys, parse_constant=refuse_constant)
    except (ValueError, RecursionError):
        raise otherwise from None
    if not isinstance(value, dict):
        raise otherwise
    return value
