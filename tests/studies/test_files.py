"""Study tables and directories: the bits come back, equal content is equal bytes, nothing half made is left."""

import csv
import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from hebbevo import InputError
from hebbevo.studies.files import study_directory, write_tables

FLOATS = [0.1, -1e-300, 1 / 3, 1e22, float(np.nextafter(1.0, 2.0)), None]


def table() -> pa.Table:
    names = ["intact", 'a "quoted", name', "", "line\nbreak", "é", None]
    return pa.table({"body": names, "x": FLOATS, "n": [1, 2, 3, 4, 2**62, None], "ok": [True, False] * 3})


def test_the_bits_come_back() -> None:
    write_tables(Path("."), "t", table())
    assert parquet.read_table("t.parquet").equals(table())
    with open("t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == table().column_names
    assert [float(row["x"]) if row["x"] else None for row in rows] == FLOATS
    assert [row["body"] for row in rows] == [name or "" for name in table()["body"].to_pylist()]
    assert rows[4]["n"] == str(2**62)
    assert [row["ok"] for row in rows] == ["true", "false"] * 3
    assert Path("t.csv").read_bytes().startswith(b'"body","x","n","ok"\n"intact",0.1,1,true\n')


def test_no_text_of_a_csv_is_a_formula() -> None:
    texts = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "a=1", "'=1", "", None]
    written = pa.table({"name": texts, "number": [-1.5, *[0.0] * 8]})
    write_tables(Path("."), "t", written)
    with open("t.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["name"] for row in rows] == [
        "'=1+1",
        "'+1",
        "'-1",
        "'@SUM(A1)",
        "'\t=1",
        "a=1",
        "'=1",
        "",
        "",
    ]
    assert rows[0]["number"] == "-1.5"
    assert parquet.read_table("t.parquet").equals(written)


def test_equal_content_is_equal_bytes() -> None:
    write_tables(Path("."), "a", table())
    pieces = pa.concat_tables([table().slice(0, 2), table().slice(2)])
    write_tables(Path("."), "b", pieces.replace_schema_metadata({"written": "at noon"}))
    for ending in ("csv", "parquet"):
        assert Path(f"a.{ending}").read_bytes() == Path(f"b.{ending}").read_bytes()


def test_a_directory_appears_finished() -> None:
    with study_directory("deep/study") as folder:
        (folder / "pictures").mkdir()
        (folder / "pictures" / "a.txt").write_text("a")
        assert not Path("deep/study").exists()
    assert Path("deep/study/pictures/a.txt").read_text() == "a"
    assert os.listdir("deep") == ["study"]


def test_what_exists_is_refused_and_kept() -> None:
    Path("file").write_text("mine")
    Path("empty").mkdir()
    Path("link").symlink_to("nowhere")
    for name in ("file", "empty", "link", "."):
        with pytest.raises(InputError, match=r"exists; choose another `out`$"), study_directory(name):
            pytest.fail("nothing is to be computed")
    with pytest.raises(InputError, match="cannot make"), study_directory("file/study"):
        pytest.fail("nothing is to be computed")
    assert Path("file").read_text() == "mine"
    assert sorted(os.listdir()) == ["empty", "file", "link"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_a_study_that_fails_leaves_nothing(error: type[BaseException]) -> None:
    def fail() -> None:
        with study_directory("study") as folder:
            (folder / "half").write_text("x")
            raise error

    with pytest.raises(error):
        fail()
    assert os.listdir() == []


def test_a_name_taken_meanwhile_is_kept_and_so_is_the_study() -> None:
    def lose_the_race() -> None:
        with study_directory("study") as folder:
            (folder / "result").write_text("dear")
            Path("study").mkdir()

    with pytest.raises(InputError, match="came to exist meanwhile; the study is in") as caught:
        lose_the_race()
    kept = Path(str(caught.value).split()[-1])
    assert (kept / "result").read_text() == "dear"
    assert os.listdir("study") == []
