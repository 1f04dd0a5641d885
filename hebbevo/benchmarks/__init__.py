"""The parts of `hebbevo bench`: an entry of `PARTS` each, a key of its JSON.

A part is a module with `measure(effort)`, which returns its numbers, and perhaps `ratios(numbers)`, the comparisons in
them. The key `ratios` collects those of all parts that were measured; asked for alone, it is those of the peers.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from hebbevo.benchmarks.machine import machine
from hebbevo.benchmarks.timing import Effort
from hebbevo.errors import InputError, unknown

PARTS = {
    "quadruped": "one agent-step by part, across batch sizes, against the physics alone",
    "network": "the network step alone: rules, sharings, batch sizes",
    "graphs": "recurrent and modulated networks, per synapse, beside the perceptron and beside torch",
    "tasks": "whole lifetimes of a learning task, beside torch over the batch and a Gymnasium vector environment",
    "peers": "beside a plain Gymnasium loop and EvoTorch's VecGymNE on Ant-v5's physics",
    "car_racing": "CarRacing, the lifetime and the environment alone, beside the original style",
    "workers": "generations on threads and on Ray workers",
    "startup": "seconds to the first generation",
}
"""Descriptions of the parts; the module of the same name measures each."""

MACHINE, RATIOS = "machine", "ratios"
KEYS = (MACHINE, *PARTS, RATIOS)
"""Keys of the JSON: `machine` is always there, `ratios` wherever something was compared."""

_RATIOS_ALONE = ("peers",)
_NEEDS = {"car_racing": ("Box2D", 'pip install "gymnasium[box2d]"')}
"""Modules that a part needs, and how to install them; without them it is left out unless asked for."""


def parts_of(only: Sequence[str]) -> tuple[str, ...]:
    """Return the parts to measure for keys of the JSON; no key means every part whose modules are there.

    Raises:
        InputError: an unknown key, or a part that lacks a module.
    """
    for key in only:
        if key not in KEYS:
            raise InputError(unknown("part of the benchmark", key, KEYS))
    missing = {part: need for part, need in _NEEDS.items() if importlib.util.find_spec(need[0]) is None}
    if not only:
        return tuple(part for part in PARTS if part not in missing)
    for key in only:
        if key in missing:
            module, remedy = missing[key]
            raise InputError(f"part {key!r} of the benchmark needs {module}, which is missing; {remedy}")
    keys = {*only, *(_RATIOS_ALONE if RATIOS in only else ())}
    return tuple(part for part in PARTS if part in keys)


def measure(
    parts: Sequence[str], effort: Effort, say: Callable[[str], None] = lambda part: None
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield keys of the record and their numbers, part by part; `say` is called with a part before it is measured."""
    yield MACHINE, machine()
    ratios: dict[str, float] = {}
    for part in parts:
        say(part)
        module = importlib.import_module(f"hebbevo.benchmarks.{part}")
        numbers = module.measure(effort)
        yield part, numbers
        if hasattr(module, "ratios"):
            ratios.update(module.ratios(numbers))
    if ratios:
        yield RATIOS, ratios
