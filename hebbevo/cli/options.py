"""Options that several commands share."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hebbevo.execution.execution import Execution

Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[KEY=VALUE]...", help="Overrides, as search.population=64.")
]
Genomes = Annotated[
    list[str],
    typer.Argument(
        metavar="GENOME...",
        help="Files, run directories or zoo:NAME, with a label as NAME=GENOME; several runs of a recipe as "
        "LABEL=GENOME,GENOME, or an experiment's directory.",
    ),
]
Controls = Annotated[bool, typer.Option(help="Also evaluate the controls.")]
Threads = Annotated[int | None, typer.Option(help="Threads; by default one per core.", show_default=False)]
Workers = Annotated[
    int | None,
    typer.Option(
        help="Ray workers; 0 stays in this process. By default 0, or one per core if the environment holds the GIL.",
        show_default=False,
    ),
]
Ray = Annotated[
    str | None, typer.Option(metavar="auto|HOST:PORT", help="Ray cluster to join.", show_default=False)
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        "--batch-size",
        "--block",
        help="Lifetimes in lockstep per thread; changes no result.",
        show_default=False,
    ),
]
Device = Annotated[
    str | None,
    typer.Option(
        metavar="cpu|cuda",
        help="Networks of a complete population on a device, environments on the CPU; by default compiled CPU kernels.",
        show_default=False,
    ),
]
Track = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME", help="Also follow it with wandb or mlflow; may be repeated.", show_default=False
    ),
]
JsonFile = Annotated[
    str | None, typer.Option("--json", metavar="FILE", help="Write the figures; - is standard output.")
]
Steps = Annotated[
    int | None,
    typer.Option(help="Length of a lifetime; by default that of the genome's task.", show_default=False),
]
Seed = Annotated[int, typer.Option(help="The lifetimes' seeds follow from it.")]
StudyDirectory = Annotated[
    Path, typer.Option("--out", metavar="DIR", help="Directory of the study, which must not exist.")
]
Bodies = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE.yaml", help="Bodies of your own, that --morphology can name.", show_default=False
    ),
]
Metric = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="What stands for the fitness: metres of a robot of your own whose reward is another.",
        show_default=False,
    ),
]
_Imports = Annotated[
    list[str] | None,
    typer.Option(
        "--import",
        metavar="MODULE|FILE.py",
        help="Import a module of yours first, here and in every worker; may be repeated.",
        show_default=False,
    ),
]


def bodies_of(path: Path | None) -> dict[str, Any]:
    """Return the bodies in a file of a user's, if there is one."""
    from hebbevo.config.loading import read_bodies

    return {} if path is None else read_bodies(path)


def execution_of(
    threads: int | None,
    batch_size: int | None,
    workers: int | None = 0,
    ray: str | None = None,
    device: str | None = None,
) -> Execution:
    """Return where lifetimes run, as the options say."""
    from hebbevo.execution.execution import Execution

    return Execution(threads, batch_size, workers, ray, device)


def study_execution(
    threads: int | None, batch_size: int | None, workers: int | None, ray: str | None, device: str | None
) -> Execution:
    """Return where the lifetimes of a study run: in this process, unless a cluster or workers are asked for."""
    return execution_of(threads, batch_size, workers if ray is not None else workers or 0, ray, device)


def importing(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command that imports what ``--import`` names before it does anything else."""

    @wraps(command)
    def importing_command(imports: list[str] | None = None, **arguments: Any) -> None:
        if imports:
            from hebbevo.imports import import_modules

            import_modules(imports)
        command(**arguments)

    given = inspect.signature(command, eval_str=True)
    option = inspect.Parameter("imports", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_Imports)
    shown: Any = importing_command
    shown.__signature__ = given.replace(parameters=[*given.parameters.values(), option])
    shown.__annotations__ = {**command.__annotations__, "imports": _Imports}
    return importing_command
