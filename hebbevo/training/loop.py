"""The loop of a run: a generation is proposed, evaluated and learned from, then written, its checkpoint last."""

from __future__ import annotations

import time
from functools import partial
from typing import Any

from hebbevo.config.schema import Config
from hebbevo.errors import SearchFailure
from hebbevo.evaluation.controls import GENOME
from hebbevo.evaluation.episodes import Subject, evaluate_conditions
from hebbevo.evaluation.fitness import Fitness, evaluate_generation
from hebbevo.execution.build import library_versions, this_machine
from hebbevo.execution.execution import ResolvedExecution, cores
from hebbevo.genomes.genome import Genome, save_genome
from hebbevo.rollouts.result import RolloutResult
from hebbevo.search import Executor, Searcher
from hebbevo.search.center import check_finite
from hebbevo.seeding import SeedPurpose
from hebbevo.tasks.task import Task
from hebbevo.tasks.worker import Worker
from hebbevo.training.bystanders import Bystanders
from hebbevo.training.checkpoints import Checkpoint
from hebbevo.training.collapse import CollapseGuard
from hebbevo.training.component_registry import components_of
from hebbevo.training.divergence import DivergenceGuard
from hebbevo.training.figures import draw_figures
from hebbevo.training.notes import Notes
from hebbevo.training.records import Row, Run, Step, Watcher
from hebbevo.training.rows import CENTER_DIVERGED, Score, center_columns, center_score, population_columns
from hebbevo.training.run_directory import RunDirectory
from hebbevo.training.telemetry import Telemetry
from hebbevo.training.trackers.tracker import Tracking


class Evolution:
    """A run under way: its searcher, the best mean of a center so far, and the directory that it is written to.

    Args:
        searcher: as it was at generation 0; a checkpoint's state is loaded into it.
        start: the genome that the first center was; None where it was drawn.
        checkpoint: to go on from; None begins at generation 0.
        watch: called after every generation.
        notes: of the executor, for the utilisation.
        tracking: where people look at the run.
    """

    def __init__(
        self,
        config: Config,
        task: Task,
        searcher: Searcher,
        directory: RunDirectory,
        *,
        start: Genome | None,
        checkpoint: Checkpoint | None,
        watch: Watcher | None,
        notes: Notes,
        tracking: Tracking,
    ) -> None:
        self._config, self._task, self._searcher = config, task, searcher
        self._directory, self._start, self._checkpoint = directory, start, checkpoint
        self._watch, self._notes, self._tracking = watch, notes, tracking
        self._bystanders, self._collapse = Bystanders(), CollapseGuard()
        self._best: Score | None = None
        self._agent_steps = 0
        self._components = components_of(config, start)
        if checkpoint is not None:
            searcher.load_state_dict(self._components.restore(checkpoint.tensors))
            best = checkpoint.header.get("best_mean")
            self._best = None if best is None else (-checkpoint.header.get("best_diverged", 0), best)
            self._agent_steps = checkpoint.header.get("agent_steps", 0)

    @property
    def finished(self) -> bool:
        """Whether the last generation is done, or the budget of agent-steps is used up."""
        training = self._config.training
        return self._searcher.generation >= training.generations or (
            training.agent_steps is not None and self._agent_steps >= training.agent_steps
        )

    def run(self, executor: Executor[Worker], execution: ResolvedExecution) -> Run:
        """Go on to the last generation.

        Raises:
            SearchFailure: the search has left the finite numbers, or has no workers left.
            DivergenceFailure: nearly all lifetimes diverge, in three generations in a row or in all that there were.
        """
        try:
            self._run(executor, execution)
        except SearchFailure as failure:
            self._directory.log("failed", generation=self._searcher.generation, cause=str(failure))
            self._draw()
            raise
        return self.result()

    def _run(self, executor: Executor[Worker], execution: ResolvedExecution) -> None:
        first = self._searcher.generation
        self._directory.truncate_progress(first)
        self._directory.log(
            "start", generation=first, cores=cores(), execution=execution.summary(), machine=this_machine()
        )
        guard = DivergenceGuard(self._config, self._directory.read_progress())
        with Telemetry(self._directory, self._config, first, self._tracking) as telemetry:
            while not self.finished:
                step = self._step(executor, execution)
                telemetry.record(step)
                if self._watch is not None:
                    self._watch(step)
                guard.add(step.row)
            guard.end()
        self._directory.log("end", generation=self._searcher.generation)

    def _draw(self) -> None:
        """Draw the figures of a run that ends; `hebbevo plot` draws them again."""
        with self._bystanders.guard("cannot draw figures"):
            if self._directory.progress_path.exists():
                draw_figures(self._directory)

    def result(self, already_finished: bool = False) -> Run:
        """Return how far the run is."""
        return Run(
            self._directory.path,
            self._config,
            self._searcher.generation,
            self._searcher.center,
            None if self._checkpoint is None else self._checkpoint.generation,
            already_finished,
        )

    def _step(self, executor: Executor[Worker], execution: ResolvedExecution) -> Step:
        """Evolve one generation, write it, and return it."""
        began, training = time.perf_counter(), self._config.training
        fitness, diagnostics = self._advance(executor, execution)
        center = None
        if self.finished or not self._searcher.generation % self._config.evaluation.every:
            center = self._evaluate_center(executor, execution.batch_size)
        row = self._write(fitness, center, diagnostics)
        seconds, workers, busy = time.perf_counter() - began, executor.workers, self._notes.take_busy()
        return Step(
            self._searcher.generation,
            training.generations,
            row,
            fitness.steps,
            seconds,
            workers,
            None if busy is None else busy / (max(1, workers) * seconds),
            None if training.agent_steps is None else max(0, training.agent_steps - self._agent_steps),
            center_evaluated=center is not None,
            unit=self._config.env.unit,
        )

    def _advance(self, executor: Executor[Worker], execution: ResolvedExecution) -> tuple[Fitness, Row]:
        """Propose, evaluate and learn; return the population's fitness and the searcher's diagnostics before it."""
        training, number = self._config.training, self._searcher.generation
        plan = self._components.plan(number)
        proposals = self._searcher.ask()
        if self._collapse.look(proposals, number + 1):
            self._directory.log("collapsed", generation=number + 1)
        diagnostics: Row = {**self._searcher.diagnostics()}
        fitness = evaluate_generation(
            executor,
            proposals,
            run_seed=self._config.run.seed,
            number=number,
            morphologies=self._config.env.morphology_names,
            lifetime_seeds=training.lifetime_seeds,
            batch_size=execution.batch_size,
            lifetimes=training.lifetimes,
            over_bodies=training.over_bodies,
            even=execution.even,
            plan=plan,
        )
        check = partial(check_finite, algorithm=self._config.search.algorithm, generation=number + 1)
        check("genomes are", fitness.mean_square)
        self._components.after_results(number, plan, fitness)
        self._searcher.tell(proposals, fitness.penalised(training.penalty), executor)
        check("center is", self._searcher.center)
        self._agent_steps += fitness.steps
        return fitness, diagnostics

    def _evaluate_center(self, executor: Executor[Worker], batch_size: int) -> list[RolloutResult]:
        """Return fresh lifetimes of the center on each morphology, of full length."""
        key = (self._config.run.seed, SeedPurpose.CENTER_EVALUATION, self._searcher.generation)
        lifetimes = evaluate_conditions(
            executor,
            Subject(self._searcher.center, key, self._components.task_of_center(self._task).observations),
            self._config.env.morphology_names,
            (GENOME,),
            self._config.evaluation.episodes,
            batch_size,
        )
        return [conditions[GENOME] for conditions in lifetimes.values()]

    def _write(self, fitness: Fitness, center: list[RolloutResult] | None, diagnostics: Row) -> Row:
        """Write genomes, row and last the checkpoint, which makes the generation count; return the row."""
        morphologies, generation = self._config.env.morphology_names, self._searcher.generation
        center_row = center_columns(morphologies, center, tuple(self._config.env.measured_metrics))
        is_best = self._write_genomes(center_row)
        row: Row = {"generation": generation, **population_columns(fitness, morphologies)}
        # The first row orders the columns of the table, which equal runs have had since before there were empty ones.
        row |= {**diagnostics, **center_row} if center is None else {**center_row, **diagnostics}
        self._directory.append_row(row)
        if self.finished:
            self._draw()
        diverged, best = (0, None) if self._best is None else self._best
        header = {
            "config": self._config.model_dump(mode="json"),
            "best_mean": best,
            **({"best_diverged": -diverged} if diverged else {}),
            "agent_steps": self._agent_steps,
        }
        tensors = {**self._searcher.state_dict(), **self._components.state()}
        self._directory.save(generation, tensors, header, is_best)
        return row

    def _write_genomes(self, center_row: Row) -> bool:
        """Write the center, also as the best one where its score is; return whether it is."""
        task = self._components.task_of_center(self._task)
        genome = Genome(task, self._searcher.center, self._provenance(center_row))
        save_genome(genome, self._directory.center_path)
        score = center_score(center_row)
        if score is None or (self._best is not None and score <= self._best):
            return False
        self._best = score
        save_genome(genome, self._directory.best_path)
        return True

    def _provenance(self, center_row: Row) -> dict[str, Any]:
        provenance: dict[str, Any] = {
            "seed": self._config.run.seed,
            "generation": self._searcher.generation,
            "search": self._config.search_settings(),
            "evaluation": self._evaluation(center_row),
            "libraries": library_versions(),
        }
        if self._start is not None:
            provenance["start"] = self._start.ancestry
        return provenance

    def _evaluation(self, center_row: Row) -> dict[str, Any] | None:
        """Return the evaluation of the center as genomes hold it; diverged lifetimes are named where there are any."""
        diverged = center_row[CENTER_DIVERGED]
        if diverged is None:
            return None
        means = {name: value for name, value in center_row.items() if name != CENTER_DIVERGED or diverged}
        return {"episodes": self._config.evaluation.episodes, **means}
