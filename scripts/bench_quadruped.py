#!/usr/bin/env python3
"""Measure one agent-step of the quadruped by part, for a rule, a sharing and batch sizes of your choice.

`hebbevo bench --only quadruped` is the same with the defaults; see hebbevo/benchmarks/replays.py.

Example: `scripts/bench_quadruped.py --batch-size 4 8 --rule oja --json bench.json`
"""

from __future__ import annotations

import argparse
import sys

from rich.console import Console

from hebbevo.benchmarks import quadruped
from hebbevo.benchmarks.machine import machine
from hebbevo.benchmarks.tables import tables
from hebbevo.benchmarks.timing import Effort
from hebbevo.cli.output import STANDARD_OUTPUT, check_json_file, write_json


def positive(text: str) -> int:
    """Read an option that is a positive number."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a positive whole number, got {text!r}")
    return int(text)


def read_options(arguments: list[str]) -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    usual = Effort()
    parser.add_argument(
        "--batch-size",
        "--block",
        type=positive,
        nargs="+",
        default=usual.batch_sizes,
        help="lifetimes in lockstep",
    )
    parser.add_argument("--repeats", type=positive, default=usual.repeats, help="runs of each replay")
    parser.add_argument("--steps", type=positive, default=1000, help="length of a lifetime")
    parser.add_argument("--rule", default="ABCD_lr", help="a name or an equation")
    parser.add_argument("--sharing", default="synapse", help="scope of a coefficient")
    parser.add_argument("--json", metavar="FILE", help="of the result; - is standard output")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Run the benchmark."""
    options = read_options(arguments)
    machine_record, effort = machine(), Effort(options.repeats, options.steps, tuple(options.batch_size))
    try:
        check_json_file(options.json)
        numbers = quadruped.measure(effort, options.rule, options.sharing)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    console = Console(stderr=options.json == STANDARD_OUTPUT)
    for table in tables("quadruped", numbers):
        console.print(table)
    write_json(options.json, {"machine": machine_record, "quadruped": numbers})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
