"""Values that are made when they are first asked for."""

import pytest

from hebbevo.lazy import LazyDict


@pytest.fixture
def called() -> list[str]:
    return []


@pytest.fixture
def numbers(called: list[str]) -> LazyDict[int]:
    def maker(name: str, value: int):
        return lambda: called.append(name) or value

    return LazyDict({"zero": 0}, makers={"one": maker("one", 1), "two": maker("two", 2)})


def test_names_are_known_before_any_value_is_made(numbers: LazyDict[int], called: list[str]) -> None:
    assert list(numbers) == ["zero", "one", "two"]
    assert "two" in numbers
    assert len(numbers) == 3
    assert called == []


def test_a_value_is_made_once(numbers: LazyDict[int], called: list[str]) -> None:
    assert [numbers["two"], numbers["two"], numbers["zero"]] == [2, 2, 0]
    assert called == ["two"]
    assert dict(numbers) == {"zero": 0, "one": 1, "two": 2}
    assert called == ["two", "one"]


def test_entries_come_and_go(numbers: LazyDict[int], called: list[str]) -> None:
    numbers["one"], numbers["three"] = 11, 3
    del numbers["two"]
    assert dict(numbers) == {"zero": 0, "one": 11, "three": 3}
    assert called == []
    with pytest.raises(KeyError):
        numbers["two"]
