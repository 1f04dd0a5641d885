"""Encodings of coefficients: one class each, and one entry in the table."""

from __future__ import annotations

import re
from functools import lru_cache

from hebbevo.errors import RuleError, unknown
from hebbevo.networks.encodings.broadcast import PerLayer, PerNetwork, PerPost, PerPre, PerSynapse
from hebbevo.networks.encodings.codebook import Codebook
from hebbevo.networks.encodings.cppn import CPPN
from hebbevo.networks.encodings.encoding import LARGEST_ARGUMENT, Encoding
from hebbevo.networks.encodings.low_rank import LowRank
from hebbevo.networks.encodings.neuron import PerNeuron

_CLASSES: tuple[type[Encoding], ...] = (
    PerSynapse,
    PerPost,
    PerPre,
    PerLayer,
    PerNetwork,
    PerNeuron,
    LowRank,
    Codebook,
    CPPN,
)

ENCODINGS: dict[str, type[Encoding]] = {kind.form.partition("(")[0]: kind for kind in _CLASSES}
"""By the name that a config writes."""

SHARINGS = tuple(name for name, kind in ENCODINGS.items() if kind.plain)
"""Encodings whose array is the coefficient: a number per synapse, per neuron of a projection, per projection, ..."""

_TEXT = re.compile(r"\s*(\w+)\s*(?:\(([^()]*)\))?\s*\Z", re.ASCII)


@lru_cache(maxsize=1024)
def encoding(text: str) -> Encoding:
    """Return the encoding of a text: ``synapse``, ``low_rank(2)``, ...

    Raises:
        RuleError: an unknown name, or other numbers in brackets than the encoding takes.
    """
    match = _TEXT.match(text)
    name = match[1] if match else text
    if name not in ENCODINGS:
        raise RuleError(unknown("sharing", name, ENCODINGS))
    kind, inside = ENCODINGS[name], (match[2] if match else None) or ""
    try:
        arguments = [int(part) for part in inside.split(",")] if inside.strip() else []
    except ValueError:
        raise RuleError(f"{text!r} needs whole numbers in its brackets; write {kind.form}") from None
    if wrong := [number for number in arguments if not 1 <= number <= LARGEST_ARGUMENT]:
        raise RuleError(f"{text!r} needs numbers from 1 to {LARGEST_ARGUMENT}, got {wrong[0]}")
    return kind.parse(arguments)
