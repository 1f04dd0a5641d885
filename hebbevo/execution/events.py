"""Events of an executor while it works: a kind and fields, for logs and tests."""

import logging
from typing import Any, Protocol

_logger = logging.getLogger(__name__)
_TROUBLE = ("worker_lost", "worker_refused", "other_machine")


class Listener(Protocol):
    """Called with every event: workers, worker_{started,lost,refused}, item_repeated, other_machine, map."""

    def __call__(self, kind: str, /, **fields: Any) -> None:
        """Receive an event."""
        ...


def log_event(kind: str, /, **fields: Any) -> None:
    """Write an event to this module's logger: a warning where a worker is in trouble."""
    level = logging.WARNING if kind in _TROUBLE else logging.DEBUG
    _logger.log(level, "%s: %s", kind, ", ".join(f"{name} {value}" for name, value in fields.items()))


def unfailing(listener: Listener) -> Listener:
    """Return a listener whose errors are warnings: news of the work must not end it."""

    def tell(kind: str, /, **fields: Any) -> None:
        try:
            listener(kind, **fields)
        except Exception as error:  # noqa: BLE001  (a listener is anybody's)
            _logger.warning("a listener failed at %s (%s: %s)", kind, type(error).__name__, error)

    return tell
