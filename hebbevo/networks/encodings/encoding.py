"""The interface of an encoding: how numbers of a genome become the coefficients of a projection's synapses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Self

from hebbevo.errors import RuleError
from hebbevo.networks.network_spec import NetworkSpec, Projection
from hebbevo.rules.distribution import Distribution

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    FloatArray = npt.NDArray[np.float32]

LARGEST_ARGUMENT = 10_000


class Scope(IntEnum):
    """Who reads an array of a genome; a genome holds the arrays in this order."""

    PROJECTION = 0
    POPULATION = 1
    NETWORK = 2


@dataclass(frozen=True)
class EncodedArray:
    """An array of a genome that coefficients are decoded from.

    Attributes:
        name: in the genome.
        shape: of one genome's array.
        projection: one that reads the array, by name.
        coefficient: one of that projection's rule, whose initial distribution the numbers have.
        initial: their distribution in the first center, where it is another.
    """

    name: str
    shape: tuple[int, ...]
    projection: str
    coefficient: str
    initial: Distribution | None = None


class Encoding(ABC):
    """An encoding; dataclass fields are the numbers in brackets of its text.

    Attributes:
        form: how a config writes it.
        meaning: in a few words, for lists.
        scope: who reads its arrays.
        plain: whether a coefficient's only array is the coefficient itself, ``(n_out or 1, n_in or 1)``.
    """

    form: ClassVar[str]
    meaning: ClassVar[str]
    scope: ClassVar[Scope] = Scope.PROJECTION
    plain: ClassVar[bool] = False

    @classmethod
    def parse(cls, arguments: Sequence[int]) -> Self:
        """Return the encoding with the numbers in brackets of its text.

        Raises:
            RuleError: too few or too many of them.
        """
        expected = len(fields(cls))  # type: ignore[arg-type]
        if len(arguments) != expected:
            raise RuleError(
                f"{cls.form} takes {expected} number{'s' * (expected != 1)}, got {len(arguments)}"
            )
        return cls(*arguments)

    @property
    def multiplications(self) -> int:
        """How many multiplications, about, make a coefficient of one synapse."""
        return 1

    def refusal(self, coefficient: str) -> str:
        """Return why a coefficient of this name cannot have the encoding, with the remedy; empty where it can."""
        return ""

    def axes(self, coefficient: str) -> tuple[bool, bool]:
        """Return whether the coefficient differs between postsynaptic, and between presynaptic neurons."""
        return True, True

    @abstractmethod
    def arrays(
        self, network: NetworkSpec, projection: Projection, coefficient: str
    ) -> tuple[EncodedArray, ...]:
        """Return the arrays that a coefficient of a projection is decoded from, in the order of the genome.

        An array that several coefficients or projections read is returned for each of them, under one name.
        """

    @abstractmethod
    def decode(
        self,
        network: NetworkSpec,
        projection: Projection,
        coefficients: Sequence[str],
        arrays: Mapping[str, FloatArray],
    ) -> dict[str, FloatArray]:
        """Return coefficients of a projection, float32 ``(..., n_out or 1, n_in or 1)``.

        Elementwise arithmetic in a fixed order alone: the bits are the same for one genome and for many.

        Args:
            network: whose projection it is.
            projection: whose synapses.
            coefficients: those of its rule that have this encoding.
            arrays: of genomes by name, ``(..., *shape)``.
        """
