"""Events of a run with clock times, a JSON object a line: for people, nothing is read back from it."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np


def append_event(path: Path, event: str, fields: Mapping[str, Any]) -> None:
    """Add an event and its clock time (UTC), on a new line even behind one that a killed process tore."""
    record = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **fields}
    line = json.dumps(_plain(record), default=str) + "\n"
    torn = path.exists() and not _ends_with_newline(path)
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" + line if torn else line)


def _ends_with_newline(path: Path) -> bool:
    with path.open("rb") as file:
        if file.seek(0, os.SEEK_END) == 0:
            return True
        file.seek(-1, os.SEEK_END)
        return file.read(1) == b"\n"


def _plain(value: Any) -> Any:
    """Return JSON: NumPy numbers as numbers, numbers that are not finite as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    return value
