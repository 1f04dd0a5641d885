"""Where each array lies in a genome, and which coefficients it encodes.

A genome is one flat float32 vector. Its layout is named: ``layer1.A``, ``layer1.weight`` (initial weights that evolve),
... projection by projection, then arrays of populations (``neuron.hidden1.eta``), then those of all of the network
(``network.eta``).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hebbevo.errors import FileError, RuleError
from hebbevo.networks.encodings import encoding
from hebbevo.networks.encodings.encoding import EncodedArray, Scope
from hebbevo.networks.network_spec import NetworkSpec, Projection
from hebbevo.rules.rule import Rule
from hebbevo.rules.signals import LIFETIME, POST, PRE
from hebbevo.rules.state import SYNAPSE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_FINEST = {POST: "post", PRE: "pre", LIFETIME: "layer"}
"""Encoding of a coefficient that may differ along an axis only, where the one for all coefficients is finer."""

MOST_MULTIPLICATIONS = 1 << 31
"""Of a genome's coefficients of one name in a projection: seconds, once for a batch of lifetimes."""


@dataclass(frozen=True)
class Entry:
    """One named array of a genome: `size` numbers from `offset` on."""

    name: str
    shape: tuple[int, ...]
    offset: int

    @property
    def size(self) -> int:
        """How many numbers."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class Layout:
    """The named arrays of a genome, in the order of the flat vector."""

    entries: tuple[Entry, ...]

    @classmethod
    def of(cls, shapes: Mapping[str, tuple[int, ...]]) -> Layout:
        """Lay arrays out one after the other."""
        entries, offset = [], 0
        for name, shape in shapes.items():
            entries.append(Entry(name, shape, offset))
            offset += math.prod(shape)
        return cls(tuple(entries))

    @cached_property
    def size(self) -> int:
        """How many numbers a genome holds."""
        return sum(entry.size for entry in self.entries)

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Names of the arrays."""
        return tuple(entry.name for entry in self.entries)

    def split(self, genome: npt.NDArray[np.float32]) -> dict[str, npt.NDArray[np.float32]]:
        """Return views of the arrays of genomes ``(..., size)``, each ``(..., *shape)``."""
        assert genome.shape[-1] == self.size
        return {
            entry.name: genome[..., entry.offset : entry.offset + entry.size].reshape(
                *genome.shape[:-1], *entry.shape
            )
            for entry in self.entries
        }

    def join(self, arrays: Mapping[str, npt.NDArray[np.float32]]) -> npt.NDArray[np.float32]:
        """Return the flat genome of named arrays.

        Raises:
            FileError: a missing, unknown or misshapen array.
        """
        import numpy as np

        if missing := [name for name in self.names if name not in arrays]:
            raise FileError(
                f"genome lacks the array {missing[0]!r}; it belongs to another rule, sharing or network"
            )
        if unknown := [name for name in arrays if name not in self.names]:
            raise FileError(
                f"genome holds the unknown array {unknown[0]!r}; expected {', '.join(self.names)}"
            )
        for entry in self.entries:
            shape = arrays[entry.name].shape
            if shape != entry.shape:
                raise FileError(f"genome array {entry.name!r} has shape {shape}, expected {entry.shape}")
        if not self.entries:
            return np.empty(0, np.float32)
        return np.concatenate([np.asarray(arrays[name], np.float32).ravel() for name in self.names])


def resolve_sharing(rule: Rule, sharing: str | Mapping[str, str]) -> dict[str, str]:
    """Return the encoding of each coefficient of the rule.

    A coefficient in the equation of a neuron's state differs between neurons at most: ``post``, ``pre`` or ``layer`` by
    default where the encoding for all coefficients is finer.

    Args:
        rule: the rule.
        sharing: text of an encoding for all coefficients, or a mapping from coefficient to it; in a mapping,
            ``default`` speaks for coefficients that are not named, and is ``synapse`` itself by default. Coefficients
            in equations of neuron states follow it as far as they can: at most one number per neuron.

    Raises:
        RuleError: an unknown encoding, one that a coefficient cannot have, or an unknown coefficient.
    """
    named = {"default": sharing} if isinstance(sharing, str) else dict(sharing)
    for coefficient, text in named.items():
        if coefficient not in (*rule.coefficients, "default"):
            known = ", ".join(rule.coefficients) or "no coefficients"
            raise RuleError(f"sharing names {coefficient!r}, but the rule has {known}; drop or correct it")
        try:
            encoding(text)
        except RuleError as error:
            raise RuleError(f"sharing of {coefficient}: {error}") from None
    default = named.pop("default", "synapse")
    resolved = {}
    for coefficient in rule.coefficients:
        text = named.get(coefficient) or _default_for(rule, coefficient, default)
        if refusal := encoding(text).refusal(coefficient) or _too_fine(rule, coefficient, text):
            raise RuleError(f"sharing of {coefficient}: {refusal}")
        resolved[coefficient] = text
    return resolved


def _default_for(rule: Rule, coefficient: str, default: str) -> str:
    return _FINEST[rule.coefficient_axis(coefficient)] if _too_fine(rule, coefficient, default) else default


def _too_fine(rule: Rule, coefficient: str, text: str) -> str:
    """Return why a coefficient cannot differ along the axes of an encoding; empty where it can."""
    axis = rule.coefficient_axis(coefficient)
    post, pre = encoding(text).axes(coefficient)
    if axis == SYNAPSE or not ((post and axis != POST) or (pre and axis != PRE)):
        return ""
    coarse = ", ".join(dict.fromkeys((_FINEST[axis], "layer", "network")))
    return f"{text!r} is too fine: it stands in the equation of a neuron's state; use {coarse}"


def encoded_arrays(network: NetworkSpec) -> dict[str, EncodedArray]:
    """Return by name what coefficients are decoded from; of projections, then populations, then the network."""
    found = _arrays_by_scope(network)
    return {name: array for scope in Scope for name, array in found[scope].items()}


def _arrays_by_scope(network: NetworkSpec) -> dict[Scope, dict[str, EncodedArray]]:
    found: dict[Scope, dict[str, EncodedArray]] = {scope: {} for scope in Scope}
    for projection in network.projections:
        for coefficient in projection.rule.coefficients:
            kind = encoding(projection.sharing[coefficient])
            _check_work(network, projection, coefficient)
            for array in kind.arrays(network, projection, coefficient):
                found[kind.scope].setdefault(array.name, array)
    return found


def _check_work(network: NetworkSpec, projection: Projection, coefficient: str) -> None:
    text, synapses = projection.sharing[coefficient], math.prod(network.shape(projection))
    if (work := encoding(text).multiplications * synapses) > MOST_MULTIPLICATIONS:
        raise RuleError(
            f"sharing of {coefficient}: {text!r} makes {work:,} multiplications for the {synapses:,} synapses of "
            f"{projection.name}, more than {MOST_MULTIPLICATIONS:,}; use smaller numbers in its brackets"
        )


def genome_layout(network: NetworkSpec, convolutions: Mapping[str, tuple[int, ...]] | None = None) -> Layout:
    """Return the layout of a network's genome: projection by projection, then what several of them share.

    Args:
        network: whose genome it is.
        convolutions: name and shape of static weights before the first population, as `EncoderSpec.weights`.
    """
    shapes: dict[str, tuple[int, ...]] = dict(convolutions or {})
    encoded = _arrays_by_scope(network)
    own = encoded.pop(Scope.PROJECTION).values()
    for projection in network.projections:
        shapes |= {array.name: array.shape for array in own if array.projection == projection.name}
        for state, array in projection.evolved_states.items():
            shapes[f"{projection.name}.{array}"] = network.state_shape(projection, state)
    for shared in encoded.values():
        shapes |= {name: array.shape for name, array in shared.items()}
    return Layout.of(shapes)


def projection_coefficients(
    network: NetworkSpec, projection: Projection, arrays: Mapping[str, npt.NDArray[np.float32]]
) -> dict[str, npt.NDArray[np.float32]]:
    """Return the coefficients of a projection, ``(..., n_out or 1, n_in or 1)``, from the arrays of `Layout.split`."""
    texts: dict[str, list[str]] = {}
    for coefficient in projection.rule.coefficients:
        texts.setdefault(projection.sharing[coefficient], []).append(coefficient)
    decoded: dict[str, npt.NDArray[np.float32]] = {}
    for text, coefficients in texts.items():
        decoded |= encoding(text).decode(network, projection, coefficients, arrays)
    return decoded
