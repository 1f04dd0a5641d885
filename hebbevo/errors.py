"""Every error of bad input, and the hint that names what was meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_CLOSE = 0.5
"""Similarity from which a known name counts as what was meant (`difflib.SequenceMatcher.ratio`)."""
_MOST_LISTED = 24


class InputError(ValueError):
    """Something that the user gave cannot be used; the message is one line and names the remedy."""


class RuleError(InputError):
    """A rule, distribution, encoding or network that cannot be used."""


class EnvError(InputError):
    """An environment, morphology or setting of either that cannot be used."""


class SearchError(InputError):
    """Input that a searcher or an executor cannot work with."""


class FileError(InputError):
    """A file that is missing, truncated, damaged or foreign, or content that a file cannot hold."""


class MissingImport(InputError):
    """A run or a genome that needs modules of a user's own, which only the user may have imported.

    Args:
        message: one line.
        names: of the modules.
    """

    def __init__(self, message: str, names: Sequence[str]) -> None:
        super().__init__(message)
        self.names = names


class SearchFailure(RuntimeError):
    """A search that cannot go on: its own arithmetic left the finite numbers, or its workers are gone."""


class DivergenceFailure(SearchFailure):
    """A run that cannot go on: nearly all of its lifetimes diverge; the message is one line and names the remedy."""


def hint(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return ``did you mean X?`` for the known name nearest to `name`, or what is known where none is near.

    Args:
        name: what was given.
        known: what could have been given, in the order in which it is listed.
        prefix: what stands before a name where it is used, as ``env.``.
    """
    names = [str(one) for one in known]
    lowered = {one.lower(): one for one in reversed(names)}
    near = difflib.get_close_matches(str(name).lower(), lowered, 1, cutoff=_CLOSE)
    if near:
        return f"did you mean {prefix}{lowered[near[0]]}?"
    if len(names) <= _MOST_LISTED:
        return f"known: {', '.join(names)}"
    return f"none of the {len(names)} known names is close"


def unknown(kind: str, name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return the line for a `name` of some `kind` that is not `known`; see `hint`."""
    return f"unknown {kind} {f'{prefix}{name}'[:80]!r}; {hint(name, known, prefix)}"
