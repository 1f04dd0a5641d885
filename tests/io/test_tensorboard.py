"""TensorBoard's event files, read back by the code of another library."""

import multiprocessing
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hebbevo.io.tensorboard import EventFile, crc32c

START = 1


def events_of(folder: Path) -> list:
    from tensorboardX.crc32c import crc32c as reference
    from tensorboardX.proto.event_pb2 import Event

    (path,) = folder.iterdir()
    assert "tfevents" in path.name
    data, events = path.read_bytes(), []
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        for covered, stored in (
            (data[:8], data[8:12]),
            (data[12 : 12 + length], data[12 + length : 16 + length]),
        ):
            crc = reference(covered)
            assert struct.unpack("<I", stored)[0] == ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
        events.append(Event.FromString(data[12 : 12 + length]))
        data = data[16 + length :]
    return events


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    file = EventFile(tmp_path / "events", 301)
    rows = {301: {"center/intact": 1.5, "diverged": 0}, 302: {"a": -1e9, "b": float("nan"), "c": 1e300}}
    for step, scalars in rows.items():
        file.add(step, scalars)
    file.close()
    version, session, *written = events_of(tmp_path / "events")
    assert version.file_version == "brain.Event:2"
    assert (session.step, session.session_log.status) == (301, START)
    assert [event.step for event in written] == [301, 302]
    assert all(event.wall_time > 1e9 for event in written)
    with np.errstate(over="ignore"):
        for event, scalars in zip(written, rows.values(), strict=True):
            back = {value.tag: value.simple_value for value in event.summary.value}
            assert list(back) == list(scalars)
            np.testing.assert_array_equal(
                np.float32(list(back.values())), np.array(list(scalars.values())).astype(np.float32)
            )


def test_hyperparameters_are_those_that_tensorboard_reads(tmp_path: Path) -> None:
    from tensorboardX.proto.plugin_hparams_pb2 import HParamsPluginData

    settings = {"search.sigma": 0.25, "search.population": 8, "env.name": "ant é", "flag": True, "off": False}
    file = EventFile(tmp_path / "events", 1)
    file.add_settings(settings, "e/plastic")
    file.close()
    (value,) = events_of(tmp_path / "events")[-1].summary.value
    assert (value.tag, value.metadata.plugin_data.plugin_name) == ("_hparams_/session_start_info", "hparams")
    session = HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
    assert session.group_name == "e/plastic"
    found = {name: getattr(one, one.WhichOneof("kind")) for name, one in session.hparams.items()}
    assert found == settings
    assert [type(found[name]) for name in ("flag", "env.name")] == [bool, str]


@given(st.binary(max_size=50))
def test_the_checksum_is_crc32c(data: bytes) -> None:
    from tensorboardX.crc32c import crc32c as reference

    assert crc32c(data) == reference(data)


def test_the_checksum_of_the_standard() -> None:
    assert crc32c(b"123456789") == 0xE3069283  # RFC 3720, appendix B.4, and every catalogue of CRCs


@pytest.mark.parametrize("step", [0, 1, 127, 128, 2**40])
def test_every_step_can_be_written(tmp_path: Path, step: int) -> None:
    file = EventFile(tmp_path / "events", step)
    file.add(step, {})
    assert events_of(tmp_path / "events")[-1].step == step


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and limits")
def test_a_full_disk_is_an_error(tmp_path: Path) -> None:
    def fill() -> None:
        import resource

        file = EventFile(tmp_path / "events", 1)
        (path,) = (tmp_path / "events").iterdir()
        resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + 5, resource.RLIM_INFINITY))
        with pytest.raises(OSError, match="only 5 of"):
            file.add(1, {"a": 1.0})
        with pytest.raises(OSError, match="large"):
            file.add(2, {"a": 1.0})

    child = multiprocessing.get_context("fork").Process(target=fill)
    child.start()
    child.join(60)
    assert child.exitcode == 0
