"""`hebbevo bench`: the cost of an agent-step on this machine, by part, beside the physics alone and peers."""

from __future__ import annotations

from typing import Annotated

import typer

from hebbevo.cli.options import JsonFile
from hebbevo.cli.output import STANDARD_OUTPUT, check_json_file, write_json


def bench_command(
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="PART", help="A key of the JSON; may be repeated. By default all."),
    ] = None,
    json_file: JsonFile = None,
    repeats: Annotated[int, typer.Option(min=1, max=10_000, help="Alternations of the things compared.")] = 7,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, max=1_000_000, help="Length of a lifetime, for a quick look.", show_default=False
        ),
    ] = None,
) -> None:
    """Measure this machine: agent-steps by part, batch size, rule and worker, beside the physics alone and others.

    All parts take a few minutes, `--only quadruped` half a minute; nothing else should run meanwhile.
    """
    from hebbevo import benchmarks

    parts = benchmarks.parts_of(only or ())
    check_json_file(json_file)

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
            if json_file != STANDARD_OUTPUT:
                for table in tables(key, numbers):
                    console.print(table)
                write_json(json_file, record)  # finished parts stay, if a later one fails
    if json_file == STANDARD_OUTPUT:
        write_json(json_file, record)
