"""Runs whose lifetimes diverge: a warning with the first generation, an end after several in a row, or with the run."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from hebbevo.config.schema import Config
from hebbevo.errors import DivergenceFailure
from hebbevo.training.records import Row

_logger = logging.getLogger(__name__)

DIVERGED_SHARE = 0.9
"""Share of diverged lifetimes from which a generation counts as diverged."""
DIVERGED_GENERATIONS = 3
"""Diverged generations in a row that end a run, or a resumed run once more."""
REMEDY = (
    "give the weights a normaliser (plasticity.normalise=max), the coefficients smaller values "
    "(plasticity.initial_coefficients='normal(0, 0.01)' and as small a search.sigma), the rule a decay (0.95*w + ...); "
    "or mend a world whose observations or rewards are not finite"
)


class DivergenceGuard:
    """Counts diverged generations in a row: those of progress.csv, then each that is added.

    Args:
        config: of the run.
        rows: of the generations so far. A run that has ended and is resumed has another `DIVERGED_GENERATIONS`.
    """

    def __init__(self, config: Config, rows: Iterable[Row]) -> None:
        self._lifetimes = config.lifetimes_per_generation
        self._in_a_row = self._generations = 0
        self._share = ""
        for row in rows:
            self._count(row)

    def add(self, row: Row) -> None:
        """Count a generation; warn where it is the first in a row that diverged.

        Raises:
            DivergenceFailure: it is the last that a run may have in a row.
        """
        self._count(row)
        if self._in_a_row == 1:
            _logger.warning("%s: %s", self._share, REMEDY)
        if self._in_a_row and not self._in_a_row % DIVERGED_GENERATIONS:
            raise DivergenceFailure(f"{self._share}, the {_ordinal(self._in_a_row)} such in a row: {REMEDY}")

    def end(self) -> None:
        """Raise `DivergenceFailure` where a run ends of which every generation diverged."""
        if self._in_a_row and self._in_a_row == self._generations:
            raise DivergenceFailure(f"{self._share}, as in every generation of the run: {REMEDY}")

    def _count(self, row: Row) -> None:
        diverged = row.get("diverged") or 0
        self._share = f"{diverged} of {self._lifetimes} lifetimes diverged in generation {row['generation']}"
        self._generations += 1
        self._in_a_row = self._in_a_row + 1 if diverged >= DIVERGED_SHARE * self._lifetimes else 0


def _ordinal(number: int) -> str:
    suffix = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
