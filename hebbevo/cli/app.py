"""The command line. Exit codes: 0 done, 1 failed at run time, 2 bad input, 130 interrupted with the checkpoint safe."""

from __future__ import annotations

import errno
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console

from hebbevo.cli.bench import bench_command
from hebbevo.cli.generalize import generalize_command
from hebbevo.cli.options import (
    BatchSize,
    Device,
    JsonFile,
    Overrides,
    Ray,
    Seed,
    Steps,
    Threads,
    Workers,
    execution_of,
)
from hebbevo.cli.output import STANDARD_OUTPUT, check_json_file, say, write_json
from hebbevo.cli.perturb import perturb_command
from hebbevo.cli.render import render_command
from hebbevo.errors import InputError, unknown

USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""Typer's error of unknown commands, options and arguments, for which it has no public name."""
INTERRUPTED = 130
EVOLVING = ("evolve", "resume")
"""Commands that leave checkpoints; the others write what they have when they have it all."""

app = typer.Typer(
    help="Evolve learning rules instead of weights.",
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("bench")(bench_command)
app.command("generalize")(generalize_command)
app.command("perturb")(perturb_command)
app.command("render")(render_command)


@app.command("evolve")
def evolve_command(
    source: Annotated[str, typer.Argument(metavar="PRESET|FILE.yaml", help="What to evolve.")],
    overrides: Overrides = None,
    out: Annotated[
        Path | None, typer.Option(help="Run directory, which must not exist.", show_default="runs/NAME")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="GENOME", help="Start at a genome: a file, a run or zoo:NAME."),
    ] = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Evolve a preset or a config file into a new run directory."""
    from hebbevo.cli.display import LiveLine
    from hebbevo.config.loading import load_config
    from hebbevo.genomes.genome import load_genome
    from hebbevo.tasks.task import Task
    from hebbevo.training.evolution import evolve

    config, console = load_config(source, overrides or ()), Console()
    task = Task.of(config)
    rule = task.plasticity.parsed_rule
    found = ", ".join(rule.coefficients) or "none: static weights"
    numbers = f"{task.layout.size:,} numbers to evolve"
    say(console, f"rule {rule.name}: w = {rule.text}; coefficients {found}; {numbers}")
    with LiveLine(console, config.env.unit) as line:
        run = evolve(
            config,
            out or Path("runs") / Path(source).stem,
            start=load_genome(start) if start else None,
            execution=execution_of(threads, batch_size, workers, ray, device),
            watch=line.watch,
        )
    _say_done(console, run.path)


@app.command("resume")
def resume_command(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")],
    generations: Annotated[
        int | None,
        typer.Option(help="Prolong the run to as many in all; by default as its config.yaml says."),
    ] = None,
    workers: Workers = None,
    ray: Ray = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Evolve a run on from its last checkpoint."""
    from hebbevo.cli.display import LiveLine
    from hebbevo.training.evolution import resume
    from hebbevo.training.run_config import read_config
    from hebbevo.training.run_directory import RunDirectory

    console = Console()
    unit = read_config(RunDirectory.open(directory, read_only=True)).env.unit
    with LiveLine(console, unit) as line:
        run = resume(
            directory,
            generations=generations,
            execution=execution_of(threads, batch_size, workers, ray, device),
            watch=line.watch,
        )
    if run.already_finished:
        say(console, f"{directory} is finished: {run.generation} generations; nothing changed")
    else:
        _say_done(console, run.path)


@app.command("evaluate")
def evaluate_command(
    genome: Annotated[str, typer.Argument(metavar="GENOME", help="A file, a run directory or zoo:NAME.")],
    episodes: Annotated[int, typer.Option(help="Lifetimes per morphology and condition.")] = 64,
    seed: Seed = 1,
    steps: Steps = None,
    morphology: Annotated[
        list[str] | None, typer.Option(help="Body; may be repeated. By default the task's own.")
    ] = None,
    controls: Annotated[bool, typer.Option(help="Also evaluate the controls.")] = True,
    official: Annotated[
        bool,
        typer.Option("--official", help="On Gymnasium's own CarRacing; by default on a Ray worker per core."),
    ] = False,
    json_file: JsonFile = None,
    workers: Workers = None,
    threads: Threads = None,
    batch_size: BatchSize = None,
    device: Device = None,
) -> None:
    """Evaluate a genome over fresh lifetimes of full length, beside its controls."""
    from hebbevo.cli.display import evaluation_table, evaluation_title
    from hebbevo.evaluation.evaluation import evaluate
    from hebbevo.genomes.genome import load_genome

    check_json_file(json_file)
    evaluation = evaluate(
        load_genome(genome).lasting(steps),
        episodes=episodes,
        seed=seed,
        morphologies=morphology,
        controls=controls,
        official=official,
        execution=execution_of(threads, batch_size, workers if official or workers else 0, device=device),
    )
    if json_file != STANDARD_OUTPUT:
        console = Console()
        say(console, evaluation_title(evaluation))
        console.print(evaluation_table(evaluation))
    write_json(json_file, evaluation.summary())


@app.command("config")
def config_command(
    source: Annotated[str, typer.Argument(metavar="PRESET|FILE.yaml", help="What to resolve.")],
    overrides: Overrides = None,
) -> None:
    """Print a configuration as resolved."""
    from hebbevo.config.loading import load_config

    sys.stdout.write(load_config(source, overrides or ()).to_yaml())


@app.command("list")
def list_command(
    what: Annotated[
        str,
        typer.Argument(help="rules, envs, morphologies, perturbations, searchers, presets or genomes."),
    ],
) -> None:
    """List what there is, by name; piped, one name a line."""
    from hebbevo.cli.listing import CATALOGUES, entries

    if what not in CATALOGUES:
        raise InputError(unknown("catalogue", what, CATALOGUES))
    found = entries(what)
    if not sys.stdout.isatty():
        sys.stdout.writelines(f"{name}\n" for name in found)
        return
    from rich.table import Table

    table = Table.grid(padding=(0, 3))
    for name, about in found.items():
        table.add_row(f"[bold]{name}[/bold]", about.replace("[", r"\["))
    Console().print(table)


@app.command("plot")
def plot_command(directory: Annotated[Path, typer.Argument(metavar="DIR", help="A run directory.")]) -> None:
    """Draw a run's learning curve from its progress.csv."""
    from hebbevo.training.figures import learning_curve
    from hebbevo.training.run_directory import RunDirectory

    path = learning_curve(RunDirectory.open(directory, read_only=True))
    typer.echo(path)


def main() -> NoReturn:
    """Run the command line."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code; what went wrong is one line on standard error.

    Args:
        arguments: those of the process by default; none at all is ``--help``.
    """
    signal.signal(signal.SIGTERM, _interrupt)
    words = list(sys.argv[1:] if arguments is None else arguments) or ["--help"]
    try:
        code = app(words, prog_name="hebbevo", standalone_mode=False)  # Typer returns what Exit held
        if code == INTERRUPTED:
            raise KeyboardInterrupt
    except SystemExit as ending:
        return ending.code if isinstance(ending.code, int) else int(ending.code is not None)
    except InputError as error:
        return _fail(str(error), 2)
    except USAGE_ERROR as error:
        return _fail(_usage(error), 2)
    except (KeyboardInterrupt, typer.Abort):
        safe = "the last checkpoint of a run is safe, `hebbevo resume DIR` goes on from it"
        return _fail(f"interrupted; {safe if words[0] in EVOLVING else 'nothing was written'}", INTERRUPTED)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        on = ", then `hebbevo resume DIR` goes on from the last checkpoint" if words[0] in EVOLVING else ""
        return _fail(f"{error}; make room{on}" if full else str(error), 1)
    except Exception as error:  # noqa: BLE001  (the last line of defence: one line for the user)
        if os.environ.get("HEBBEVO_TRACEBACK"):
            traceback.print_exc()
        return _fail(f"{type(error).__name__}: {error} (HEBBEVO_TRACEBACK=1 shows where)", 1)
    return code if isinstance(code, int) else 0


def _usage(error: Any) -> str:
    """Return the line for arguments that the command line does not know."""
    command = getattr(error.ctx, "command_path", "hebbevo")
    return f"{error.format_message().rstrip('.')}; see: {command} --help"


def _interrupt(number: int, frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    sys.stderr.write(f"hebbevo: {line}\n")
    return code


def _say_done(console: Console, path: Path) -> None:
    say(console, f"done: {path}; evaluate it with: hebbevo evaluate {path}")
