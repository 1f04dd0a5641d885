"""`hebbevo list`: names of rules, environments and so on, with a line about each."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hebbevo.cli.catalogues import CATALOGUES, RUNS, entries
from hebbevo.errors import InputError, unknown
from hebbevo.io.text import visible


def list_command(
    catalogue: Annotated[
        str | None, typer.Argument(help=f"{', '.join(CATALOGUES)}.", show_default="the catalogues")
    ] = None,
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="Where to look for runs.", show_default="here")
    ] = None,
) -> None:
    """List what there is, by name; piped, one name a line."""
    if catalogue is None:
        sys.stdout.writelines(f"{name}\n" for name in CATALOGUES)
        return
    if catalogue not in CATALOGUES:
        raise InputError(unknown("catalogue", catalogue, CATALOGUES))
    if folder is not None and catalogue != RUNS:
        raise InputError(f"only runs are looked for in a folder, got {folder}; leave it out")
    listed = entries(catalogue, folder)
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{visible(name)}\n" for name in listed)
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table.grid(padding=(0, 3))
    for name, about in listed.items():
        table.add_row(Text(visible(name), "bold"), Text(visible(about)))
    Console().print(table)
