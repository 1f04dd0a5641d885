"""YAML as people mean it: the core schema of YAML 1.2 (section 10.3.2), and no key twice in a mapping.

PyYAML follows YAML 1.1, in which `010` is eight, `1:30` is ninety, `5e6` is a text and `off` is false. Here numbers are
decimal, so `010` is ten, unless `0x` or `0o` says otherwise. What is a number in YAML 1.1 alone, as `1:30`, is a text,
which fields of numbers refuse. A comma in parentheses separates nothing: `{A: normal(0, 1)}` has one key.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from hebbevo.errors import InputError

_ERRORS = (
    yaml.YAMLError,
    RecursionError,  # deep nesting
    *(ValueError, LookupError, TypeError, AttributeError, ArithmeticError),  # `!!bool x`, `2020-13-45`, ...
)
_TAG = "tag:yaml.org,2002:"
_MERGE = f"{_TAG}merge"
_PATTERNS = (
    ("null", r"~|null|Null|NULL|"),
    ("bool", r"true|True|TRUE|false|False|FALSE"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"),
    ("float", r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)"),
    ("merge", r"<<"),
)
_CORE = {None: [(f"{_TAG}{name}", re.compile(rf"(?:{text})\Z", re.ASCII)) for name, text in _PATTERNS]}
"""Tags of plain texts, by the character that they begin with (None: any); the first pattern that fits counts."""
MOST_VALUES = 1_000_000
"""Values that a text may hold, its aliases written out."""
_COMMA = "\ue000"
"""A private character that stands for a comma in parentheses while YAML is read."""


def read_yaml(text: str, where: str) -> Any:
    """Return the content of a YAML text.

    Raises:
        InputError: it is not YAML, or a key stands twice in a mapping; one line with the position.
    """
    try:
        value = yaml.load(_with_calls_kept(text), _Loader)
        too_large = _expanded(value, {}) > MOST_VALUES
    except _ERRORS as error:
        mark = getattr(error, "problem_mark", None)
        position = f", line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        problem = getattr(error, "problem", None) or "not YAML"
        raise InputError(
            f"{where}{position}: {problem}; correct or quote the YAML".replace("\n", " ")
        ) from None
    if too_large:
        raise InputError(
            f"{where}: aliases make more than {MOST_VALUES:,} values of it; write out what is meant"
        )
    return value


def _expanded(value: Any, known: dict[int, float]) -> float:
    """Return how many values a value holds, those behind aliases as often as they stand there."""
    if not isinstance(value, dict | list):
        return 1
    if id(value) not in known:
        known[id(value)] = 0  # one that holds itself is refused by whoever walks through it
        parts = [*value, *value.values()] if isinstance(value, dict) else value
        known[id(value)] = 1 + sum(_expanded(part, known) for part in parts)
    return known[id(value)]


def _with_calls_kept(text: str) -> str:
    """Replace the commas within parentheses that close on their line."""
    characters = list(text)
    opened: list[int] = []
    commas: list[int] = []
    for position, character in enumerate(text):
        if character == "(":
            opened.append(position)
        elif character == ",":
            commas.append(position)
        elif character == "\n":
            opened, commas = [], []
        elif character == ")" and opened:
            start = opened.pop()
            while commas and commas[-1] > start:
                characters[commas.pop()] = _COMMA
    return "".join(characters)


def write_yaml(data: Any) -> str:
    """Return data as YAML that `read_yaml`, and any reader of YAML 1.1, reads back as the same."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=100)


class _Loader(yaml.SafeLoader):
    yaml_implicit_resolvers = _CORE

    def compose_mapping_node(self, anchor: Any) -> yaml.MappingNode:
        """Read a mapping and refuse a repeated key, of which PyYAML would keep the last value."""
        node: yaml.MappingNode = super().compose_mapping_node(anchor)
        seen: dict[Any, int] = {}
        for key in (key for key, _ in node.value if isinstance(key, yaml.ScalarNode) and key.tag != _MERGE):
            first = seen.setdefault(self.construct_object(key), key.start_mark.index)
            if first != key.start_mark.index:
                problem = f"the key {key.value[:60]!r} stands twice in a mapping"
                raise yaml.composer.ComposerError(None, None, problem, key.start_mark)
        return node

    def construct_scalar(self, node: Any) -> Any:
        """Read a text as it was written."""
        value = super().construct_scalar(node)
        return value.replace(_COMMA, ",") if isinstance(value, str) else value

    def construct_yaml_int(self, node: yaml.ScalarNode) -> int:
        """Read `12`, `012`, `0o14` or `0xc`, which are all twelve."""
        text = str(self.construct_scalar(node))
        return int(text, 0 if text[:2] in ("0o", "0x") else 10)

    def construct_yaml_float(self, node: yaml.ScalarNode) -> float:
        """Read `1.5`, `5e6`, `.inf`."""
        text = str(self.construct_scalar(node)).lower()
        return float(text.replace(".inf", "inf").replace(".nan", "nan"))


class _Dumper(yaml.SafeDumper):
    yaml_implicit_resolvers = {**yaml.SafeDumper.yaml_implicit_resolvers, **_CORE}  # noqa: RUF012


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Write a text of several lines as lines, where YAML can."""
    return dumper.represent_scalar(f"{_TAG}str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
_Loader.add_constructor(f"{_TAG}int", _Loader.construct_yaml_int)
_Loader.add_constructor(f"{_TAG}float", _Loader.construct_yaml_float)
