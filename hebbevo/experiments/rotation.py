"""Overrides that depend on the run seed: runs take turns, as in which leg is damaged in evolution.

rotate: {env.morphologies: [[intact, right_front_damaged], [intact, left_front_damaged]]}

Of n values, run seed s has number s modulo n, in every arm: arms stay paired seed by seed, and more seeds change no run
that is there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from hebbevo.config.building import build_config
from hebbevo.config.layers import merge_layers
from hebbevo.config.overrides import read_overrides
from hebbevo.config.schema import Config
from hebbevo.errors import InputError, MissingImport
from hebbevo.validation import shown

Rotation = Mapping[str, Sequence[Any]]
"""Values by key, as many of each; empty where nothing rotates."""

SEEN: Final = "seen"
UNSEEN: Final = "unseen"
"""Of the bodies that rotate, those that a run evolves on, and those that others do."""

_EXAMPLE = "write rotate: {KEY: [VALUE, VALUE]}"


def read_rotation(rotate: Any) -> Rotation:
    """Check the form of ``rotate:``; None is a section in which every line is commented out.

    Raises:
        InputError: one line with the place and the remedy.
    """
    if not isinstance(rotate, Mapping | None):
        raise InputError(f"rotate: expected keys and lists of values, got {shown(rotate)}; {_EXAMPLE}")
    for key, values in (rotate or {}).items():
        if not isinstance(key, str) or not isinstance(values, list) or not values:
            raise InputError(f"rotate: {shown(key)} holds {shown(values)}; {_EXAMPLE}")
    lengths = {key: len(values) for key, values in (rotate or {}).items()}
    if len(set(lengths.values())) > 1:
        counts = ", ".join(f"{key} {count}" for key, count in lengths.items())
        raise InputError(f"rotate: the keys have different numbers of values ({counts}); give each as many")
    try:
        return dict(json.loads(json.dumps(rotate or {})))
    except (TypeError, ValueError) as error:
        raise InputError(f"rotate: {error}; {_EXAMPLE}") from None


def rotated_bodies(evolved_on: Iterable[Sequence[str]]) -> frozenset[str]:
    """Return the bodies that some runs evolve on, and others do not."""
    sets = [frozenset(bodies) for bodies in evolved_on]
    return frozenset.union(*sets) - frozenset.intersection(*sets)


def take_turns(name: str, config: Config, rotation: Rotation) -> tuple[Config, ...]:
    """Return the configs of an arm, one for each turn; the arm's alone where nothing rotates.

    Raises:
        InputError: a turn that cannot be, or that is of another world or size than the first.
    """
    if not rotation:
        return (config,)
    turns = tuple(_turn(name, config, rotation, at) for at in range(len(next(iter(rotation.values())))))
    sizes = [turn.lifetimes_per_generation for turn in turns]
    if len(set(sizes)) > 1:
        raise InputError(
            f"rotate: generations of arm {name} have {min(sizes)} to {max(sizes)} lifetimes; give every turn as many "
            "bodies and individuals"
        )
    return turns


def _turn(name: str, config: Config, rotation: Rotation, number: int) -> Config:
    overrides = {key: values[number] for key, values in rotation.items()}
    place = (
        f"rotate: arm {name} with {', '.join(f'{key} {shown(value)}' for key, value in overrides.items())}"
    )
    try:
        layers = [config.model_dump(mode="json"), *read_overrides(overrides)]
        turn = build_config(merge_layers(layers))
    except MissingImport as error:
        raise MissingImport(f"{place}: {error}", error.names) from None
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
    if turn.env.name != config.env.name:
        raise InputError(f"{place}: is another world than {config.env.name}; rotate within one")
    return turn
