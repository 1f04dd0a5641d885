"""Evolve a run, generation by generation, so that killing it at any instant changes nothing but the time it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.config.loading import as_config
from hebbevo.config.overrides import Overrides
from hebbevo.config.schema import Config
from hebbevo.errors import FileError, InputError
from hebbevo.execution.execution import Execution
from hebbevo.execution.executors import executor_for
from hebbevo.genomes.genome import Genome, check_savable, load_genome, save_genome
from hebbevo.io.atomic import FAILING_DISK
from hebbevo.rules import Rule
from hebbevo.search import Searcher
from hebbevo.tasks.task import Task
from hebbevo.training.checkpoint import check_checkpoint
from hebbevo.training.loop import Evolution
from hebbevo.training.notes import Notes
from hebbevo.training.records import Run, Watcher
from hebbevo.training.run_config import check_same_config, check_same_imports, prolonged, read_config
from hebbevo.training.run_directory import RunDirectory
from hebbevo.training.trackers.tracker import Tracking, as_tracking

_RESERVE = " " * (1 << 16)
"""As long as what is not known of headers before a run: evaluations, diagnostics."""


def evolve(
    config: Config | str | Path | Mapping[str, Any],
    out: str | Path | None = None,
    *,
    overrides: Overrides = (),
    start: Genome | None = None,
    execution: Execution | None = None,
    watch: Watcher | None = None,
    track: Sequence[str] | Tracking = (),
) -> Run:
    """Make a run directory and evolve it to its last generation.

    Args:
        config: a preset, a YAML file or a mapping, as for `load_config`; or what that has returned.
        out: the directory, which must not exist; by default ``runs/NAME`` of a preset or a file.
        overrides: of the config, as for `load_config`.
        start: the first center, a genome of the same layout, evolved on whatever task; None draws one.
        execution: where the lifetimes run; changes no result.
        watch: called after every generation.
        track: names of trackers, besides TensorBoard: wandb, mlflow.

    Raises:
        InputError: `out` exists, a tracker's package is missing, `start` is of another layout, or the config asks for
            something that cannot be built.
        OSError: the disk is full; the last checkpoint stands.
        DivergenceFailure: nearly all lifetimes diverged in three generations in a row, or in every one of the run;
            what was computed stands.
    """
    out = _default_out(config) if out is None else out
    config, tracking = as_config(config, overrides), as_tracking(track)
    RunDirectory.check_new(out)
    notes = Notes()
    task, searcher = _begin(config, start)
    resolved = (execution or Execution()).resolve(task)

    def fill(directory: RunDirectory) -> None:
        if start is not None:
            save_genome(start, directory.start_path)

    with (
        # A task that cannot be built, or finds no workers, fails before a directory appears.
        executor_for(resolved, notes) as executor,
        RunDirectory.create(out, config.to_yaml(), fill) as directory,
    ):
        notes.attach(directory)
        evolution = Evolution(
            config,
            task,
            searcher,
            directory,
            start=start,
            checkpoint=None,
            watch=watch,
            notes=notes,
            tracking=tracking,
        )
        with _nothing_left_of_a_failed_start(directory):
            return evolution.run(executor, resolved)


def _default_out(config: object) -> Path:
    if not isinstance(config, str | Path):
        raise InputError("a config without a name needs a directory; give out")
    return Path("runs") / Path(config).stem


@contextmanager
def _nothing_left_of_a_failed_start(directory: RunDirectory) -> Iterator[None]:
    """Remove a new directory whose first generation failed: all that it could do is to be in the way of the next.

    It stays where the run was interrupted or the disk is full, and can go on.
    """
    try:
        yield
    except Exception as error:
        full = isinstance(error, OSError) and error.errno in FAILING_DISK
        if not full and directory.latest() is None:
            directory.discard()
        raise


def resume(
    path: str | PathLike[str],
    *,
    generations: int | None = None,
    agent_steps: int | None = None,
    execution: Execution | None = None,
    watch: Watcher | None = None,
    track: Sequence[str] | Tracking = (),
) -> Run:
    """Evolve a run on from its last checkpoint, or from generation 0 where there is none.

    Args:
        path: the run directory, or what `evolve` has returned.
        generations: how many the run has from now on, in all: no fewer than before, and however many agent-steps
            they take. None: as before. The prolonged run equals one that had as many from its beginning, but for the
            evaluation of the center at its old end.
        agent_steps: likewise its budget of agent-steps in all, however many generations they take.
        execution: where the lifetimes run; changes no result.
        watch: called after every generation.
        track: names of trackers, besides TensorBoard: wandb, mlflow.

    Raises:
        InputError: a tracker's package is missing, not a run directory, in use, its config.yaml is not the one of its
            checkpoint, or too few generations or agent-steps.
        DivergenceFailure: as of `evolve`; three generations in a row from now on end the run again.
    """
    tracking = as_tracking(track)
    with RunDirectory.open(Path(path)) as directory:
        config = read_config(directory)
        directory.read_progress()  # for what cannot be read
        check_same_imports(config, directory)
        checkpoint = directory.latest()
        if checkpoint is not None:
            check_same_config(config, checkpoint, directory)
        changed = prolonged(config, generations, agent_steps, directory)
        start = load_genome(directory.start_path) if directory.start_path.exists() else None
        task, searcher = _begin(changed, start)
        notes = Notes()
        evolution = Evolution(
            changed,
            task,
            searcher,
            directory,
            start=start,
            checkpoint=checkpoint,
            watch=watch,
            notes=notes,
            tracking=tracking,
        )
        if evolution.finished:
            directory.tidy()
            return evolution.result(already_finished=True)
        resolved = (execution or Execution()).resolve(task)
        with executor_for(resolved, notes) as executor:
            directory.tidy()  # nothing is refused from here on
            if changed != config:
                directory.write_config(changed.to_yaml())
            notes.attach(directory)
            return evolution.run(executor, resolved)


def _begin(config: Config, start: Genome | None) -> tuple[Task, Searcher]:
    """Return the task of a run, known to be one that a network can be built for, and its searcher at the start."""
    task = Task.of(config)
    task.check_network()
    center = task.first_center(config.run.seed) if start is None else _values_for(task, start)
    searcher = config.search.build(center, config.run.seed)
    if config.training.merge_to is not None:
        from hebbevo.training.merging import merging

        searcher = merging(searcher, config, task)
    _check_files(config, task, searcher, start)
    return task, searcher


def _check_files(config: Config, task: Task, searcher: Searcher, start: Genome | None) -> None:
    """Refuse a run whose genomes or checkpoints no file could hold.

    Raises:
        FileError: a name too long, too many arrays, too long a header.
    """
    ancestry = {} if start is None else {"start": start.ancestry}
    check_savable(Genome(task, searcher.center, {**ancestry, "reserve": _RESERVE}))
    check_checkpoint(searcher.state_dict(), {"config": config.model_dump(mode="json"), "reserve": _RESERVE})


def _values_for(task: Task, start: Genome) -> npt.NDArray[np.float32]:
    """Return the values of a genome for another task, in which they must mean the same.

    Raises:
        InputError: they do not.
    """
    try:
        values = task.layout.join(start.arrays)
        own, other = _meaning(start.task), _meaning(task)
        for name in own:
            if own[name] != other[name]:
                raise FileError(f"{name} is {_readable(own[name])}, and here {_readable(other[name])}")
        return values
    except FileError as error:
        raise InputError(
            f"cannot start from genome {start.name!r}: {error}; network, rule and sharing must be its own"
        ) from None


def _meaning(task: Task) -> dict[str, Any]:
    """Return what the numbers of a genome mean, besides the names and shapes of their arrays, by name."""
    spec = task.network_spec
    meaning: dict[str, Any] = {"the encoder": task.encoder}
    meaning |= {f"the activation of {one.name}": one.activation for one in spec.populations}
    for one in spec.projections:
        ends = f"{one.source} -> {one.target}{' (delayed)' * one.delayed}"
        meaning |= {f"{one.name}": ends, f"the rule of {one.name}": one.rule}
        meaning |= {f"the sharing of {one.name}": dict(one.sharing)}
        meaning |= {f"the signals of {one.name}": dict(one.signals)}
    return meaning


def _readable(value: Any) -> str:
    return value.readable if isinstance(value, Rule) else str(value)
