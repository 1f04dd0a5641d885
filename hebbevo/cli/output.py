"""The output of commands and scripts: plain lines, and figures as JSON in a file or on standard output."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hebbevo.io.atomic import check_writable, write_atomically

if TYPE_CHECKING:
    from rich.console import Console

STANDARD_OUTPUT = "-"


def say(console: Console, text: str) -> None:
    """Print a line as it stands: not wrapped, no colors, brackets no markup."""
    console.print(text, soft_wrap=True, highlight=False, markup=False)


def say_done(console: Console, run: Path) -> None:
    """Print the last line of a run, with the command that comes next."""
    say(console, f"done: {run}; evaluate it with: hebbevo evaluate {run}")


def check_json_file(file: str | None) -> None:
    """Refuse a file that cannot be written, before anything is measured; None and `-` are none.

    Raises:
        InputError: a directory, or a file in a directory that does not exist or cannot be written to.
    """
    if file not in (None, STANDARD_OUTPUT):
        check_writable(Path(str(file)))


def write_json(file: str | None, figures: Mapping[str, object]) -> None:
    """Write figures to a file; `-` is standard output, None writes nothing."""
    text = json.dumps(figures, indent=2) + "\n"
    if file == STANDARD_OUTPUT:
        sys.stdout.write(text)
    elif file is not None:
        write_atomically(Path(file), text.encode())
