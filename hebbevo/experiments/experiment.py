"""Run an experiment: every arm from every seed, killed at any instant and gone on with, the same bytes in the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from hebbevo.errors import InputError
from hebbevo.execution.execution import Execution, cores
from hebbevo.experiments.compare import compare
from hebbevo.experiments.comparison import Comparison
from hebbevo.experiments.directory import open_experiment, run_path
from hebbevo.experiments.genomes import study_genomes
from hebbevo.experiments.plan import Plan, read_plan
from hebbevo.experiments.run import RunOrder, is_finished
from hebbevo.experiments.studies import STUDIES_FOLDER, make_study
from hebbevo.experiments.workers import Event, Finished, finish_all
from hebbevo.training.trackers.tracker import Tracking, check_tracking


@dataclass(frozen=True)
class Studying:
    """A study of all runs is under way: how many of its lifetimes are done."""

    kind: str
    done: int
    total: int


Watch = Callable[[Event | Studying], None]


@dataclass(frozen=True)
class Experiment:
    """An experiment as far as it is.

    Attributes:
        path: its directory.
        plan: arms, seeds and evaluation.
        failures: one line for every run that failed, by name.
        comparison: of the finished runs; None where there is none.
    """

    path: Path
    plan: Plan
    failures: Mapping[str, str]
    comparison: Comparison | None


def experiment(
    source: str | Path | Mapping[str, Any] | Plan,
    out: str | Path,
    *,
    jobs: int | None = None,
    execution: Execution | None = None,
    watch: Watch | None = None,
    track: Sequence[str] = (),
) -> Experiment:
    """Run the runs of an experiment that are not finished, and write its tables, figures and report.

    Args:
        source: a YAML file, a mapping as such a file holds it, or a plan from `read_plan`.
        out: the directory: a new one, or that of the same experiment, which goes on or grows.
        jobs: runs side by side, each on its share of the cores; None is one, on all cores, or as many as there are
            cores where the environment holds the GIL.
        execution: where the lifetimes of every run go; by default its share of this machine. Changes no result.
        watch: told what happens to the runs, and then to the studies.
        track: names of trackers of every run, besides TensorBoard: wandb, mlflow. The experiment is their group.

    Raises:
        InputError: something cannot be run, or `out` holds another experiment; nothing has changed.
    """
    plan = source if isinstance(source, Plan) else read_plan(source)
    jobs = default_jobs(plan, execution) if jobs is None else jobs
    if jobs < 1:
        raise InputError(f"jobs must be at least 1, got {jobs}")
    path, trackers = Path(out), check_tracking(track)
    failures: dict[str, str] = {}
    with open_experiment(path, plan):
        orders = orders_of(plan, path, execution, jobs, trackers)
        orders = [order for order in orders if not is_finished(order)]
        with closing(finish_all(orders, jobs)) as events:
            for event in events:
                if isinstance(event, Finished) and event.failure is not None:
                    failures[event.order.name] = event.failure
                if watch is not None:
                    watch(event)
        nothing = len(failures) == len(plan.runs())
        comparison = None if nothing else compare([path], path)
        if not failures:
            _make_studies(path, plan, execution, watch)
        return Experiment(path, plan, failures, comparison)


def _make_studies(path: Path, plan: Plan, execution: Execution | None, watch: Watch | None) -> None:
    for kind, options in plan.studies.items():

        def told(done: int, total: int, kind: str = kind) -> None:
            if watch is not None:
                watch(Studying(kind, done, total))

        genomes = study_genomes([path], options.steps)
        make_study(path / STUDIES_FOLDER / kind, options, genomes, execution, told)


def default_jobs(plan: Plan, execution: Execution | None) -> int:
    """Return how many runs stand side by side where nobody says: threads of one process share no GIL."""
    held = not any(config.env.releases_gil for config in plan.arms.values())
    return cores() if held and execution in (None, Execution()) else 1


def orders_of(
    plan: Plan, path: Path, execution: Execution | None, jobs: int, trackers: tuple[str, ...] = ()
) -> list[RunOrder]:
    """Return all runs, in their order."""
    share = execution or Execution()
    if jobs > 1 and share.workers is None and share.ray is None:
        threads = share.threads or max(1, cores() // jobs)
        share = replace(share, workers=0, threads=threads)
    first, *others = (config.perturbations for turns in plan.turns.values() for config in turns)
    perturbed = all(perturbations == first for perturbations in others)
    return [
        RunOrder(
            arm,
            seed,
            run_path(path, arm, seed),
            plan.config(arm, seed).model_dump(mode="json"),
            plan.evaluation,
            perturbed,
            share,
            Tracking(trackers, path.resolve().name, arm),
        )
        for arm, seed in plan.runs()
    ]
