"""MuJoCo, as all of hebbevo imports it: whatever there is to draw with, its warnings counted.

`import mujoco` also imports the OpenGL that the variable MUJOCO_GL names, and fails where that is missing, though only
pictures need one. Its warnings are a paragraph each on standard error and in MUJOCO_LOG.TXT of the working directory;
here they become one line when the process ends. A lifetime in which it warns counts as diverged, so none is lost.
"""

from __future__ import annotations

import atexit
import logging
import os
import re
import threading
import warnings
from collections import Counter

__all__ = ["FAILURES", "mujoco", "one_line"]

_logger = logging.getLogger(__name__)

try:
    import mujoco.batch
except Exception:
    if "MUJOCO_GL" not in os.environ:
        raise
    _asked = os.environ["MUJOCO_GL"]
    os.environ["MUJOCO_GL"] = "disable"  # MuJoCo's word for no OpenGL
    try:
        import mujoco.batch
    finally:
        os.environ["MUJOCO_GL"] = _asked  # rendering says what is missing

_OF_FILES = "compiler attribute"
"""How a warning begins about what MuJoCo will no longer read one day: it concerns who writes a robot's file."""
warnings.filterwarnings("ignore", _OF_FILES, UserWarning)

_LOCK = threading.Lock()
_COUNTS: Counter[str] = Counter()


def _count(message: str) -> None:
    """Take a warning of MuJoCo's about a simulation, from any of its threads."""
    if message.startswith(_OF_FILES):
        return
    with _LOCK:
        _COUNTS[re.split("[.:] ", message.strip(), maxsplit=1)[0]] += 1


def _report() -> None:
    """Say in one line how often MuJoCo warned, and of what most of all."""
    if _COUNTS:
        message, count = _COUNTS.most_common(1)[0]
        _logger.warning(
            "warnings of MuJoCo: %s, most of them (%s): %s; a simulation in which it warns counts as diverged",
            f"{_COUNTS.total():,}",
            f"{count:,}",
            message,
        )


if mujoco.get_mju_user_warning() is None:  # a program may have its own
    mujoco.set_mju_user_warning(_count)
    atexit.register(_report)


FAILURES = (ValueError, RuntimeError, TypeError, KeyError, IndexError, mujoco.FatalError)
"""What MuJoCo raises for a body that it cannot make."""


def one_line(error: BaseException) -> str:
    """Return MuJoCo's message in one line, without numbers of lines: the text that it read was written by us."""
    parts = [re.sub(r",? *\(?line (number=)?\d+\)?", "", part).strip() for part in str(error).splitlines()]
    return "; ".join(part for part in parts if part)[:300]
