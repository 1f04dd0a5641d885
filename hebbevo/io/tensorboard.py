"""TensorBoard's event files, written unbuffered in the calling thread: a full disk is an error here, not a hang.

Written here, not by tensorboardX's `RecordWriter`: any import of tensorboardX imports torch where it is installed,
which would double the start-up of a run that needs none. The tests read the files back with tensorboardX.

A file is a row of TFRecords (https://www.tensorflow.org/tutorials/load_data/tfrecord), each an `Event` message of
tensorflow/core/util/event.proto. The fields used, by number: Event 1 wall_time (double), 2 step (int64), 3
file_version (text), 5 summary, 7 session_log; Summary 1 value; Value 1 tag (text), 2 simple_value (float);
SessionLog 1 status (1 is START, from which on TensorBoard forgets events of earlier files at that step or later).
Hyperparameters are tensorboard/plugins/hparams/plugin_data.proto in a Value's 9 metadata, 1 plugin_data (1 name, 2
content): HParamsPluginData 3 session_start_info; SessionStartInfo 1 hparams, a map (1 key, 2 value) to
google.protobuf.Value (2 number, 3 text, 4 bool), 4 group_name, 5 start_time_secs.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
import time
from collections.abc import Mapping
from pathlib import Path

_VARINT, _DOUBLE, _BYTES, _FLOAT = 0, 1, 2, 5
"""Wire types of protocol buffers."""
_START = 1
_HPARAMS = b"_hparams_/session_start_info"


class EventFile:
    """A new event file in a folder, which is made if need be.

    Args:
        folder: TensorBoard's log directory.
        step: the first step to be written; TensorBoard forgets it and later steps of earlier files.
    """

    def __init__(self, folder: Path, step: int) -> None:
        folder.mkdir(exist_ok=True)
        name = f"events.out.tfevents.{time.time_ns()}.{socket.gethostname()}.{os.getpid()}"
        self._file = (folder / name).open("xb", buffering=0)
        version = _field(3, _BYTES, b"brain.Event:2")
        session = _field(7, _BYTES, _field(1, _VARINT, _varint(_START)))
        self._write(_event(step) + version, _event(step) + session)

    def add(self, step: int, scalars: Mapping[str, float]) -> None:
        """Write the values of one step, by tag.

        Raises:
            OSError: the disk is full.
        """
        values = b"".join(
            _field(
                1,
                _BYTES,
                _field(1, _BYTES, tag.encode()) + _field(2, _FLOAT, struct.pack("<f", _float32(value))),
            )
            for tag, value in scalars.items()
        )
        self._write(_event(step) + _field(5, _BYTES, values))

    def add_settings(self, settings: Mapping[str, str | float | bool], group: str) -> None:
        """Write hyperparameters; sessions of one group are one line of the HPARAMS page.

        Raises:
            OSError: the disk is full.
        """
        items = (
            _item(1, _field(1, _BYTES, name.encode()) + _item(2, _value(value)))
            for name, value in settings.items()
        )
        start = (
            b"".join(items)
            + _field(4, _BYTES, group.encode())
            + _field(5, _DOUBLE, struct.pack("<d", time.time()))
        )
        plugin = _field(1, _BYTES, b"hparams") + _field(2, _BYTES, _item(3, start))
        summary = _field(1, _BYTES, _HPARAMS) + _item(9, _item(1, plugin))
        self._write(_event(0) + _item(5, _item(1, summary)))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _write(self, *events: bytes) -> None:
        data = b"".join(map(record, events))
        if (written := self._file.write(data)) != len(data):
            raise OSError(
                errno.ENOSPC, f"only {written} of {len(data)} bytes could be written", self._file.name
            )


def record(data: bytes) -> bytes:
    """Return a TFRecord: length, its checksum, the data, their checksum."""
    length = struct.pack("<Q", len(data))
    return length + _masked(crc32c(length)) + data + _masked(crc32c(data))


def crc32c(data: bytes) -> int:
    """Return the CRC-32C (Castagnoli) of some bytes."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _table_entry(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (0x82F63B78 if byte & 1 else 0)  # the polynomial, its bits reversed
    return byte


_TABLE = [_table_entry(byte) for byte in range(256)]


def _masked(crc: int) -> bytes:
    """Return a checksum as TFRecords hold it: data that contain their own checksum would defeat a plain CRC."""
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _item(number: int, message: bytes) -> bytes:
    return _field(number, _BYTES, message)


def _value(value: str | float | bool) -> bytes:
    if isinstance(value, bool):
        return _field(4, _VARINT, _varint(int(value)))
    return (
        _field(3, _BYTES, value.encode())
        if isinstance(value, str)
        else _field(2, _DOUBLE, struct.pack("<d", value))
    )


def _event(step: int) -> bytes:
    return _field(1, _DOUBLE, struct.pack("<d", time.time())) + _field(2, _VARINT, _varint(step))


def _field(number: int, wire_type: int, value: bytes) -> bytes:
    length = _varint(len(value)) if wire_type == _BYTES else b""
    return _varint(number << 3 | wire_type) + length + value


def _varint(number: int) -> bytes:
    """Return a non-negative int in groups of seven bits, the lowest first."""
    groups = [number & 0x7F]
    while number := number >> 7:
        groups.append(number & 0x7F)
    return bytes([*(group | 0x80 for group in groups[:-1]), groups[-1]])


def _float32(value: float) -> float:
    """Return the value, or an infinity where float32 cannot hold it."""
    largest = 3.4028234663852886e38
    return value if abs(value) <= largest or value != value else float("inf") * (1 if value > 0 else -1)
