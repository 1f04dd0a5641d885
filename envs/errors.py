"""The one error of the environments: input that cannot be run, told in one line."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EnvError(ValueError):
    """An environment, morphology or setting that cannot be used: what, where, got, remedy."""


def unknown_name(kind: str, name: str, known: Iterable[str]) -> EnvError:
    """Return the error for `name`, which is none of `known`, with the nearest of them."""
    known = sorted(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    if near:
        remedy = f"did you mean {near[0]}?"
    elif len(known) <= 12:
        remedy = f"choose from {', '.join(known)}"
    else:
        remedy = f"none of the {len(known)} known names is close"
    return EnvError(f"unknown {kind} {name!r}: {remedy}")
