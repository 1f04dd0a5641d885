"""Distributions that a config can name: ``uniform(-0.1, 0.1)``, ``normal(0, 1)``, ``zeros``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hebbevo.errors import RuleError

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_LARGEST = 1.7e38
"""Half of what float32 holds: the width of a uniform distribution must fit too."""

_CALL = re.compile(r"\s*(uniform|normal)\s*\(\s*([^,()]+?)\s*,\s*([^,()]+?)\s*\)\s*\Z")


@dataclass(frozen=True)
class Distribution:
    """``uniform(low, high)`` or ``normal(mean, sd)``."""

    kind: str
    first: float
    second: float

    @classmethod
    def parse(cls, text: str) -> Distribution:
        """Read a distribution.

        Raises:
            RuleError: anything but ``uniform(low, high)``, ``normal(mean, sd)`` or ``zeros``.
        """
        if text.strip() == "zeros":
            return cls("normal", 0.0, 0.0)
        try:
            kind, *numbers = _CALL.match(text).groups()  # type: ignore[union-attr]
            first, second = (float(number) for number in numbers)
        except (AttributeError, ValueError):
            raise RuleError(
                f"not a distribution: {text!r}; write uniform(low, high), normal(mean, sd) or zeros"
            ) from None
        if not (abs(first) < _LARGEST and abs(second) < _LARGEST):
            raise RuleError(f"distribution {text!r} must have finite numbers below {_LARGEST:g}")
        if (kind == "uniform" and first > second) or (kind == "normal" and second < 0):
            raise RuleError(
                f"distribution {text!r} is empty; uniform needs low <= high, normal needs sd >= 0"
            )
        return cls(kind, first, second)

    def fill(self, generator: np.random.Generator, out: npt.NDArray[np.float32]) -> None:
        """Draw a C-contiguous float32 array full, in place."""
        import numpy as np

        if self.kind == "uniform":
            generator.random(out=out, dtype=np.float32)
        else:
            generator.standard_normal(out=out, dtype=np.float32)
        self.scale(out)

    def scale(self, drawn: npt.NDArray[np.float32]) -> None:
        """Turn draws from uniform(0, 1), or from normal(0, 1), into draws from this distribution, in place."""
        import numpy as np

        width = self.second - self.first if self.kind == "uniform" else self.second
        drawn *= np.float32(width)
        drawn += np.float32(self.first)


def parse_initial(text: str, evolved_from: str) -> tuple[Distribution, bool]:
    """Read what values are at first: a distribution, or ``evolved``, ``evolved from DISTRIBUTION``.

    Args:
        text: of the initial values.
        evolved_from: distribution of a first genome where ``evolved`` stands alone.

    Returns:
        The distribution, and whether the values are part of the genome.

    Raises:
        RuleError: anything else.
    """
    if text.split()[:1] != ["evolved"]:
        return Distribution.parse(text), False
    drawn = text.strip().removeprefix("evolved").strip().removeprefix("from").strip()
    return Distribution.parse(drawn or evolved_from), True
