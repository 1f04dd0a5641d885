"""Names of objects that are imported when they are needed: ``module:name``, as in the entry points of a package."""

from __future__ import annotations

import importlib
from typing import Any


def load(entry_point: str | type) -> Any:
    """Import the object that an entry point ``module:name`` stands for; a class stands for itself."""
    if not isinstance(entry_point, str):
        return entry_point
    module, separator, name = entry_point.partition(":")
    assert separator, entry_point
    return getattr(importlib.import_module(module), name)
