"""YAML 1.2 as people mean it, against PyYAML's reading of what both versions agree on."""

from __future__ import annotations

import math
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hebbevo.errors import InputError
from hebbevo.io.yaml_text import read_yaml, write_yaml

READ = {
    "010": 10,
    "-007": -7,
    "0o17": 15,
    "0x1F": 31,
    "5e6": 5e6,
    "1E-3": 1e-3,
    ".5": 0.5,
    "1.": 1.0,
    "-.inf": -math.inf,
    "1:30": "1:30",
    "1_000": "1_000",
    "0b11": "0b11",
    "off": "off",
    "2020-13-45": "2020-13-45",
    "~": None,
    "": None,
    "TRUE": True,
    "{<<: {a: 1, b: 2}, a: 3}": {"a": 3, "b": 2},
}

TWICE = ("{a: 1, a: 2}", "a: 1\nb: [{c: 1}]\na: 2", "{b: {a: 1, a: 1}}", "{1: x, 01: y}", "{~: 1, null: 2}")


@pytest.mark.parametrize("text", READ)
def test_texts_are_what_version_1_2_says(text: str) -> None:
    value = read_yaml(text, "here")
    assert (value, type(value)) == (READ[text], type(READ[text]))


@pytest.mark.parametrize("text", TWICE)
def test_a_key_that_stands_twice_is_refused_with_its_place(text: str) -> None:
    with pytest.raises(InputError, match=r"here, line \d+, column \d+: the key .* stands twice"):
        read_yaml(text, "here")


plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
numbers_of_some_version = st.from_regex(r"[-+]?[0-9][0-9_:.eExXob]{0,6}|[yY]es|on|off|~|<<|=", fullmatch=True)
data = st.recursive(
    plain | numbers_of_some_version,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(data)
def test_what_is_written_reads_back_under_either_version(value: Any) -> None:
    text = write_yaml(value)
    assert read_yaml(text, "here") == value
    assert yaml.safe_load(text) == value


def test_aliases_that_hold_billions_of_values_are_refused_at_once() -> None:
    lines = ["x0: &x0 [1]", *(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 20)}]" for n in range(1, 12))]
    assert read_yaml("\n".join(lines[:4]), "file")["x3"][0][0][0] == [1]
    with pytest.raises(InputError, match="file: aliases make more than 1,000,000 values of it"):
        read_yaml("\n".join(lines), "file")
