"""Finished runs as they are compared: their scores, their learning curves, their lifetimes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hebbevo.config.schema import Config
from hebbevo.evaluation.run_statistics import resample_runs, run_scores
from hebbevo.experiments.evaluation import Evaluation
from hebbevo.experiments.evaluation_file import RunEvaluation, read_evaluation_file
from hebbevo.training.run_directory import RunDirectory

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class RunRecord:
    """A run.

    Attributes:
        seed: of the run.
        path: its directory.
        evolved_on: names of bodies, all that its lifetimes may have had.
        generations: done.
        agent_steps: of all its lifetimes of training.
        curve_steps: agent-steps at which its center was evaluated, ``(points,)``.
        curve: mean of the center there.
        center: by body, the last evaluated mean of the center in training.
        evaluation: of its last center; None where there is none.
    """

    seed: int
    path: Path
    evolved_on: tuple[str, ...]
    generations: int
    agent_steps: int
    curve_steps: FloatArray
    curve: FloatArray
    center: dict[str, float]
    evaluation: RunEvaluation | None


def read_run(path: Path, config: Config) -> RunRecord:
    """Return a run of a config as it stands."""
    rows = RunDirectory.open(path, read_only=True).read_progress()
    steps = np.cumsum([row["agent_steps"] or 0 for row in rows]) if rows else np.zeros(0)
    points = [index for index, row in enumerate(rows) if row.get("center_mean") is not None]
    last = rows[points[-1]] if points else {}
    return RunRecord(
        config.run.seed,
        path,
        config.env.single_bodies,
        int(rows[-1]["generation"] or 0) if rows else 0,
        int(steps[-1]) if rows else 0,
        np.asarray(steps[points], np.float64),
        np.array([rows[index]["center_mean"] for index in points], np.float64),
        {
            name.removeprefix("center."): float(value)
            for name, value in last.items()
            if name.startswith("center.") and value is not None
        },
        read_evaluation_file(path),
    )


def is_complete(run: RunRecord, config: Config, evaluation: Evaluation) -> bool:
    """Tell whether a run is as long as its config says, and evaluated at its end as asked for."""
    length, found = config.training, run.evaluation
    ended = run.generations >= length.generations or run.agent_steps >= (length.agent_steps or math.inf)
    return ended and found is not None and (found.settings, found.generation) == (evaluation, run.generations)


@dataclass(frozen=True)
class ArmRecord:
    """The finished runs of an arm, by seed.

    Attributes:
        name: of the arm.
        config: of its runs.
        bodies: that every run has lifetimes on.
        runs: all of them.
        lifetimes: ``(runs, bodies, lifetimes)``, NaN where one diverged or a run has fewer than others.
        missing: names of runs that are planned and not finished.
        diverged: names of runs without a finished lifetime on some body.
    """

    name: str
    config: Config
    bodies: tuple[str, ...]
    runs: tuple[RunRecord, ...]
    lifetimes: FloatArray
    missing: tuple[str, ...]
    diverged: tuple[str, ...]

    @cached_property
    def body_scores(self) -> FloatArray:
        """Mean of every run on every body, ``(runs, bodies)``."""
        return run_scores(self.lifetimes)

    @cached_property
    def scores(self) -> FloatArray:
        """Mean of every run over all bodies, ``(runs,)``."""
        return np.asarray(self.body_scores.mean(axis=1))

    @cached_property
    def resampled(self) -> FloatArray:
        """Scores of resamples of runs and lifetimes, ``(resamples, runs, bodies)``."""
        return resample_runs(self.lifetimes)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Run seeds."""
        return tuple(run.seed for run in self.runs)

    def of_seeds(self, seeds: Sequence[int]) -> FloatArray:
        """Return the lifetimes of the runs of some seeds, in their order."""
        place = {seed: index for index, seed in enumerate(self.seeds)}
        return self.lifetimes[[place[seed] for seed in seeds]]


def lifetimes_of(run: RunRecord, bodies: Sequence[str], evaluated: bool) -> list[FloatArray] | None:
    """Return the lifetimes of a run on each body; None where it has no finished one on some body.

    Args:
        run: with an evaluation, if asked for.
        bodies: in order.
        evaluated: those of its evaluation; else the one mean of its center in training.
    """
    if evaluated:
        assert run.evaluation is not None
        fitness = [run.evaluation.fitness.get(body, np.full(1, np.nan)) for body in bodies]
    else:
        fitness = [np.array([run.center.get(body, np.nan)]) for body in bodies]
    return None if any(np.isnan(part).all() for part in fitness) else fitness


def stacked(lifetimes: Sequence[Sequence[FloatArray]], bodies: int) -> FloatArray:
    """Return ``(runs, bodies, lifetimes)``, filled up with NaN."""
    longest = max((len(part) for run in lifetimes for part in run), default=1)
    stack = np.full((len(lifetimes), bodies, longest), np.nan)
    for row, run in zip(stack, lifetimes, strict=True):
        for line, part in zip(row, run, strict=True):
            line[: len(part)] = part
    return stack
