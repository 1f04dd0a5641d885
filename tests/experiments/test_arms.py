"""Arms, named one by one or as a full factorial."""

import re
from typing import Any

import pytest

from hebbevo.errors import InputError
from hebbevo.experiments.arms import read_arms


def test_named_arms_are_taken_as_they_stand() -> None:
    arms = {"plastic": None, "static": {"plasticity.rule": "none", "search": {"sigma": 1.0}}}
    assert read_arms(arms) == {"plastic": {}, "static": arms["static"]}


def test_keys_with_values_are_each_with_each_in_their_order() -> None:
    arms = read_arms({"plasticity.rule": ["hebb", "oja"], "network.hidden": [[4], [8, 2]]})
    assert arms == {
        "rule-hebb+hidden-4": {"plasticity.rule": "hebb", "network.hidden": [4]},
        "rule-hebb+hidden-8-2": {"plasticity.rule": "hebb", "network.hidden": [8, 2]},
        "rule-oja+hidden-4": {"plasticity.rule": "oja", "network.hidden": [4]},
        "rule-oja+hidden-8-2": {"plasticity.rule": "oja", "network.hidden": [8, 2]},
    }


def test_a_list_is_the_product_of_its_members() -> None:
    arms = read_arms([{"plastic": {}, "static": {"plasticity.rule": "none"}}, {"env.stimuli": [4, 8]}])
    assert list(arms) == [f"{rule}+stimuli-{count}" for rule in ("plastic", "static") for count in (4, 8)]
    assert arms["static+stimuli-8"] == {"plasticity.rule": "none", "env.stimuli": 8}


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ({}, "there is none"),
        ([], "there is none"),
        (None, "expected names and overrides"),
        ({"a": 3}, "'a' holds 3"),
        ({"a/b": {}}, "'a/b' cannot name an arm"),
        ({"..": {}}, "cannot name"),
        ({"figures": {}}, "cannot name"),
        ({"a" * 101: {}}, "cannot name"),
        ({"plasticity.rule": ["w + eta*pre", "hebb"]}, "cannot name an arm"),
        ({"search.sigma": [1, 1]}, "need names that differ"),
        ({"search.sigma": []}, "need names that differ"),
        ([{"search.sigma": [1, 2]}, {"search.sigma": [3]}], "two factors set 'search.sigma'"),
        ([{"a": {}}, {"a": {}}, {"b": {}, "b+b": {}}, {"b": {}, "b+b": {}}], "two are called"),
    ],
)
def test_bad_arms_are_refused(arms: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        read_arms(arms)
