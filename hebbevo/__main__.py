"""The program `hebbevo`, which is also `python -m hebbevo`: it can be interrupted from the first import on."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import NoReturn

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> NoReturn:
    """Import the command line, which takes a second, and run it.

    An exception raised in the middle of an import may surface anywhere, as any other one; nothing is open or half
    written yet, so the process just ends.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    heeded = [number for number in _SIGNALS if before[number] is not signal.SIG_IGN]
    for number in heeded:
        signal.signal(number, _end)
    from hebbevo.cli import app

    for number in heeded:
        signal.signal(number, before[number])
    app.main()


def _end(number: int, frame: FrameType | None) -> NoReturn:
    os.write(2, b"hebbevo: interrupted\n")
    os._exit(130)


if __name__ == "__main__":
    main()
