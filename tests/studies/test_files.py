"""Study tables: the bits come back, equal content is equal bytes."""

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from hebbevo.studies.files import write_tables

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
