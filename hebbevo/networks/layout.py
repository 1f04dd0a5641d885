"""How coefficients are shared, and where each lies in a genome.

A genome is one flat float32 vector. Its layout is named: ``layer1.A``, ``layer1.weight`` (initial weights
that evolve), ``network.eta``, ... in that order, layer by layer. Shapes broadcast against ``(n_out, n_in)``,
the weight matrix of `torch.nn.Linear`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from hebbevo.errors import FileError, RuleError, unknown
from hebbevo.rules.rule import Rule

SHARINGS = ("synapse", "post", "pre", "layer", "network")
"""Who shares a coefficient: nobody, the synapses of a post- or presynaptic neuron, a layer, the network."""


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
    """Return who shares each coefficient of the rule.

    Args:
        rule: the rule.
        sharing: one of `SHARINGS` for all coefficients, or a mapping from coefficient to it; in a mapping,
            ``default`` speaks for coefficients that are not named, and is ``synapse`` itself by default.

    Raises:
        RuleError: an unknown sharing, or a coefficient that the rule does not have.
    """
    named = {"default": sharing} if isinstance(sharing, str) else dict(sharing)
    for coefficient, kind in named.items():
        if coefficient not in (*rule.coefficients, "default"):
            known = ", ".join(rule.coefficients) or "no coefficients"
            raise RuleError(f"sharing names {coefficient!r}, but the rule has {known}; drop or correct it")
        if kind not in SHARINGS:
            raise RuleError(f"sharing of {coefficient}: {unknown('sharing', kind, SHARINGS)}")
    default = named.pop("default", "synapse")
    return {coefficient: named.get(coefficient, default) for coefficient in rule.coefficients}


def coefficient_shape(sharing: str, n_out: int, n_in: int) -> tuple[int, int]:
    """Return the shape of a coefficient of one layer; it broadcasts against ``(n_out, n_in)``."""
    return (n_out if sharing in ("synapse", "post") else 1, n_in if sharing in ("synapse", "pre") else 1)


def genome_layout(
    rule: Rule,
    sizes: Sequence[int],
    sharing: Mapping[str, str],
    *,
    evolved_weights: bool,
    convolutions: Mapping[str, tuple[int, ...]] | None = None,
) -> Layout:
    """Return the layout of a plastic multilayer perceptron's genome.

    Args:
        rule: the rule.
        sizes: neurons per layer, input first.
        sharing: as `resolve_sharing` returns it.
        evolved_weights: whether the initial weights are part of the genome.
        convolutions: name and shape of static weights before the first layer, as `EncoderSpec.weights`.
    """
    shapes: dict[str, tuple[int, ...]] = dict(convolutions or {})
    for layer, (n_in, n_out) in enumerate(pairwise(sizes), start=1):
        for coefficient in rule.coefficients:
            if sharing[coefficient] != "network":
                shapes[f"layer{layer}.{coefficient}"] = coefficient_shape(sharing[coefficient], n_out, n_in)
        if evolved_weights:
            shapes[f"layer{layer}.weight"] = (n_out, n_in)
    for coefficient in rule.coefficients:
        if sharing[coefficient] == "network":
            shapes[f"network.{coefficient}"] = (1, 1)
    return Layout.of(shapes)


def layer_coefficients(
    rule: Rule, sharing: Mapping[str, str], arrays: Mapping[str, npt.NDArray[np.float32]], layer: int
) -> dict[str, npt.NDArray[np.float32]]:
    """Return the coefficients of layer 1, 2, ... from the arrays of `Layout.split`, for `Rule.step`."""
    return {
        coefficient: arrays[
            f"network.{coefficient}" if sharing[coefficient] == "network" else f"layer{layer}.{coefficient}"
        ]
        for coefficient in rule.coefficients
    }
