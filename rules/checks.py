"""Checks of a rule's text before Python's parser sees it, and errors that point at a character."""

from __future__ import annotations

import re

from hebbevo.errors import RuleError

MAXIMUM_LENGTH = 1000
MAXIMUM_DEPTH = 40
LARGEST = 3.4e38
"""Constants must fit into float32."""

_FOREIGN = re.compile(r"[^A-Za-z0-9_+\-*/().,\s]")
_JUXTAPOSED = re.compile(r"(?<=[\w)])\s+(?=[\w(])")
_NUMBER_LIKE = re.compile(r"(?<![\w.])\.?\d[\w.]*(?:(?<=[eE])[+-]\d+)?")
_NUMBER = re.compile(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


def check_text(text: str, where: str) -> None:
    """Refuse text that must not reach Python's parser: foreign characters, length, deep or unbalanced brackets."""
    if not text.strip():
        raise RuleError(f"{where} is empty; write an expression such as 'w + eta*pre*post'")
    if foreign := _FOREIGN.search(text):
        hint = "write only the right-hand side" if foreign[0] == "=" else "use names, numbers, + - * / ( ) ,"
        raise error_at(text, foreign.start(), f"character {foreign[0]!r} is not allowed; {hint}", where)
    if gap := _JUXTAPOSED.search(text):
        raise error_at(text, gap.end(), "an operator is missing before this", where)
    for number in _NUMBER_LIKE.finditer(text):
        if not _NUMBER.fullmatch(number[0]) or not float(number[0]) < LARGEST:
            raise error_at(text, number.start(), "a number is decimal, without suffix, below 3.4e38", where)
    open_brackets: list[int] = []
    for position, character in enumerate(text):
        if character == "(":
            open_brackets.append(position)
            if len(open_brackets) > MAXIMUM_DEPTH:
                raise error_at(text, position, f"brackets are nested deeper than {MAXIMUM_DEPTH}", where)
        elif character == ")":
            if not open_brackets:
                raise error_at(text, position, "this bracket closes nothing", where)
            open_brackets.pop()
    if open_brackets:
        raise error_at(text, open_brackets[-1], "this bracket is never closed", where)
    if len(text) > MAXIMUM_LENGTH:
        raise error_at(text, MAXIMUM_LENGTH, f"longer than {MAXIMUM_LENGTH} characters", where)


def error_at(text: str, position: int, problem: str, where: str) -> RuleError:
    """Return the error that points at a character: its position, and the text around it."""
    before, at, after = (
        text[max(0, position - 24) : position],
        text[position : position + 1],
        text[position + 1 : position + 25],
    )
    head, tail = ("..." if position > 24 else ""), ("..." if position + 25 < len(text) else "")
    excerpt = "".join(c if c.isprintable() else " " for c in f"{head}{before}>>{at}<<{after}{tail}")
    return RuleError(f"{where}, character {position + 1}: {problem}: {excerpt}")
