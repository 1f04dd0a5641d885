"""Evolve a run, generation by generation, so that killing it at any instant changes nothing but the time it takes.

Per generation: propose, live the lifetimes, learn; evaluate the centre on fresh seeds where due; write genomes,
the row of progress.csv, and last the checkpoint, which makes the generation count.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hebbevo.config.aliases import current_names
from hebbevo.config.loading import Config, build_config, difference
from hebbevo.errors import FileError, InputError
from hebbevo.evaluation.evaluation import GENOME, evaluate_conditions
from hebbevo.evaluation.fitness import Fitness, evaluate_generation
from hebbevo.execution.execution import Execution, ResolvedExecution, cores
from hebbevo.execution.executors import executor_for
from hebbevo.genomes.genome import Genome, load_genome, save_genome
from hebbevo.rollouts.result import WORST_FITNESS
from hebbevo.search import Executor, Searcher
from hebbevo.seeding import SeedPurpose
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import Worker
from hebbevo.training.figures import learning_curve
from hebbevo.training.level_replay import LevelReplay
from hebbevo.training.notes import Notes
from hebbevo.training.run_directory import Checkpoint, Row, RunDirectory
from hebbevo.training.telemetry import Telemetry
from hebbevo.validation import read_yaml


@dataclass(frozen=True)
class Run:
    """A run directory and how far it is.

    Attributes:
        resumed_from: generation of the checkpoint, or None for a new run.
        already_finished: there was nothing left to do, and nothing was written.
    """

    path: Path
    config: Config
    generation: int
    center: npt.NDArray[np.float32]
    resumed_from: int | None = None
    already_finished: bool = False


@dataclass(frozen=True)
class Step:
    """What a generation came to, for whoever watches.

    Attributes:
        utilisation: part of the time that workers on Ray were busy, from 0 to 1; None in process.
        steps_left: of the run's budget of agent-steps; None where it has none.
    """

    generation: int
    generations: int
    row: Row
    agent_steps: int
    seconds: float
    workers: int = 1
    utilisation: float | None = None
    steps_left: int | None = None


Watcher = Callable[[Step], None]


def evolve(
    config: Config,
    out: str | Path,
    *,
    start: Genome | None = None,
    execution: Execution | None = None,
    watch: Watcher | None = None,
) -> Run:
    """Make a run directory and evolve it to its last generation.

    Args:
        config: from `load_config`.
        out: the directory, which must not exist.
        start: the first centre, a genome of the same layout, evolved on whatever task; None draws one.
        execution: where the lifetimes are lived; changes no result.
        watch: called after every generation.

    Raises:
        InputError: `out` exists, `start` is of another layout, or the config asks for what cannot be built.
        OSError: the disk is full; the last checkpoint stands.
    """
    execution, notes = execution or Execution(), Notes()
    task, searcher = _begin(config, start)
    resolved = execution.resolve(task)

    def fill(directory: RunDirectory) -> None:
        if start is not None:
            save_genome(start, directory.start_path)

    with (
        # What cannot be built, or finds no workers, fails before a directory appears.
        executor_for(resolved, notes) as executor,
        RunDirectory.create(out, config.to_yaml(), fill) as directory,
    ):
        notes.attach(directory)
        return _Evolution(config, task, searcher, start, directory, None, watch, notes).run(
            executor, resolved
        )


def resume(
    path: str | Path,
    *,
    generations: int | None = None,
    execution: Execution | None = None,
    watch: Watcher | None = None,
) -> Run:
    """Evolve a run on from its last checkpoint, or from generation 0 where there is none.

    Args:
        path: the run directory.
        generations: how many the run has from now on, in all: no fewer than before, and however many agent-steps
            they take. None: as before. The prolonged run equals one that had as many from its beginning, but for the
            evaluation of the centre at its old end.
        execution: where the lifetimes are lived; changes no result.
        watch: called after every generation.

    Raises:
        InputError: not a run directory, in use, its config.yaml is not the one of its checkpoint, or too few
            generations.
    """
    with RunDirectory.open(path) as directory:
        config = read_config(directory)
        checkpoint = directory.latest()
        if checkpoint is not None:
            _check_same_config(config, checkpoint, directory)
        if generations is not None:
            config = _prolonged(config, generations, directory)
        start = load_genome(directory.start_path) if directory.start_path.exists() else None
        task, searcher = _begin(config, start)
        execution, notes = execution or Execution(), Notes()
        evolution = _Evolution(config, task, searcher, start, directory, checkpoint, watch, notes)
        if evolution.finished:
            return evolution.result(already_finished=True)
        notes.attach(directory)
        resolved = execution.resolve(task)
        with executor_for(resolved, notes) as executor:
            return evolution.run(executor, resolved)


def read_config(directory: RunDirectory) -> Config:
    """Return the config of a run directory."""
    try:
        data = read_yaml(directory.config_path.read_text(encoding="utf-8"), str(directory.config_path))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {directory.config_path}: {error}") from None
    if not isinstance(data, dict):
        raise InputError(f"{directory.config_path} is not a config; restore it")
    return build_config(data)


def _check_same_config(config: Config, checkpoint: Checkpoint, directory: RunDirectory) -> None:
    written = checkpoint.header.get("config")
    changed = difference(
        _any_length(current_names(written if isinstance(written, Mapping) else {})),
        _any_length(config.model_dump(mode="json")),
    )
    if changed:
        raise InputError(
            f"{directory.config_path} does not match the checkpoint of generation {checkpoint.generation}: "
            f"{'; '.join(changed)}; undo the change, or evolve into another directory"
        )


def _any_length(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config without what says when the run ends, on which nothing before depends."""
    training = config.get("training")
    if not isinstance(training, Mapping):
        return dict(config)
    kept = {key: value for key, value in training.items() if key not in ("generations", "agent_steps")}
    return {**config, "training": kept}


def _prolonged(config: Config, generations: int, directory: RunDirectory) -> Config:
    """Return the config with more generations and without a budget of steps, written to the run directory."""
    now = config.training.generations
    if generations < now:
        raise InputError(f"generations must be at least {now}, those of {directory.path}, got {generations}")
    if generations > now or config.training.agent_steps is not None:
        training = config.training.model_copy(update={"generations": generations, "agent_steps": None})
        config = config.model_copy(update={"training": training})
        directory.write_config(config.to_yaml())
    return config


def _begin(config: Config, start: Genome | None) -> tuple[Task, Searcher]:
    """Return the task of a run, known to be one that a network can be built for, and its searcher at the start."""
    task = Task.of(config)
    task.check_network()
    center = task.first_center(config.run.seed) if start is None else _moved(start, task)
    return task, config.search.build(center, config.run.seed)


def _moved(start: Genome, task: Task) -> npt.NDArray[np.float32]:
    """Return the values of a genome as one of another task, whose layout must be the same."""
    try:
        return task.layout.join(start.arrays)
    except FileError as error:
        raise InputError(
            f"cannot start from genome {start.name!r}: {error}; network, rule and sharing must be its own"
        ) from None


class _Evolution:
    """The loop's state: the searcher, the best evaluated mean so far, and where it all is written."""

    def __init__(
        self,
        config: Config,
        task: Task,
        searcher: Searcher,
        start: Genome | None,
        directory: RunDirectory,
        checkpoint: Checkpoint | None,
        watch: Watcher | None,
        notes: Notes,
    ) -> None:
        self.config = config
        self.notes = notes
        self.directory = directory
        self.checkpoint = checkpoint
        self.watch = watch
        self.task = task
        self.searcher = searcher
        self.start = start
        self.best: float | None = None
        self.agent_steps = 0
        self._replay = LevelReplay(config.training, config.search.population, config.run.seed)
        if checkpoint is not None:
            searcher.load_state_dict(self._replay.load_state_dict(checkpoint.tensors))
            self.best = checkpoint.header.get("best_mean")
            self.agent_steps = checkpoint.header.get("agent_steps", 0)

    @property
    def finished(self) -> bool:
        """Whether the last generation is done, or the budget of agent-steps is used up."""
        training = self.config.training
        return self.searcher.generation >= training.generations or (
            training.agent_steps is not None and self.agent_steps >= training.agent_steps
        )

    def run(self, executor: Executor[Worker], execution: ResolvedExecution) -> Run:
        """Go on to the last generation."""
        start = self.searcher.generation
        self.directory.truncate_progress(start)
        self.directory.log("start", generation=start, cores=cores(), execution=execution.summary())
        with Telemetry(self.directory, start) as telemetry:
            while not self.finished:
                step = self._generation(executor, execution)
                telemetry.record(step)
                if self.watch is not None:
                    self.watch(step)
        self.directory.log("end", generation=self.searcher.generation)
        return self.result()

    def result(self, already_finished: bool = False) -> Run:
        """Return how far the run is."""
        return Run(
            self.directory.path,
            self.config,
            self.searcher.generation,
            self.searcher.center,
            None if self.checkpoint is None else self.checkpoint.generation,
            already_finished,
        )

    def _generation(self, executor: Executor[Worker], execution: ResolvedExecution) -> Step:
        began, training = time.perf_counter(), self.config.training
        number = self.searcher.generation
        replayed = self._replay.chosen(number)
        proposals = self.searcher.ask()
        diagnostics = self.searcher.diagnostics()
        fitness = evaluate_generation(
            executor,
            proposals,
            run_seed=self.config.run.seed,
            number=number,
            morphologies=self.config.env.morphology_names,
            lifetime_seeds=training.lifetime_seeds,
            batch_size=execution.batch_size,
            even=execution.even,
            replayed=replayed.tolist(),
        )
        self._replay.record(number, replayed, fitness.mean)
        self.searcher.tell(proposals, fitness.penalised(training.penalty), executor)
        generation = self.searcher.generation
        self.agent_steps += fitness.steps
        center = (
            self._evaluate_center(executor, execution.batch_size)
            if self.finished or not generation % self._every
            else {}
        )
        row: Row = {"generation": generation, **self._row(fitness), **center, **diagnostics}
        is_best = self._write_genomes(center)
        row = self._with_empty_center(row)
        self.directory.append_row(row)
        if self.finished:
            learning_curve(self.directory)
        self.directory.save(
            generation,
            {**self.searcher.state_dict(), **self._replay.state_dict()},
            {
                "config": self.config.model_dump(mode="json"),
                "best_mean": self.best,
                "agent_steps": self.agent_steps,
            },
            is_best,
        )
        seconds, workers, busy = time.perf_counter() - began, executor.workers, self.notes.take_busy()
        utilisation = None if busy is None else busy / (max(1, workers) * seconds)
        left = None if training.agent_steps is None else max(0, training.agent_steps - self.agent_steps)
        return Step(generation, training.generations, row, fitness.steps, seconds, workers, utilisation, left)

    @property
    def _every(self) -> int:
        return self.config.evaluation.every

    def _row(self, fitness: Fitness) -> Row:
        """Return the columns of the population; diverged lifetimes are counted and left out of the means."""
        means = np.ma.masked_array(fitness.mean, fitness.diverged.any(axis=1))
        per_body = np.ma.masked_array(fitness.per_morphology, fitness.diverged).mean(axis=0)
        row: Row = {
            "population_mean": _number(means.mean()),
            "population_best": _number(means.max()),
            "population_sd": _number(means.std()),
        }
        for name, value in zip(self.config.env.morphology_names, per_body, strict=True):
            row[f"population.{name}"] = _number(value)
        row["genome_rms"] = float(np.sqrt(fitness.mean_square.mean()))
        row["agent_steps"] = fitness.steps
        row["diverged"] = int(fitness.diverged.sum())
        return row

    def _center_columns(self) -> tuple[str, ...]:
        return ("center_mean", *(f"center.{name}" for name in self.config.env.morphology_names))

    def _with_empty_center(self, row: Row) -> Row:
        return {**row, **{name: row.get(name) for name in self._center_columns()}}

    def _evaluate_center(self, executor: Executor[Worker], batch_size: int) -> Row:
        """Return the centre's mean over fresh lifetimes of full length; a diverged one counts as the worst."""
        lifetimes = evaluate_conditions(
            executor,
            self.searcher.center,
            (self.config.run.seed, SeedPurpose.CENTER_EVALUATION, self.searcher.generation),
            self.config.env.morphology_names,
            (GENOME,),
            self.config.evaluation.episodes,
            batch_size,
        )
        means = [float(conditions[GENOME].fitness.mean()) for conditions in lifetimes.values()]
        return dict(zip(self._center_columns(), (float(np.mean(means)), *means), strict=True))

    def _write_genomes(self, center: Row) -> bool:
        """Write the centre, and the best one where it is; return whether it is."""
        genome = Genome(self.task, self.searcher.center, self._provenance(center))
        save_genome(genome, self.directory.center_path)
        mean = center.get("center_mean")
        if mean is None or (self.best is not None and mean <= self.best) or mean <= WORST_FITNESS:
            return False
        self.best = float(mean)
        save_genome(genome, self.directory.best_path)
        return True

    def _provenance(self, center: Row) -> dict[str, Any]:
        provenance: dict[str, Any] = {
            "seed": self.config.run.seed,
            "generation": self.searcher.generation,
            "search": self.config.search_settings(),
            "evaluation": {"episodes": self.config.evaluation.episodes, **center} if center else None,
        }
        if self.start is not None:
            provenance["start"] = {"task": self.start.task.header(), **self.start.provenance}
        return provenance


def _number(value: Any) -> float | None:
    return None if value is np.ma.masked else float(value)
