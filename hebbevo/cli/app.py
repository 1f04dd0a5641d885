"""The command line. Exit codes: 0 done, 1 failed at run time, 2 bad input, 130 interrupted with the checkpoint safe."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer

import hebbevo
from hebbevo.cli.bench import bench_command
from hebbevo.cli.compare import compare_command
from hebbevo.cli.config import config_command
from hebbevo.cli.evaluate import evaluate_command
from hebbevo.cli.evolve import evolve_command
from hebbevo.cli.experiment import experiment_command
from hebbevo.cli.generalize import generalize_command
from hebbevo.cli.learning import learning_command
from hebbevo.cli.list import list_command
from hebbevo.cli.options import importing
from hebbevo.cli.output import print_what_cannot_be_encoded
from hebbevo.cli.perturb import perturb_command
from hebbevo.cli.plot import plot_command
from hebbevo.cli.record import record_command
from hebbevo.cli.render import render_command
from hebbevo.cli.report import report_command
from hebbevo.cli.resume import resume_command
from hebbevo.cli.show import show_command
from hebbevo.cli.study import study_command
from hebbevo.cli.view import view_command
from hebbevo.errors import InputError, MissingImport, SearchFailure
from hebbevo.io.atomic import FULL_DISK
from hebbevo.io.text import visible

USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer's error of unknown commands, options and arguments, for which it has no public name."""
INTERRUPTED = 130
EVOLVING = ("evolve", "resume")
"""Commands that leave checkpoints."""
GOING_ON = {
    **dict.fromkeys(EVOLVING, ", then `hebbevo resume DIR` goes on from the last checkpoint"),
    **dict.fromkeys(
        ("experiment", "generalize", "learning", "perturb", "study"), ", then the same command goes on"
    ),
}
"""How a command goes on where a disk was full."""
KEPT = {
    **dict.fromkeys(EVOLVING, "the last checkpoint of a run is safe, `hebbevo resume DIR` goes on from it"),
    **dict.fromkeys(
        ("generalize", "learning", "perturb", "study"),
        "finished cases are safe, the same command goes on from there",
    ),
    "experiment": "the last checkpoint of every run is safe, the same command goes on from there",
}
"""What an interrupted command leaves; the others write results once they are complete."""


def _print_version(wanted: bool) -> None:
    """End with the version on standard output, where it is asked for."""
    if wanted:
        typer.echo(f"hebbevo {hebbevo.__version__}")
        raise typer.Exit


COMMANDS: dict[str, Callable[..., None]] = {
    "evolve": evolve_command,
    "resume": resume_command,
    "evaluate": evaluate_command,
    "experiment": experiment_command,
    "compare": compare_command,
    "generalize": generalize_command,
    "perturb": perturb_command,
    "learning": learning_command,
    "study": study_command,
    "report": report_command,
    "render": render_command,
    "view": view_command,
    "record": record_command,
    "plot": plot_command,
    "config": config_command,
    "show": show_command,
    "list": list_command,
    "bench": bench_command,
}

app = typer.Typer(
    help="Evolve learning rules instead of weights.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for _name, _command in COMMANDS.items():
    app.command(_name)(importing(_command))


@app.callback()
def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version of hebbevo.", is_eager=True, callback=_print_version
        ),
    ] = False,
) -> None:
    """Take the options that stand before a command."""


def main() -> NoReturn:
    """Run the command line."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return the exit code; a failure is one line on standard error.

    Args:
        arguments: those of the process by default; none at all is ``--help``.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    print_what_cannot_be_encoded()
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = app(words, prog_name="hebbevo", standalone_mode=False)  # Typer returns what Exit held
        if code == INTERRUPTED:
            raise KeyboardInterrupt
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except MissingImport as error:
        options = " ".join(f"--import {name}" for name in error.names)
        return _fail(f"{error}; if you trust what you have under that name, add: {options}", 2)
    except InputError as error:
        _trace(caused=error.__cause__ is not None)
        return _fail(str(error), 2)
    except USAGE_ERROR as error:
        return _fail(_usage(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        return _fail(f"interrupted; {KEPT.get(words[0], 'nothing was written')}", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return _fail(f"{error.filename}: file name too long; check the path", 2)
        full = error.errno in FULL_DISK
        return _fail(f"{error}; make room{GOING_ON.get(words[0], '')}" if full else str(error), 1)
    except SearchFailure as error:
        return _fail(str(error), 1)
    except Exception as error:  # noqa: BLE001  (the last line of defence: one line for the user)
        _trace()
        return _fail(f"{type(error).__name__}: {error} (HEBBEVO_TRACEBACK=1 shows where)", 1)
    return code if isinstance(code, int) else 0


def _trace(*, caused: bool = True) -> None:
    """Print the traceback of an error that something else caused, where it is asked for."""
    if caused and os.environ.get("HEBBEVO_TRACEBACK"):
        traceback.print_exc()


def _usage(error: Any) -> str:
    """Return the line for arguments that the command line does not know."""
    command = getattr(error.ctx, "command_path", "hebbevo")
    return f"{error.format_message().rstrip('.')}; see: {command} --help"


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> int:
    line = visible(" ".join(message.split()))
    sys.stderr.write(f"hebbevo: {line}\n")
    return code
