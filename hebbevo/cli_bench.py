"""`hebbevo bench`: what an agent-step costs here, by part, beside its floor and its peers."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from hebbevo.errors import InputError


def bench_command(
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help="A key of the JSON; may be repeated. By default all."),
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the figures; - is standard output.")
    ] = None,
    repeats: Annotated[int, typer.Option(min=1, help="Turns of what is compared.")] = 7,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Length of a lifetime, for a quick look.", show_default=False)
    ] = None,
) -> None:
    """Measure this machine: agent-steps by part, block, rule and worker, beside the physics alone and others.

    All parts take a few minutes, `--only quadruped` half a minute; nothing else should run meanwhile.
    """
    from hebbevo import benchmarks

    parts = benchmarks.wanted(only or ())
    file = None if json_file in (None, "-") else Path(str(json_file))
    if file is not None and (file.is_dir() or not file.parent.is_dir()):
        raise InputError(f"cannot write {file}; name a file in a directory that exists")

    from rich.console import Console

    from hebbevo.benchmarks.tables import tables
    from hebbevo.benchmarks.timing import Effort

    console, record = Console(), {}
    with Console(stderr=True).status("") as status:
        measured = benchmarks.measure(
            parts, Effort(repeats, steps), lambda part: status.update(f"measuring: {part}")
        )
        for key, numbers in measured:
            record[key] = numbers
            if json_file != "-":
                for table in tables(key, numbers):
                    console.print(table)
            if file is not None:
                file.write_text(_text(record), encoding="utf-8")  # what is done stays, if a later part fails
    if json_file == "-":
        sys.stdout.write(_text(record))


def _text(record: Mapping[str, object]) -> str:
    return json.dumps(record, indent=2) + "\n"
