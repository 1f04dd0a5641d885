"""Record the golden results of this kind of machine: `python tests/golden/record.py`.

Cases that are recorded already stay as they are, whatever the code now gives: the tests compare them. `--again` and a
pattern record them anew, which says that results were meant to change. `--check` records nothing: it runs every case
and says which of them differ.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from fnmatch import fnmatch

from cases import CASES, Value, names, study_files, value_of
from kinds import read_values, this_kind, write_kind, write_values


def main() -> None:
    """Record what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--again", metavar="PATTERN", default="", help="record these cases anew, as 'grid/oja/*'"
    )
    parser.add_argument("--only", metavar="PATTERN", default="*", help="of these alone, as 'catalogue/*'")
    parser.add_argument("--check", action="store_true", help="compare every case with what is recorded")
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    arguments = parser.parse_args()
    kind = this_kind()
    if arguments.check:
        check_values(arguments.processes)
        return
    write_kind(kind)
    record_values(arguments.again, arguments.only, arguments.processes)
    record_studies(arguments.again, arguments.only)
    print(f"recorded in {kind.folder}")


def record_values(again: str, only: str, processes: int) -> None:
    """Run the cases that are asked for or missing, and write them as they come."""
    folder = this_kind().folder
    values = {name: value for name, value in read_values(folder).items() if name in names()}
    asked = [name for name in names() if fnmatch(name, only)]
    wanted = [name for name in asked if name not in values or fnmatch(name, again)]
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        for name, value in pool.map(named_value, wanted):
            values[name] = value
            write_values(folder, values)
            print(name, flush=True)


def check_values(processes: int) -> None:
    """Run every case of this kind of machine; exit with those that do not come out as recorded."""
    recorded = read_values(this_kind().folder)
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        differing = [name for name, value in pool.map(named_value, recorded) if value != recorded[name]]
    print(f"{len(recorded)} cases, {len(differing)} differ")
    if differing or not recorded:
        sys.exit("\n".join(differing) or "none is recorded for this kind of machine")


def named_value(name: str) -> tuple[str, Value]:
    """Return a case's name and its value."""
    return name, value_of(name)


def record_studies(again: str, only: str) -> None:
    """Run the studies that are asked for or missing, and write their tables."""
    for name in (study for study in CASES["studies"] if fnmatch(f"studies/{study}", only)):
        folder = this_kind().folder / name
        if (folder / "table.csv").exists() and not fnmatch(f"studies/{name}", again):
            continue
        folder.mkdir(exist_ok=True)
        for file, text in study_files(name).items():
            (folder / file).write_bytes(text.encode())
        print(f"studies/{name}", flush=True)


if __name__ == "__main__":
    main()
