"""Genome files: equal bytes, whole or not at all, and nothing foreign gets in."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.numpy import load_file, save

from hebbevo.errors import FileError
from hebbevo.genomes.file import read_genome, write_genome
from hebbevo.io.atomic import write_atomically
from hebbevo.io.tensors import (
    MAXIMUM_HEADER_BYTES,
    check_tensors,
    parse_tensors,
    read_tensors,
    tensor_bytes,
    write_tensors,
)
from hebbevo.networks.layout import Layout, genome_layout, resolve_sharing
from hebbevo.networks.network_spec import multilayer_perceptron
from hebbevo.rules import get

RULE = get("AD")
LAYOUT = genome_layout(multilayer_perceptron(RULE, (3, 4, 2), resolve_sharing(RULE, {"D": "post"})))
HEADER = {"rule": "AD", "seed": 7, "sigma": 0.1, "sizes": [3, 4, 2], "nested": {"b": None, "a": "é\n"}}


def genome() -> np.ndarray:
    return np.random.default_rng(0).standard_normal(LAYOUT.size).astype(np.float32)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "genome.safetensors"
    write_genome(path, LAYOUT, genome(), HEADER)
    return path


def test_round_trip(path: Path) -> None:
    arrays, header = read_genome(path)
    assert LAYOUT.join(arrays).tobytes() == genome().tobytes()
    assert header == {**HEADER, "format": "hebbevo genome", "version": 1}
    arrays["layer1.A"][...] = 0.0
    assert set(load_file(path)) == set(LAYOUT.names), "any safetensors reader opens it"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_equal_content_gives_equal_bytes(path: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    write_genome(other, LAYOUT, genome(), dict(reversed(HEADER.items())))
    assert other.read_bytes() == path.read_bytes()
    arrays = LAYOUT.split(genome())
    assert tensor_bytes(arrays, HEADER) == tensor_bytes(dict(reversed(arrays.items())), HEADER)


def test_empty_genome(tmp_path: Path) -> None:
    write_genome(tmp_path / "g", Layout(()), np.empty(0, np.float32), {})
    assert read_genome(tmp_path / "g")[0] == {}


def refused(path: Path, data: bytes) -> str:
    path.write_bytes(data)
    with pytest.raises(FileError) as caught:
        read_genome(path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)
    return str(caught.value)


def test_truncated_anywhere(path: Path) -> None:
    data = path.read_bytes()
    for length in (*range(0, len(data), 5), len(data) - 1):
        refused(path, data[:length])


def test_bytes_too_many(path: Path) -> None:
    refused(path, path.read_bytes() + b"\0")


def test_flipped_bits_raise_nothing_else(path: Path) -> None:
    """A flip in the numbers can make another number; a flip anywhere else is noticed or harmless."""
    data = path.read_bytes()
    for bit in range(0, 8 * len(data), 11):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        try:
            LAYOUT.join(read_genome(path)[0])
        except FileError as error:
            message = str(error)
            assert "\n" not in message


@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_random_bytes(tmp_path: Path, data: bytes) -> None:
    refused(tmp_path / "random", data)


def test_foreign_files(path: Path) -> None:
    arrays = LAYOUT.split(genome())
    assert "not written by hebbevo" in refused(path, save(arrays))
    assert "not written by hebbevo" in refused(path, save(arrays, metadata={"format": "pt"}))
    assert "not written by hebbevo" in refused(path, pickle.dumps(arrays))
    assert "not written by hebbevo" in refused(path, b"PK\x03\x04" + bytes(100))
    assert "not a genome" in refused(path, tensor_bytes(arrays, {"format": "hebbevo checkpoint"}))
    assert "not a genome" in refused(path, tensor_bytes(arrays, {}))
    genome_header = {"format": "hebbevo genome", "version": 1}
    assert "newer" in refused(path, tensor_bytes(arrays, {**genome_header, "version": 2}))
    doubles = {name: a.astype(float) for name, a in arrays.items()}
    assert "float64" in refused(path, tensor_bytes(doubles, genome_header))
    for value in (np.nan, np.inf):
        arrays["layer1.A"][0, 0] = value
        assert "NaN or infinity" in refused(path, tensor_bytes(arrays, genome_header))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "3",
        '{"a": NaN}',
        '{"a": Infinity}',
        '{"a": 1, "a": 2}',
        "[" * 5000 + "]" * 5000,
        "\udc80",
    ],
    ids=range(9),
)
def test_malformed_header(path: Path, text: str) -> None:
    outer = json.dumps({"__metadata__": {"hebbevo": text}}).encode()
    assert "not written by hebbevo" in refused(path, len(outer).to_bytes(8, "little") + outer)


def test_huge_header(path: Path) -> None:
    assert "header" in refused(path, (1 << 40).to_bytes(8, "little") + b'{"a":1}')
    large = b'{"__metadata__":{"hebbevo":"' + b" " * (5 * MAXIMUM_HEADER_BYTES) + b'"}}'
    assert "header" in refused(path, len(large).to_bytes(8, "little") + large)
    with pytest.raises(FileError, match="header holds"):
        tensor_bytes({}, {"a": "x" * MAXIMUM_HEADER_BYTES})


@pytest.mark.parametrize("name", ["", "../up", "a b", "__metadata__\n", "a/b", "é", "x" * 300, "1a"])
def test_names_are_sane(path: Path, name: str) -> None:
    with pytest.raises(FileError, match="cannot be called"):
        tensor_bytes({name: np.zeros(1, np.float32)}, {})
    assert "called" in refused(path, save({name: np.zeros(1, np.float32)}, metadata={"hebbevo": "{}"}))


@pytest.mark.parametrize("value", [{1, 2}, np.float32(1), float("nan"), float("inf"), b"x", Path("x")])
def test_header_must_be_json(value: object) -> None:
    with pytest.raises(FileError, match="not JSON"):
        tensor_bytes({}, {"a": value})


def test_genome_must_be_finite(tmp_path: Path) -> None:
    bad = genome()
    bad[3] = np.nan
    with pytest.raises(FileError, match="NaN"):
        write_genome(tmp_path / "g", LAYOUT, bad, {})
    assert not list(tmp_path.iterdir())


def test_paths_that_are_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        read_genome(tmp_path / "missing")
    with pytest.raises(FileError, match="directory"):
        read_genome(tmp_path)
    with pytest.raises(OSError, match="missing"):
        write_genome(tmp_path / "missing" / "g", LAYOUT, genome(), {})


def test_arrays_of_every_kind(tmp_path: Path) -> None:
    """What checkpoints hold: 0-d arrays, other types, strides, no elements."""
    arrays = {
        "a.scalar": np.array(3.5),
        "b": np.arange(6, dtype=np.int64).reshape(2, 3).T,
        "c": np.array([True, False]),
        "d": np.empty((0, 4), np.uint64),
        "e": np.array(-1, np.int8),
        "f": np.arange(3, dtype=">f4"),
    }
    write_tensors(tmp_path / "t", arrays, {"x": 1})
    read, header = read_tensors(tmp_path / "t")
    assert header == {"x": 1}
    assert list(read) == sorted(arrays)
    for name, array in arrays.items():
        assert read[name].shape == array.shape
        assert read[name].dtype == array.dtype.newbyteorder("=")
        assert np.array_equal(read[name], array)
        assert read[name].flags.writeable
    with pytest.raises(FileError, match="complex128"):
        tensor_bytes({"z": np.zeros(1, complex)}, {})


def test_what_is_accepted_is_read(tmp_path: Path) -> None:
    header = {"text": '"' * (MAXIMUM_HEADER_BYTES // 4 - 16)}
    arrays = {
        f"{number:0200d}".replace("0", "a", 1): np.full((1, 1, 1, 1), number, np.int64)
        for number in range(8192)
    }
    write_tensors(tmp_path / "t", arrays, header)
    read, read_header = read_tensors(tmp_path / "t")
    assert read_header == header
    assert all(read[name].item() == number for number, name in enumerate(arrays))
    for refused in ({**arrays, "one_more": np.zeros(1)}, {"a" * 201: np.zeros(1)}):
        with pytest.raises(FileError):
            check_tensors(refused, {})


@pytest.mark.slow
def test_a_file_of_more_than_a_gibibyte_is_read(tmp_path: Path) -> None:
    size = (1 << 30) + 8
    array = {"dtype": "U8", "shape": [size], "data_offsets": [0, size]}
    header = json.dumps({"__metadata__": {"hebbevo": "{}"}, "a": array}).encode()
    with (tmp_path / "t").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + size)  # sparse
    assert read_tensors(tmp_path / "t")[0]["a"].shape == (size,)


def test_a_large_foreign_file_is_refused_by_its_first_bytes(tmp_path: Path) -> None:
    with (tmp_path / "film").open("wb") as file:
        file.truncate(1 << 43)  # sparse; reading it would end the process
    with pytest.raises(FileError, match="was not written by hebbevo"):
        read_tensors(tmp_path / "film")


def test_failed_write_leaves_the_old_file(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk: the old file stands, and nothing lies beside it."""
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_atomically(path, b"new")
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_parse_names_the_place() -> None:
    with pytest.raises(FileError, match=r"^checkpoint 'x' was not written"):
        parse_tensors(b"nothing of ours", "checkpoint 'x'")
