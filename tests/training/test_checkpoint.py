"""Checkpoints: bits in, bits out; equal content, equal bytes; damage is named in one line."""

import contextlib
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from hebbevo.errors import InputError
from hebbevo.io.tensors import write_tensors
from hebbevo.training.checkpoint import load_checkpoint, save_checkpoint

DTYPES = (np.bool_, np.float32, np.float64, np.int64, np.uint64)
ARRAYS = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9_.]{0,20}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def written(path: Path, tensors: dict[str, NDArray[Any]], header: dict[str, Any]) -> bytes:
    save_checkpoint(path, tensors, header)
    return path.read_bytes()


@given(
    tensors=st.dictionaries(NAMES, ARRAYS, max_size=4), header=st.dictionaries(st.text(), JSON, max_size=4)
)
def test_what_is_saved_is_loaded(
    tmp_path_factory: pytest.TempPathFactory, tensors: dict[str, NDArray[Any]], header: dict[str, Any]
) -> None:
    path = tmp_path_factory.getbasetemp() / "round_trip.safetensors"
    save_checkpoint(path, tensors, header)
    loaded, loaded_header = load_checkpoint(path)
    assert loaded_header == header
    assert loaded.keys() == tensors.keys()
    for name, array in tensors.items():
        assert (loaded[name].dtype, loaded[name].shape) == (array.dtype, array.shape)
        assert loaded[name].tobytes() == array.tobytes()
        assert loaded[name].flags.writeable


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    a, b = np.arange(5.0), np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3))
    first = written(tmp_path / "first", {"a": a, "b": b}, {"x": 1, "y": {"p": 1, "q": 2}})
    again = written(tmp_path / "again", {"b": b.copy(order="C"), "a": a}, {"y": {"q": 2, "p": 1}, "x": 1})
    assert first == again


def test_a_slice_is_saved_as_it_looks(tmp_path: Path) -> None:
    array = np.arange(24.0).reshape(4, 6)[::2, ::-1]
    save_checkpoint(tmp_path / "c", {"a": array}, {})
    np.testing.assert_array_equal(load_checkpoint(tmp_path / "c")[0]["a"], array)


@pytest.mark.parametrize("cut", [0, 4, 8, 20, 100, -1])
def test_a_truncated_file_is_refused(tmp_path: Path, cut: int) -> None:
    data = written(tmp_path / "c", {"a": np.arange(100.0)}, {"x": 1})
    (tmp_path / "c").write_bytes(data[:cut])
    refused(tmp_path / "c")


@pytest.mark.parametrize(
    "data",
    [
        b"PK\x03\x04 not ours at all, but long enough to look into",
        struct.pack("<Q", 2**62) + b"{" + bytes(50),
        struct.pack("<Q", 2) + b"{}",
        struct.pack("<Q", 10) + b"{" * 10,
        b'\x80\x04\x95 a pickle {"x": 1}',
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "c").write_bytes(data)
    refused(tmp_path / "c")


def test_an_oversized_file_is_refused_unread(tmp_path: Path) -> None:
    with (tmp_path / "c").open("wb") as file:
        file.truncate(1 << 40)  # sparse: takes no room
    refused(tmp_path / "c")


@pytest.mark.parametrize("header", [{}, {"format": "hebbevo genome"}, {"format": "hebbevo checkpoint"}])
def test_another_file_of_ours_is_refused(tmp_path: Path, header: dict[str, Any]) -> None:
    write_tensors(tmp_path / "c", {"a": np.zeros(3)}, header)
    refused(tmp_path / "c")


def test_a_newer_version_is_refused_with_the_remedy(tmp_path: Path) -> None:
    header = {"format": "hebbevo checkpoint", "version": 99, "header": {}}
    write_tensors(tmp_path / "c", {}, header)
    with pytest.raises(InputError, match=r"version 99.*use the hebbevo that wrote it"):
        load_checkpoint(tmp_path / "c")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    refused(tmp_path / "nothing")
    refused(tmp_path)


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_a_flipped_bit_never_crashes(
    tmp_path_factory: pytest.TempPathFactory, position: int, bit: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "flipped.safetensors"
    data = bytearray(written(path, {"a": np.arange(20.0), "b": np.zeros((2, 3), np.bool_)}, {"x": [1, 2]}))
    data[position % len(data)] ^= 1 << bit
    path.write_bytes(data)
    with contextlib.suppress(InputError):
        json.dumps(load_checkpoint(path)[1])


@pytest.mark.parametrize("tensors", [{"a": np.zeros(2, np.complex128)}, {"no spaces": np.zeros(2)}])
def test_what_a_file_cannot_hold_is_refused(tmp_path: Path, tensors: dict[str, NDArray[Any]]) -> None:
    with pytest.raises(InputError, match="cannot write checkpoint"):
        save_checkpoint(tmp_path / "c", tensors, {})
    with pytest.raises(InputError, match="cannot write checkpoint"):
        save_checkpoint(tmp_path / "c", {}, {"x": float("nan")})
    assert list(tmp_path.iterdir()) == []


def refused(path: Path) -> None:
    with pytest.raises(InputError) as caught:
        load_checkpoint(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
