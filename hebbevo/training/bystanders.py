"""What a run does without: its display, its log, its curves and figures. An error there ends nothing."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

_logger = logging.getLogger(__name__)


class Bystanders:
    """Turns errors of parts that no result depends on into a warning each, the first time."""

    def __init__(self) -> None:
        self._failed: set[str] = set()

    @contextmanager
    def guard(self, failure: str) -> Iterator[None]:
        """Go on after an error.

        Args:
            failure: what an error means, for the warning; there is one for each.
        """
        try:
            yield
        except Exception as error:  # noqa: BLE001  (whatever it is, hours of computing are worth more)
            if failure not in self._failed:
                self._failed.add(failure)
                _logger.warning("%s (%s: %s); the run goes on", failure, type(error).__name__, error)
